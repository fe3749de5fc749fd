"""Who may listen, and how loud: role, department, and what the log has granted (I12)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from callserver.domain.behaviour.entry import Breach, Entry

LOUDNESS: Mapping[str, int] = {"silent": 0, "coach": 1, "join": 2}
"""Mode -> who hears the listener: nobody, the phoner, everybody in the call."""

MAY_LISTEN = frozenset({"supervisor", "leader"})
"""Roles that may listen in every mode, within their department."""

TRAINEE = "phoner"
"""May listen to their own mentor, and is never heard."""

LEAVES_WITHIN = timedelta(seconds=12)
"""After a change of mode the leg is out of the room, or is hung up."""


@dataclass(frozen=True, slots=True)
class Listening:
    """A listening according to the log. `earlier`: its modes before the present one, and until when."""

    seat: str
    mode: str
    earlier: tuple[tuple[datetime, str], ...] = ()
    ended_at: datetime | None = None


def granted(entry: Entry) -> list[Breach]:
    """A listening that begins, or changes its mode, against the listener's rights as the entry has them."""
    role, mode = entry.text("role"), entry.text("mode")
    if not role:
        return []  # an entry of an earlier version
    breaches = []
    trainee = role == TRAINEE and mode == "silent" and bool(entry.fields.get("is_mentor"))
    if role not in MAY_LISTEN and not trainee:
        breaches.append(Breach("listening-right", f"a {role} may not listen in the mode {mode}"))
    department = entry.text("department")
    if department and department != entry.text("seat_department"):
        breaches.append(Breach("listening-department", "the seat is in another department"))
    if entry.text("listener") == entry.text("phoner"):
        breaches.append(Breach("listening-right", "nobody listens to their own seat"))
    return breaches


def changed(listening: Listening, entry: Entry) -> Listening:
    """Another mode. A quieter one takes effect when the leg has left the room."""
    earlier = (*listening.earlier, (entry.at, listening.mode))
    return replace(listening, mode=entry.text("mode"), earlier=earlier)


def heard(
    listening: Listening | None, entry: Entry, permit_at: datetime, *, refused: bool
) -> list[Breach]:
    """A call had a listener. `refused`: the person had said before that they want none."""
    if listening is None:
        return [Breach("listening-right", "heard by somebody who listens to nothing")]
    breaches = []
    if refused:
        breaches.append(Breach("no-listener", "the person does not want a listener"))
    at, ended_at = heard_at(entry), listening.ended_at
    if ended_at is not None and at - ended_at > LEAVES_WITHIN:
        breaches.append(Breach("listening-right", "heard after the listening had ended"))
    loud = LOUDNESS.get(entry.text("mode"), len(LOUDNESS))
    if loud > _allowed(listening, at, permit_at):
        breaches.append(Breach("voice-in-room", f"heard in the mode {entry.text('mode')}"))
    return breaches


def heard_at(entry: Entry) -> datetime:
    """When a listener began to hear a talk that may have been reported later."""
    return entry.instant("heard_at") or entry.at


def _allowed(listening: Listening, at: datetime, permit_at: datetime) -> int:
    """How loud the listener may be at this time in a call."""
    allowed, begins = 0, None
    for ends, mode in (*listening.earlier, (None, listening.mode)):
        # What was made quieter before the call began must be so in it.
        lasts = ends is None or at < ends or (ends > permit_at and at <= ends + LEAVES_WITHIN)
        if lasts and (begins is None or begins <= at):
            allowed = max(allowed, LOUDNESS.get(mode, 0))
        begins = ends
    return allowed


def voice_breaches(listening: Listening, seat: str) -> list[Breach]:
    """A seat is reserved: nobody in its room may be heard by the next person."""
    if listening.ended_at is None and listening.seat == seat and listening.mode == "join":
        return [Breach("voice-in-room", "dialed while somebody may be heard in the room")]
    return []
