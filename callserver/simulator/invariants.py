"""After the evening: what the network saw, held against what must always be true.

The judge is the network's own record of every telephone that rang, never the server's.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise, zip_longest
from zoneinfo import ZoneInfo

from callserver.simulator.legs import Ring, Voice
from callserver.simulator.robots import Asked, Told
from callserver.simulator.supervisors import MODES, Supervisor

HOME = ZoneInfo("Europe/Copenhagen")
GAP = timedelta(hours=4)
BESIDE = timedelta(hours=1)
"""So long before and after the calling hours users' own telephones may ring."""
STOP_WITHIN = timedelta(seconds=1.5)
"""A telephone that rings when the no is said must fall silent within a second, and a hair's breadth
for the network's own way."""

KINDS = (
    "rung_without_permit",
    "outside_hours",
    "after_suppression",
    "twice_within_gap",
    "answered_into_silence",
    "outcome_lost",
    "rings_for_ever",
    "heard_without_right",
)


@dataclass(frozen=True, slots=True)
class Rows:
    """What the server's database holds at the end."""

    permits: dict[str, tuple[str, str]]  # attempt -> number, path
    suppressed: Sequence[tuple[str, datetime]]  # number, from when
    outcomes: dict[str, str]  # attempt -> outcome
    seats: Mapping[int, str | None] = field(default_factory=dict)  # seat -> its department
    # Confirmed lines of users: number, from when, and until when.
    lines: Sequence[tuple[str, datetime, datetime | None]] = ()


@dataclass(slots=True)
class Verdict:
    """Each kind of violation, with its cases in words."""

    cases: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in KINDS})

    @property
    def clean(self) -> bool:
        return not any(self.cases.values())

    def add(self, kind: str, what: str) -> None:
        self.cases[kind].append(what)


def judge(record: Sequence[Ring], rows: Rows, told: Told, end: datetime) -> Verdict:
    """Every violation of the evening."""
    verdict = Verdict()
    _permits(record, rows, verdict)
    for one in told.typed:
        if one.accepted:
            verdict.add("rung_without_permit", f"a typed line was accepted: {one.kind}")
    for ring in record:
        _hours(ring, rows, end, verdict)
        if ring.heard == "silence":
            verdict.add("answered_into_silence", _said(ring))
        if (ring.ended_at is None and ring.answered_at is None) or (
            (ring.ended_at or end) - ring.rang_at > timedelta(minutes=3) and not ring.answered_at
        ):
            verdict.add("rings_for_ever", _said(ring))
    _noes(record, [*rows.suppressed, *told.noes], verdict)
    _gaps(record, rows, verdict)
    for attempt, outcome in told.outcomes:
        if rows.outcomes.get(attempt) != outcome:
            verdict.add("outcome_lost", f"{attempt}: {outcome}, kept {rows.outcomes.get(attempt)}")
    return verdict


QUIET_WITHIN = timedelta(seconds=2)
"""Who was granted less, or nothing more, is out of the room within this time."""


def judge_voices(
    verdict: Verdict,
    voices: Sequence[Voice],
    supervisors: Sequence[Supervisor],
    rows: Rows,
    end: datetime,
    slack: timedelta = QUIET_WITHIN,
) -> None:
    """Every stay of a listener in a room, held against what she asked for and may."""
    by_line = {one.line: one for one in supervisors}
    for who in supervisors:
        for grant in who.granted:
            if grant.level >= 0 and MODES[grant.level] not in who.modes:
                verdict.add("heard_without_right", f"{who.line} was granted {MODES[grant.level]}")
    for voice in voices:
        found = by_line.get(voice.line)
        seat = int(voice.room.split("-")[1])
        said = f"{voice.line} in {voice.room} from {voice.since.astimezone(UTC).isoformat()}"
        if found is None or not _granted(found.granted, voice, seat, voice.until or end, slack):
            verdict.add("heard_without_right", f"without a grant, or louder: {said}")
        elif found.department not in (None, rows.seats.get(seat)):
            verdict.add("heard_without_right", f"another department: {said}")
        elif len(voice.heard_by) > 1:
            verdict.add("heard_without_right", f"by the next person too: {said}")


