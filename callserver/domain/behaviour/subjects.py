"""What the log says about each subject: its opt-outs, marks and consents, and what is proposed to be lifted."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from callserver.domain.behaviour import suppression
from callserver.domain.behaviour.call import Call
from callserver.domain.behaviour.entry import Breach, Duty, Entry
from callserver.domain.behaviour.suppression import Lift, OptOut


class Subjects:
    """Opt-outs and marks by row, and by the pseudonymous key of their subject."""

    def __init__(self) -> None:
        self._opt_outs: dict[int, OptOut] = {}
        self._opt_outs_of: defaultdict[str, list[int]] = defaultdict(list)
        self._marks: dict[int, tuple[str, str]] = {}  # row -> key, mark
        self._marked: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._marked_at: dict[tuple[str, str], datetime] = {}  # the first in force
        self._consented: dict[str, datetime] = {}
        self._lifts: dict[str, Lift] = {}

    def against(self, call: Call) -> list[Breach]:
        """A permit against everything that is known of its number, person and household."""
        rows = [row for key in call.keys for row in self._opt_outs_of.get(key, ())]
        opt_outs = [self._opt_outs[row] for row in rows]
        consents = [self._consented[key] for key in call.keys if key in self._consented]
        counts = [self._marked[key] for key in call.keys if key in self._marked]
        marks = [mark for count in counts for mark in count if count[mark] > 0]
        return [
            *suppression.call_breaches(call, opt_outs, max(consents, default=None)),
            *suppression.mark_breaches(marks),
        ]

    def has(self, call: Call, mark: str, at: datetime) -> bool:
        """Whether the mark is in force and was so at this time."""
        return any(
            self._marked[key][mark] > 0 and self._marked_at[key, mark] <= at
            for key in call.keys
            if key in self._marked
        )

    def suppressed(self, entry: Entry, ringing: Iterable[Call]) -> list[Duty]:
        """Opt-outs are written down; which telephones must be silent now."""
        calls, duties = list(ringing), []
        for opt_out in suppression.suppressed(entry):
            self._opt_outs[opt_out.row] = opt_out
            self._opt_outs_of[opt_out.key].append(opt_out.row)
            duties += suppression.silences(opt_out.key, calls)
        return duties

    def lift_proposed(self, entry: Entry) -> None:
        self._lifts[entry.text("lift")] = suppression.proposed(entry)

    def lift_refused(self, entry: Entry) -> None:
        lift = self._lifts.get(entry.text("lift"))
        if lift is not None:
            self._lifts[entry.text("lift")] = replace(lift, open=False)

    def lifted(self, entry: Entry) -> list[Breach]:
        lift, breaches = self._lifts.get(entry.text("lift")), []
        for row, _ in entry.rows():
            opt_out = self._opt_outs.get(row)
            if opt_out is not None:
                self._opt_outs[row], of_row = suppression.lifted(opt_out, entry, lift)
                breaches += of_row
        return breaches

    def marked(self, entry: Entry) -> None:
        mark = entry.text("mark")
        for row, key in entry.rows():
            self._marks[row] = (key, mark)
            if self._marked[key][mark] <= 0:
                self._marked_at[key, mark] = entry.at
            self._marked[key][mark] += 1
            if mark == "consent_given":
                self._consented[key] = entry.at

    def mark_ended(self, entry: Entry) -> None:
        for row, _ in entry.rows():
            key, mark = self._marks.pop(row, ("", ""))
            self._marked[key][mark] -= 1
