"""Judges an evening: compares what the network recorded with what must always be true.

The evidence is the network's own record of every telephone that rang, never the server's.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise, zip_longest

from callserver.domain.home import HOME
from callserver.simulator import role_play_record
from callserver.simulator.legs import ListenerStay, Ring
from callserver.simulator.robots import Acknowledged, ListeningGrant
from callserver.simulator.role_play_record import RolePlayStay
from callserver.simulator.supervisors import MODES, Supervisor

GAP = timedelta(hours=4)
LINE_MARGIN = timedelta(hours=1)
"""Users' own telephones may ring this long before and after the calling hours."""
STOP_WITHIN = timedelta(seconds=1.5)
"""A telephone that rings when the person opts out must stop within a second, plus the network's delay."""

KINDS = (
    "rung_without_permit",
    "outside_hours",
    "after_suppression",
    "twice_within_gap",
    "answered_into_silence",
    "outcome_lost",
    "rings_for_ever",
    "heard_without_right",
    "role_play_with_others",
)


@dataclass(frozen=True, slots=True)
class Rows:
    """What the server's database contains at the end."""

    permits: dict[str, tuple[str, str]]  # attempt -> number, path
    suppressed: Sequence[tuple[str, datetime]]  # number, from when
    outcomes: dict[str, str]  # attempt -> outcome
    seats: Mapping[int, str | None] = field(default_factory=dict)  # seat -> its department
    # Confirmed lines of users: number, from when, and until when.
    lines: Sequence[tuple[str, datetime, datetime | None]] = ()


@dataclass(slots=True)
class Verdict:
    """The cases of each kind of violation, as text."""

    cases: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in KINDS})

    @property
    def clean(self) -> bool:
        return not any(self.cases.values())

    def add(self, kind: str, what: str) -> None:
        self.cases[kind].append(what)


def judge(record: Sequence[Ring], rows: Rows, promised: Acknowledged, end: datetime) -> Verdict:
    """Every violation of the evening."""
    verdict = Verdict()
    _permits(record, rows, verdict)
    for line in promised.typed:
        if line.accepted:
            verdict.add("rung_without_permit", f"a typed line was accepted: {line.kind}")
    for ring in record:
        _hours(ring, rows, end, verdict)
        if ring.heard == "silence":
            verdict.add("answered_into_silence", _described(ring))
        if (ring.ended_at is None and ring.answered_at is None) or (
            (ring.ended_at or end) - ring.rang_at > timedelta(minutes=3) and not ring.answered_at
        ):
            verdict.add("rings_for_ever", _described(ring))
    _opt_outs(record, [*rows.suppressed, *promised.opt_outs], verdict)
    _gaps(record, rows, verdict)
    for attempt, outcome in promised.outcomes:
        if rows.outcomes.get(attempt) != outcome:
            verdict.add("outcome_lost", f"{attempt}: {outcome}, kept {rows.outcomes.get(attempt)}")
    return verdict


QUIET_WITHIN = timedelta(seconds=2)
"""A listener who may hear less than before, or nothing, is out of the room within this time."""


def judge_listening(
    verdict: Verdict,
    stays: Sequence[ListenerStay],
    supervisors: Sequence[Supervisor],
    rows: Rows,
    end: datetime,
    slack: timedelta = QUIET_WITHIN,
) -> None:
    """Compare every stay of a listener in a room with what the listener asked for and may do."""
    by_line = {supervisor.line: supervisor for supervisor in supervisors}
    for supervisor in supervisors:
        for grant in supervisor.granted:
            if grant.level >= 0 and MODES[grant.level] not in supervisor.modes:
                granted = f"{supervisor.line} was granted {MODES[grant.level]}"
                verdict.add("heard_without_right", granted)
    for stay in stays:
        listener = by_line.get(stay.line)
        seat = int(stay.room.split("-")[1]) if stay.room.startswith("seat-") else 0
        case = f"{stay.line} in {stay.room} from {stay.since.astimezone(UTC).isoformat()}"
        until = stay.until or end
        if listener is None or not _granted(listener.granted, stay, seat, until, slack):
            verdict.add("heard_without_right", f"without a grant, or louder: {case}")
        elif listener.department not in (None, rows.seats.get(seat)):
            verdict.add("heard_without_right", f"another department: {case}")
        elif len(stay.heard_by) > 1:
            verdict.add("heard_without_right", f"by the next person too: {case}")


def judge_role_plays(verdict: Verdict, stays: Sequence[RolePlayStay]) -> None:
    """A role-play call reaches nobody: two softphones of its own, never a number, and nobody listens."""
    for wrong in role_play_record.wrongs(stays):
        verdict.add("role_play_with_others", wrong)