def _granted(
    granted: Sequence[Asked], voice: Voice, seat: int, until: datetime, slack: timedelta
) -> bool:
    """Whether every moment of the stay was granted, at least so loud, but for a change's own time.

    A change has begun when it was asked for, and is done `slack` after the server's answer.
    """
    if not granted or voice.since < granted[0].at:
        return False
    for one, after in zip_longest(granted, granted[1:]):
        ends = until if after is None else min(after.at, until)
        enough = one.seat == seat and one.level >= voice.level
        if not enough and max(one.told + slack, voice.since) < ends:
            return False
    return True


def _said(ring: Ring) -> str:
    return f"attempt {ring.label} rang {ring.rang_at.astimezone(UTC).isoformat()} ({ring.heard})"


def _is_line(ring: Ring, rows: Rows) -> bool:
    """Whether it was the telephone of a user, confirmed by then: rung without a permit. A contact's leg
    always has a label."""
    return ring.label is None and any(
        number == ring.number and since <= ring.rang_at and (until is None or ring.rang_at <= until)
        for number, since, until in rows.lines
    )


CONFIRMATION = "confirmation"
"""The path of a call that confirms a line. It goes into no room, so its leg has no label."""


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
            verdict.add("rung_without_permit", _said(ring))
        elif label in used:
            verdict.add("rung_without_permit", f"a second time: {_said(ring)}")
        used.add(label)


def without_permit(rung: Iterable[str], rows: Rows) -> Counter[str]:
    """Of the numbers in a trunk's own call record, those with neither a permit nor a confirmed line."""
    lines = {number for number, _, _ in rows.lines}
    permits = Counter(number for number, _ in rows.permits.values())
    return Counter(number for number in rung if number not in lines) - permits


def _hours(ring: Ring, rows: Rows, end: datetime, verdict: Verdict) -> None:
    """Written without the server's own rules: a Danish weekday from nine to nine, from the first ring
    to the last. An agreed call-back may ring outside the hours, and a user's telephone beside them."""
    if rows.permits.get(ring.label or "", ("", ""))[1] == "call_back":
        return
    beside = BESIDE if _is_line(ring, rows) else timedelta(0)
    begins = ring.rang_at.astimezone(HOME)
    silent_at = ring.answered_at or ring.ended_at or end
    opens = begins.replace(hour=9, minute=0, second=0, microsecond=0) - beside
    closes = begins.replace(hour=21, minute=0, second=0, microsecond=0) + beside
    if begins.weekday() > 4 or not opens <= begins < closes or silent_at > closes:
        verdict.add("outside_hours", _said(ring))


def _noes(record: Sequence[Ring], noes: Sequence[tuple[str, datetime]], verdict: Verdict) -> None:
    first: dict[str, datetime] = {}
    for number, at in noes:
        first[number] = min(at, first.get(number, at))
    for ring in record:
        no = first.get(ring.number)
        if no is None:
            continue
        if ring.rang_at > no + STOP_WITHIN:
            verdict.add("after_suppression", _said(ring))
        elif ring.answered_at is None and ring.rang_at <= no:
            silent_at = ring.ended_at
            if silent_at is None or silent_at > no + STOP_WITHIN:
                verdict.add("after_suppression", f"rang on: {_said(ring)}")


def _gaps(record: Sequence[Ring], rows: Rows, verdict: Verdict) -> None:
    """Two rings of one number within four hours, unless the second was agreed."""
    by_number: dict[str, list[Ring]] = defaultdict(list)
    for ring in record:
        if not _is_line(ring, rows):
            by_number[ring.number].append(ring)
    for rings in by_number.values():
        ordered = sorted(rings, key=lambda ring: ring.rang_at)
        for one, other in pairwise(ordered):
            path = rows.permits.get(other.label or "", ("", ""))[1]
            if path != "call_back" and other.rang_at - one.rang_at < GAP - timedelta(minutes=2):
                verdict.add("twice_within_gap", _said(other))
