"""Opt-outs and marks: who may not be called, from which entry on, and who may end that.

Subjects are the pseudonymous keys of numbers, persons and households: the same key is the same subject.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from callserver.domain.behaviour.call import Call
from callserver.domain.behaviour.entry import Breach, Duty, Entry

SILENT_WITHIN = timedelta(seconds=1)
"""After an opt-out, the order to silence a telephone that rings (I4)."""

AT_ONCE = timedelta(seconds=1)
"""What belongs to the same transaction: on a busy server its entries are a moment apart."""

UNDONE_WITHIN = timedelta(minutes=10)
"""An author may take a mistake back, alone. Later, a second colleague approves."""

ENDED_BY_CONSENT = frozenset({"number", "person"})
"""Scopes that the person's own later consent ends. A household's or an erased person's opt-out, and a
complaint, it does not end."""

NEVER_CALLED: Mapping[str, str] = {
    "deceased": "the person has died",
    "guardian": "a guardian decides for the person",
    "vulnerable": "the person is to be left in peace",
    "erased": "the person's data were erased",
    "bad_number": "the number cannot be dialed",
    "outcome_missing": "what the person said in a talk is not known",
}
"""Marks that forbid every call, and why."""

OUTCOME_NEEDS: Mapping[str, str] = {
    "suppress": "suppressed",
    "refused": "marked",
    "deceased": "marked",
    "vulnerable": "marked",
    "wrong_number": "marked",
    "left": "marked",
    "complaint": "case",
}
"""What an outcome does -> the kind of entry about the same call that carries it out, in the same transaction."""


@dataclass(frozen=True, slots=True)
class OptOut:
    """An opt-out according to the log."""

    row: int
    key: str
    scope: str
    purpose: str
    at: datetime
    by: str
    in_force: bool = True


@dataclass(frozen=True, slots=True)
class Lift:
    """A proposal to lift opt-outs."""

    by: str
    rows: frozenset[int]
    open: bool = True


def suppressed(entry: Entry) -> list[OptOut]:
    """The opt-outs that an entry writes down."""
    return [
        OptOut(row, key, entry.text("scope"), entry.text("purpose"), entry.at, entry.text("by"))
        for row, key in entry.rows()
    ]


def silences(key: str, ringing: Iterable[Call]) -> list[Duty]:
    """Every telephone of the subject that rings when the opt-out comes must be silenced."""
    return [
        Duty("silenced", call.name, SILENT_WITHIN, "an opt-out came, and the telephone rings on")
        for call in ringing
        if key in call.keys and not call.stopped
    ]


def call_breaches(
    call: Call, opt_outs: Iterable[OptOut], consented_at: datetime | None
) -> list[Breach]:
    """A permit against the opt-outs of its keys. `consented_at`: the latest consent of these keys."""
    return [
        Breach("opted-out", f"the opt-out {opt_out.row} is in force ({opt_out.scope})")
        for opt_out in opt_outs
        if _forbids(opt_out, call, consented_at)
    ]


def _forbids(opt_out: OptOut, call: Call, consented_at: datetime | None) -> bool:
    if not opt_out.in_force:
        return False
    if opt_out.scope == "org" and opt_out.purpose not in ("", call.purpose):
        return False
    later_consent = consented_at is not None and consented_at > opt_out.at
    return not (later_consent and opt_out.scope in ENDED_BY_CONSENT)


def mark_breaches(marks: Iterable[str]) -> list[Breach]:
    """A permit against the marks of its keys."""
    return [
        Breach("never-called", NEVER_CALLED[mark])
        for mark in sorted(set(marks))
        if mark in NEVER_CALLED
    ]


def proposed(entry: Entry) -> Lift:
    """Somebody proposes to lift opt-outs."""
    rows = entry.fields.get("suppressions") or ()
    return Lift(entry.text("by"), frozenset(int(row) for row in rows))


def lifted(opt_out: OptOut, entry: Entry, lift: Lift | None) -> tuple[OptOut, list[Breach]]:
    """An opt-out ends: undone by its author within minutes, or by two colleagues."""
    after = replace(opt_out, in_force=False)
    if not opt_out.in_force:
        return after, [Breach("lifted-twice", f"the opt-out {opt_out.row} was lifted before")]
    by = entry.text("by")
    if entry.fields.get("undone"):
        if by != opt_out.by or entry.at - opt_out.at > UNDONE_WITHIN:
            return after, [Breach("two-colleagues", "undone by another person, or too late")]
        return after, []
    if lift is None or opt_out.row not in lift.rows or not lift.open:
        return after, [Breach("two-colleagues", "lifted without a proposal that waits")]
    if by == lift.by:
        return after, [Breach("two-colleagues", "proposed and approved by one account")]
    return after, []
