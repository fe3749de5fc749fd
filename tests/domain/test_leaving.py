"""Somebody leaves: in which state they are, and when nothing is left to do."""

from collections.abc import Collection
from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from callserver.domain.label import Label
from callserver.domain.leaving import (
    Check,
    LeavingItem,
    LeavingItems,
    LeavingState,
    check_complete,
    check_state,
    state_of,
)
from callserver.errors import Impossible

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
ITEMS = [LeavingItem(key=key, title=Label(da=key, en=key)) for key in ("keys", "headset")]
S = LeavingState


@pytest.mark.parametrize(
    ("left_at", "announced", "complete", "state"),
    [
        (None, False, False, S.PRESENT),
        (None, True, False, S.ANNOUNCED),
        (None, True, True, S.ANNOUNCED),  # never complete while they have access
        (NOW, False, False, S.LEFT),
        (NOW, True, False, S.LEFT),
        (NOW, True, True, S.COMPLETE),
        (NOW, False, True, S.COMPLETE),
    ],
)
def test_access_decides_who_has_left(
    left_at: datetime | None, *, announced: bool, complete: bool, state: LeavingState
) -> None:
    assert state_of(left_at, announced=announced, complete=complete) is state


@pytest.mark.parametrize("state", LeavingState)
def test_a_change_that_does_not_fit_the_state_is_refused(state: LeavingState) -> None:
    for allowed in LeavingState:
        if allowed is state:
            check_state(state, allowed)
            check_state(state, S.PRESENT, allowed)
            continue
        with pytest.raises(Impossible) as refused:
            check_state(state, allowed)
        assert refused.value.key == f"leaving_{state.value}"


@pytest.mark.parametrize(
    ("done", "failed", "reminded", "left"),
    [
        ({"keys", "headset"}, (), True, []),
        ({"keys", "headset", "other"}, (), True, []),
        ({"keys"}, (), True, ["headset"]),
        ((), (), True, ["keys", "headset"]),
        ({"keys", "headset"}, (Check.TOKENS,), True, ["tokens"]),
        ({"keys", "headset"}, (), False, ["confidentiality"]),
        ({"headset"}, (Check.SEAT,), False, ["keys", "seat", "confidentiality"]),
    ],
)
def test_it_is_complete_when_nothing_is_left(
    done: Collection[str], failed: Collection[Check], *, reminded: bool, left: list[str]
) -> None:
    if not left:
        check_complete(ITEMS, done, failed, reminded=reminded)
        return
    with pytest.raises(Impossible, match=f": {', '.join(left)}$") as refused:
        check_complete(ITEMS, done, failed, reminded=reminded)
    assert refused.value.key == "leaving_open"


def test_an_item_is_on_the_list_once() -> None:
    read = TypeAdapter(LeavingItems)
    assert len(read.validate_python(ITEMS)) == 2
    with pytest.raises(ValidationError, match="keys"):
        read.validate_python([*ITEMS, ITEMS[0]])
    many = [ITEMS[0].model_copy(update={"key": f"item{n}"}) for n in range(31)]
    assert len(read.validate_python(many[:30])) == 30
    with pytest.raises(ValidationError):
        read.validate_python(many)
