"""A phoner's own calls of the evening, with masked names and numbers. Phoners are never compared."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from callserver.database import calls, contacts
from callserver.database.accounts import User
from callserver.database.calls import CallRow
from callserver.engine.context import EngineContext
from callserver.engine.suppressions import lifting
from callserver.ports import Tx

LASTS = timedelta(hours=12)
"""How far back an evening reaches: longer than a shift, shorter than the time to the next one."""


@dataclass(frozen=True, slots=True)
class OwnCall:
    """One of the phoner's calls."""

    call: CallRow
    initials: str
    undoable_until: datetime | None = None  # while the phoner may undo the opt-out of the call

    @property
    def at(self) -> datetime:
        return self.call.answered_at or self.call.permit_at


def initials(name: str | None) -> str:
    """ "Karla Holm Juul" as "K. H. J."."""
    return " ".join(f"{word[0].upper()}." for word in (name or "").split()) or "…"


def mine(tx: Tx, ctx: EngineContext, user: User) -> list[OwnCall]:
    """The phoner's calls, the latest first."""
    now = ctx.clock.now()
    rows = calls.of_phoner(tx, user.id, now - LASTS)
    names = contacts.names(tx, [row.contact for row in rows if row.contact is not None])
    answered = [row.attempt for row in rows if row.answered_at is not None]
    undoable = lifting.undoable_until(tx, answered, user, now)
    return [
        OwnCall(row, initials(names.get(row.contact or 0)), undoable.get(row.attempt))
        for row in rows
    ]
