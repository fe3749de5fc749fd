"""What is signed, and until when an unsigned document keeps nobody from making calls."""

from datetime import UTC, datetime, timedelta

import pytest

from callserver.domain.training import Signature, Version, grace_until, unsigned

DAY = timedelta(days=1)
START = datetime(2026, 3, 3, 9, tzinfo=UTC)
GRACE = 7


def version(number: int, day: int, first: int | None = None) -> Version:
    first_at = START + DAY * (day if first is None else first)
    return Version("ethics", f"v{number}", START + DAY * day, first_at)


def signature(number: int, day: int) -> Signature:
    return Signature("ethics", f"v{number}", START + DAY * day)


def test_another_version_is_not_signed() -> None:
    in_force = {"ethics": "v2", "law": "v1"}
    assert unsigned(["ethics", "law"], in_force, {("ethics", "v1"), ("law", "v1")}) == ("ethics",)
    assert unsigned(["ethics", "law"], in_force, {("ethics", "v2"), ("law", "v1")}) == ()


def test_a_document_that_cannot_be_found_is_not_signed() -> None:
    assert unsigned(["ethics"], {}, {("ethics", "v1")}) == ("ethics",)


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
