"""A permit is spent once, and soon."""

from datetime import UTC, datetime, timedelta

import pytest

from callserver.domain.permit import LIFETIME, TRANSIENT, DialPermit, PermitVoid, decide
from callserver.domain.reason import Reason
from tests.domain.test_rules import EASY

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)


def permit() -> DialPermit:
    return DialPermit("a", "+4532123456", "+4532123400", NOW, 25, "r")


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_permit_is_spent_once(after: int) -> None:
    granted = permit()
    granted.spend(NOW + timedelta(seconds=after))
    with pytest.raises(PermitVoid, match="before"):
        granted.spend(NOW + timedelta(seconds=after))


def test_a_permit_that_is_too_old_is_void_and_stays_void() -> None:
    granted = permit()
    with pytest.raises(PermitVoid, match="old"):
        granted.spend(NOW + timedelta(seconds=2, microseconds=1))
    with pytest.raises(PermitVoid, match="before"):
        granted.spend(NOW)
    assert timedelta(seconds=2) == LIFETIME


def test_what_passes_by_itself_is_no_word_about_the_person() -> None:
    about_the_person = ("SUP_", "PERSON_", "NUM_", "BASIS_", "TIME_")
    assert Reason.FREQ_ACTIVE_CALL in TRANSIENT
    assert {reason for reason in Reason if reason.startswith("SYS_")} <= TRANSIENT
    assert not [reason for reason in TRANSIENT if reason.startswith(about_the_person)]


def test_a_permit_says_what_was_asked() -> None:
    answer = decide(EASY, "attempt")
    assert isinstance(answer, DialPermit)
    said = (answer.attempt, answer.number, answer.caller_id, answer.at, answer.ring_seconds)
    assert said == ("attempt", EASY.number, EASY.caller_id, EASY.now, EASY.ring_seconds)
