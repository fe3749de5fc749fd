"""What is signed, and until when an unsigned document keeps nobody from making calls."""

from datetime import UTC, date, datetime, timedelta

import pytest

from callserver.domain.label import Label
from callserver.domain.training import (
    Progress,
    Signature,
    Standing,
    Version,
    grace_until,
    seconds_by_day,
    standing,
    unsigned,
)
from callserver.domain.training_rules import Level, LevelRules, TrainingRules

DAY = timedelta(days=1)
START = datetime(2026, 3, 3, 9, tzinfo=UTC)
GRACE = 7


def version(number: int, day: int, first: int | None = None) -> Version:
    first_at = START + DAY * (day if first is None else first)
    return Version("ethics", f"v{number}", START + DAY * day, first_at)


def signature(number: int, day: int) -> Signature:
    return Signature("ethics", f"v{number}", START + DAY * day)


def test_another_version_is_not_signed() -> None:
    both, in_force = ["ethics", "law"], {"ethics": "v2", "law": "v1"}
    before = {("ethics", "v1"): START, ("law", "v1"): START}
    assert unsigned(both, in_force, before, {}, START) == ("ethics",)
    assert unsigned(both, in_force, before | {("ethics", "v2"): START}, {}, START) == ()


def test_a_document_that_cannot_be_found_is_not_signed() -> None:
    assert unsigned(["ethics"], {}, {("ethics", "v1"): START}, {}, START) == ("ethics",)


@pytest.mark.parametrize(("after", "missing"), [(364, ()), (365, ("ethics",)), (-1, ())])
def test_a_signature_holds_for_its_days(after: int, missing: tuple[str, ...]) -> None:
    signed = {("ethics", "v1"): START, ("law", "v1"): START - 1000 * DAY}
    in_force, now = {"ethics": "v1", "law": "v1"}, START + after * DAY
    assert unsigned(["ethics", "law"], in_force, signed, {"ethics": 365}, now) == missing


@pytest.mark.parametrize(
    ("versions", "signatures", "added", "starts"),
    [
        # A new phoner reads before the first call.
        ([version(1, 0)], [], 3, None),
        ([version(1, 0), version(2, 5)], [], 3, None),
        # Who has signed the version before has time, from the first version that they have not seen.
        ([version(1, 0), version(2, 5)], [signature(1, 1)], 0, 5),
        ([version(1, 0), version(2, 5), version(3, 8)], [signature(1, 1)], 0, 5),
        # A document that is required for the first time: who was here before has time.
        ([version(1, 5)], [], 3, 5),
        ([version(1, 5), version(2, 6)], [], 3, 5),
        # Nobody knows since when they are here, or since when the document is in force.
        ([version(1, 5)], [], None, None),
        ([], [signature(1, 1)], 0, None),
        # An earlier version is in force again: its first time counts, and everybody had seen it.
        ([version(2, 5), version(1, 9, first=0)], [signature(2, 6)], 0, None),
    ],
)
def test_the_grace_period(
    versions: list[Version], signatures: list[Signature], added: int | None, starts: int | None
) -> None:
    added_at = None if added is None else START + DAY * added
    until = None if starts is None else START + DAY * (starts + GRACE)
    assert grace_until(versions, signatures, added_at, GRACE) == until


# -- counted shifts ----------------------------------------------------------------------------

RULES = TrainingRules(
    levels={
        Level.SECOND: LevelRules(title=Label(da="2", en="2"), attend=("pair",)),
    },
    activities={"pair": Label(da="Øvelse", en="Exercise")},
)
MONDAY = date(2026, 3, 2)


def day(number: int) -> date:
    return MONDAY + DAY * number


def progress(
    *days: int,
    credited: int = 0,
    heard: int | None = None,
    talked: bool = False,
    attended: tuple[str, ...] = ("pair",),
) -> Progress:
    heard_on = None if heard is None else day(heard)
    return Progress(credited, [day(number) for number in days], heard_on, talked, attended)


@pytest.mark.parametrize(
    ("known", "today", "expected"),
    [
        (progress(), 0, Standing(1)),
        (progress(0), 0, Standing(1)),  # the whole day of the first shift
        (progress(0), 1, Standing(2)),
        (progress(0, attended=()), 1, Standing(1)),
        (progress(0, 1), 2, Standing(2)),  # nobody has listened
        (progress(0, 1, heard=1), 2, Standing(3)),
        (progress(0, 1, heard=2), 2, Standing(2)),
        (progress(0, 1, 2, heard=2), 3, Standing(3)),
        (progress(0, 1, 2, heard=1), 3, Standing(3, talk_owed=True)),
        (progress(0, 1, 2, heard=1, talked=True), 3, Standing(3, trained=True)),
        (progress(0, 1, heard=1, talked=True), 2, Standing(3)),
        # The clock is set back: later days do not count.
        (progress(0, 1, 2, heard=1, talked=True), 1, Standing(2)),
        (progress(0, 1, 2, heard=1, talked=True), 0, Standing(1)),
        (progress(credited=1), 0, Standing(2)),
        (progress(credited=1, attended=()), 0, Standing(2)),
        (progress(credited=2), 0, Standing(3)),
        (progress(0, credited=2), 1, Standing(3, talk_owed=True)),
        (progress(credited=3), 0, Standing(3, trained=True)),
        (progress(credited=4), 0, Standing(3, trained=True)),
    ],
)
def test_the_shift_follows_from_the_days_before(
    known: Progress, today: int, expected: Standing
) -> None:
    assert standing(RULES, known, day(today)) == expected


def test_time_is_counted_on_the_organisation_s_days() -> None:
    since = datetime(2026, 3, 2, 22, 30, tzinfo=UTC)  # 23:30 in Copenhagen
    counted = seconds_by_day(since, since + timedelta(hours=2))
    assert counted == {MONDAY: 1800, day(1): 5400}
    assert seconds_by_day(since, since - timedelta(hours=1)) == {}  # the clock was set back
    summer = datetime(2026, 6, 1, 22, 30, tzinfo=UTC)
    assert list(seconds_by_day(summer, summer + timedelta(hours=1))) == [date(2026, 6, 2)]