def _granted(
    granted: Sequence[ListeningGrant],
    stay: ListenerStay,
    seat: int,
    until: datetime,
    slack: timedelta,
) -> bool:
    """Whether every moment of the stay was granted at its level, except while a change is under way.

    A change begins when it is asked for, and is complete `slack` after the server's answer.
    """
    if not granted or stay.since < granted[0].at:
        return False
    for grant, following in zip_longest(granted, granted[1:]):
        ends = until if following is None else min(following.at, until)
        enough = grant.seat == seat and grant.level >= stay.level
        if not enough and max(grant.answered_at + slack, stay.since) < ends:
            return False
    return True


def _described(ring: Ring) -> str:
    return f"attempt {ring.label} rang {ring.rang_at.astimezone(UTC).isoformat()} ({ring.heard})"


def _is_line(ring: Ring, rows: Rows) -> bool:
    """Whether it was a user's telephone, confirmed by then, which needs no permit. A contact's leg always
    has a label."""
    return ring.label is None and any(
        number == ring.number and since <= ring.rang_at and (until is None or ring.rang_at <= until)
        for number, since, until in rows.lines
    )


CONFIRMATION = "confirmation"
"""The path of a call that confirms a line. It enters no room, so its leg has no label."""


def _permits(record: Sequence[Ring], rows: Rows, verdict: Verdict) -> None:
    used: set[str] = set()
    confirmations = Counter(
        number for number, path in rows.permits.values() if path == CONFIRMATION
    )
    for ring in record:
        label = ring.label or ""
        if _is_line(ring, rows):
            continue
        if ring.label is None and confirmations[ring.number]:
            confirmations[ring.number] -= 1
            continue
        if rows.permits.get(label, ("", ""))[0] != ring.number:
            verdict.add("rung_without_permit", _described(ring))
        elif label in used:
            verdict.add("rung_without_permit", f"a second time: {_described(ring)}")
        used.add(label)


def without_permit(called: Iterable[str], rows: Rows) -> Counter[str]:
    """The numbers in a trunk's own call record that have neither a permit nor a confirmed line."""
    lines = {number for number, _, _ in rows.lines}
    permits = Counter(number for number, _ in rows.permits.values())
    return Counter(number for number in called if number not in lines) - permits


def _hours(ring: Ring, rows: Rows, end: datetime, verdict: Verdict) -> None:
    """Written without the server's own rules: a Danish weekday from nine to nine, from the first ring
    to the last. An agreed call-back may ring outside the hours, a user's telephone within a margin."""
    if rows.permits.get(ring.label or "", ("", ""))[1] == "call_back":
        return
    margin = LINE_MARGIN if _is_line(ring, rows) else timedelta(0)
    begins = ring.rang_at.astimezone(HOME)
    silent_at = ring.answered_at or ring.ended_at or end
    opens = begins.replace(hour=9, minute=0, second=0, microsecond=0) - margin
    closes = begins.replace(hour=21, minute=0, second=0, microsecond=0) + margin
    if begins.weekday() > 4 or not opens <= begins < closes or silent_at > closes:
        verdict.add("outside_hours", _described(ring))


def _opt_outs(
    record: Sequence[Ring], opt_outs: Sequence[tuple[str, datetime]], verdict: Verdict
) -> None:
    first: dict[str, datetime] = {}
    for number, at in opt_outs:
        first[number] = min(at, first.get(number, at))
    for ring in record:
        opted_out_at = first.get(ring.number)
        if opted_out_at is None:
            continue
        if ring.rang_at > opted_out_at + STOP_WITHIN:
            verdict.add("after_suppression", _described(ring))
        elif ring.answered_at is None and ring.rang_at <= opted_out_at:
            silent_at = ring.ended_at
            if silent_at is None or silent_at > opted_out_at + STOP_WITHIN:
                verdict.add("after_suppression", f"rang on: {_described(ring)}")


def _gaps(record: Sequence[Ring], rows: Rows, verdict: Verdict) -> None:
    """Two rings of one number within four hours, unless the second was agreed."""
    by_number: dict[str, list[Ring]] = defaultdict(list)
    for ring in record:
        if not _is_line(ring, rows):
            by_number[ring.number].append(ring)
    for rings in by_number.values():
        ordered = sorted(rings, key=lambda ring: ring.rang_at)
        for earlier, later in pairwise(ordered):
            path = rows.permits.get(later.label or "", ("", ""))[1]
            if path != "call_back" and later.rang_at - earlier.rang_at < GAP - timedelta(minutes=2):
                verdict.add("twice_within_gap", _described(later))
