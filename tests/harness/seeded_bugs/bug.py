"""A bug that a server could have: a small change of the running server, and the rule that shows it in the log."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from callserver.domain import permit
from callserver.domain import seat as seat_machine
from callserver.domain.call import Report
from callserver.domain.seat import SeatEvent
from callserver.engine.calls.call_flow import CallFlow
from tests.harness.scenes.evening import Scene, System

Patch = pytest.MonkeyPatch
BUGS: dict[str, "Bug"] = {}


@dataclass(frozen=True)
class Bug:
    """`rule` None: the log alone does not show it."""

    scene: Scene
    rule: str | None
    breaks: Callable[[Patch, System], None]


def bug(
    rule: str | None, plays: Callable[[System], Any], **system: Any
) -> Callable[[Callable[[Patch, System], None]], Callable[[Patch, System], None]]:
    """A bug, the rule that shows it, and the scene in which it does harm."""

    def add(breaks: Callable[[Patch, System], None]) -> Callable[[Patch, System], None]:
        BUGS[breaks.__name__] = Bug(Scene(plays, system), rule, breaks)
        return breaks

    return add


def nothing(*_: Any, **__: Any) -> None: ...


def moves(patch: Patch, event: SeatEvent, change: Callable[[Any, Any], Any]) -> None:
    """The seat's own table moves another way at this event: `change` gets the seat before and after."""
    really = seat_machine.move

    def move(seat: Any, happened: SeatEvent, reason: str = "") -> Any:
        after = really(seat, happened, reason)
        return change(seat, after) if happened is event else after

    patch.setattr(seat_machine, "move", move)


def drops(patch: Patch, *reports: Report) -> None:
    """Reports of these kinds are lost inside the server, those that it asks for included."""
    really = CallFlow.receive

    async def receive(self: CallFlow, report: Any) -> None:
        if report.report not in reports:
            await really(self, report)

    patch.setattr(CallFlow, "receive", receive)


def no_reason(patch: Patch, *reasons: str) -> None:
    """The gate never gives reasons with this prefix."""
    really = permit.reasons_against

    def reasons_against(facts: Any) -> Any:
        return tuple(reason for reason in really(facts) if not reason.startswith(reasons))

    patch.setattr(permit, "reasons_against", reasons_against)
