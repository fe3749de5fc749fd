"""Bugs of outcomes and wishes, and of opt-outs that end."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from callserver.database import audit, lifts
from callserver.domain.seat import SeatEvent, SeatState
from callserver.engine.calls import inbound
from callserver.engine.outcomes import record, wishes
from callserver.engine.outcomes.record import OutcomeRecord
from callserver.engine.outcomes.wishes import Wishes
from callserver.engine.suppressions import lifting
from tests.harness.scenes import talks
from tests.harness.scenes import wishes as wished
from tests.harness.scenes.evening import MORNING, System
from tests.harness.seeded_bugs.bug import Patch, bug, moves, nothing


@bug("outcome-first", talks.ordinary)
def outcome_is_lost(patch: Patch, _: System) -> None:
    patch.setattr(OutcomeRecord, "record", nothing)


@bug("outcome-owed", talks.phoner_hangs_up)
def outcome_is_not_asked_for(patch: Patch, _: System) -> None:
    moves(
        patch,
        SeatEvent.ENDED,
        lambda seat, after: replace(seat, state=SeatState.WAITING, outcome_owed=False),
    )


@bug("outcome-first", talks.slow_phoner)
def missing_outcome_is_forgotten(patch: Patch, _: System) -> None:
    moves(
        patch,
        SeatEvent.WRAP_UP_OVER,
        lambda seat, after: replace(seat, state=SeatState.WAITING, outcome_owed=False),
    )


@bug("outcome-kept", talks.corrected)
def outcome_is_changed_silently(patch: Patch, _: System) -> None:
    skipped: list[Any] = []

    def append(tx: Any, at: Any, kind: Any, **more: Any) -> None:
        if kind.value == "corrected" and not skipped:
            skipped.append(at)
        else:
            audit.append(tx, at, kind, **more)

    patch.setattr(record, "audit", SimpleNamespace(append=append))


@bug("carried-out-suppressed", wished.never, start=MORNING)
def opt_out_of_an_outcome_is_not_written(patch: Patch, _: System) -> None:
    patch.setattr(Wishes, "_opt_out", nothing)


@bug("carried-out-marked", talks.ordinary)
def refusal_is_not_written(patch: Patch, _: System) -> None:
    patch.setattr(Wishes, "_mark", nothing)


@bug("carried-out-case", wished.complaint)
def complaint_opens_no_case(patch: Patch, _: System) -> None:
    patch.setattr(Wishes, "_complain", nothing)


@bug("key-9", wished.nine)
def key_9_is_not_written(patch: Patch, _: System) -> None:
    patch.setattr(inbound.Inbound, "_never", lambda *_: True)


@bug(None, wished.wish_and_milder_outcome)
def wish_is_not_written(patch: Patch, _: System) -> None:
    patch.setattr(wishes.Wishes, "hear", nothing)


def decides_alone(patch: Patch, state: str) -> None:
    """The proposal is approved, by any colleague and in any state."""
    really = lifting._decide  # noqa: SLF001

    def decide(tx: Any, key: int, user: Any, wanted: str, now: Any) -> Any:
        if wanted != state:
            return really(tx, key, user, wanted, now)
        return lifts.find(tx, key)

    patch.setattr(lifting, "_decide", decide)


@bug("two-colleagues", wished.lifted)
def opt_out_is_lifted_by_one(patch: Patch, _: System) -> None:
    decides_alone(patch, "approved")


@bug("two-colleagues", wished.lift_refused)
def refused_proposal_is_approved(patch: Patch, _: System) -> None:
    decides_alone(patch, "approved")


@bug("two-colleagues", wished.undone)
def opt_out_is_undone_by_another(patch: Patch, _: System) -> None:
    patch.setattr(lifting, "may_undo", lambda *_: True)
