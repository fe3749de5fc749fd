"""Folds a log through the specification: accepted, or every violation with its entry.

Rules about one thing are in that thing's module; here is which things an entry concerns.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from callserver.domain.behaviour import call as calls
from callserver.domain.behaviour import contact as contacts
from callserver.domain.behaviour import listening as listenings
from callserver.domain.behaviour import seat as seats
from callserver.domain.behaviour import suppression
from callserver.domain.behaviour.call import Call
from callserver.domain.behaviour.contact import Contact
from callserver.domain.behaviour.duties import Duties
from callserver.domain.behaviour.entry import Breach, Duty, Entry, Violation
from callserver.domain.behaviour.listening import Listening
from callserver.domain.behaviour.seat import Seat
from callserver.domain.behaviour.subjects import Subjects

COMPARED_FOR = timedelta(days=40)
"""How long an ended call is remembered: longer than any rest between two calls. After that only its name is
kept, so that a log of years is checked in little memory; later entries about it are not compared."""


class Checker:
    """Takes the entries in the order of the log."""

    def __init__(self) -> None:
        self.violations: list[Violation] = []
        self.counts: Counter[str] = Counter()
        self._calls: dict[str, Call] = {}
        self._by_key: defaultdict[str, list[str]] = defaultdict(list)
        self._open: set[str] = set()
        self._ended: deque[tuple[datetime, str]] = deque()
        self._forgotten: set[str] = set()
        self._compared_for = COMPARED_FOR
        self._seats: dict[str, Seat] = {}
        self._contacts: dict[str, Contact] = {}
        self._finished: set[str] = set()  # contacts
        self._subjects = Subjects()
        self._listenings: dict[str, Listening] = {}
        self._listening_to: defaultdict[str, set[str]] = defaultdict(set)  # a seat, not ended
        self._paused: set[str] = set()
        self._duties = Duties()
        self._handlers: Mapping[str, Callable[[Entry], None]] = {
            "permitted": self._permitted,
            "placed": self._reported,
            "silent": self._reported,
            "reported": self._reported,
            "declined": self._declined,
            "settled": self._asked,
            "stopped": self._stopped,
            "apologised": self._apologised,
            "seat": self._seat,
            "shift_ended": self._shift_ended,
            "outcome": self._outcome,
            "corrected": self._outcome,
            "call_back": self._call_back,
            "imported": self._reopens,
            "number_released": self._reopens,
            "identity": self._reopens,
            "suppressed": self._suppressed,
            "lift_proposed": self._subjects.lift_proposed,
            "lift_refused": self._subjects.lift_refused,
            "lifted": self._lifted,
            "marked": self._marked_as,
            "no_listener": self._marked_as,
            "mark_ended": self._mark_ended,
            "case": self._case,
            "inbound": self._inbound,
            "breaker": self._campaign,
            "listening_started": self._listening_started,
            "listening_changed": self._listening_changed,
            "listening_stopped": self._listening_stopped,
            "heard": self._heard,
        }

    @property
    def open(self) -> int:
        """Duties that are still open at the end of the log and not late yet."""
        return len(self._duties)

    def entry(self, entry: Entry) -> None:
        """One entry."""
        self.counts[entry.kind] += 1
        self.violations += self._duties.overdue(entry.at)
        self._forget(entry.at)
        handler = self._handlers.get(entry.kind)
        if handler is not None:
            handler(entry)

    # -- breaches and duties -------------------------------------------------------------------

    def _find(self, entry: Entry, breaches: Iterable[Breach]) -> None:
        for breach in breaches:
            self.violations.append(Violation(entry.number, *breach))

    def _owes(self, entry: Entry, duties: Iterable[Duty]) -> None:
        self._duties.owe(entry, duties)

    def _met(self, about: str, *rules: str) -> None:
        self._duties.meet(about, *rules)

    # -- calls ---------------------------------------------------------------------------------

    def _permitted(self, entry: Entry) -> None:
        call, breaches, owes = calls.permitted(entry)
        self._find(entry, breaches)
        if call.name in self._calls or call.name in self._forgotten:
            self._find(entry, [Breach("one-permit-one-dial", "a call with two permits")])
        if call.campaign in self._paused:
            self._find(entry, [Breach("campaign-paused", "its campaign is paused")])
        earlier = self._earlier(call)
        self._find(entry, contacts.one_at_a_time(earlier))
        if call.contact:
            known, breaches = contacts.permitted(self._contacts.get(call.contact, Contact()), call)
            self._find(entry, [*breaches, *contacts.spacing(entry, known, earlier)])
            self._contacts[call.contact] = known
        self._find(entry, self._subjects.against(call))
        self._calls[call.name] = call
        self._open.add(call.name)
        for key in call.keys:
            self._by_key[key].append(call.name)
        gap = timedelta(minutes=entry.whole("gap_minutes"))
        self._compared_for = max(self._compared_for, gap)
        self._owes(entry, owes)

    def _earlier(self, call: Call) -> list[Call]:
        """The calls to the same number, person or household."""
        names = dict.fromkeys(name for key in call.keys for name in self._by_key.get(key, ()))
        return [self._calls[name] for name in names]

    def _known(self, entry: Entry, what: str) -> Call | None:
        """The entry's call; None: it has no permit, or is forgotten."""
        name = entry.text("call")
        if name not in self._calls and name not in self._forgotten:
            self._find(entry, [Breach("permit-first", f"{what} without a permit")])
        return self._calls.get(name)

    def _forget(self, now: datetime) -> None:
        while self._ended and now - self._ended[0][0] > self._compared_for:
            call = self._calls.pop(self._ended.popleft()[1], None)
            if call is None:  # a second permit of this name was a violation already
                continue
            self._forgotten.add(call.name)
            self._open.discard(call.name)
            for key in call.keys:
                names = [name for name in self._by_key.pop(key, ()) if name != call.name]
                if names:
                    self._by_key[key] = names

    def _reported(self, entry: Entry) -> None:
        call = self._known(entry, "a call")
        if call is None:
            return
        after, breaches = calls.reported(call, entry)
        self._find(entry, breaches)
        self._calls[call.name] = after
        self._met(call.name, *calls.MET_BY_STATE.get(after.state, ()))
        if after.answered and not call.answered:
            self._owes(entry, calls.words_owed(after))
        if not after.is_open:
            if call.is_open:
                self._ended.append((entry.at, call.name))
            self._open.discard(call.name)
            self._met(call.name, "silenced", "alone")
            self._leaves_seat(entry, after)

    def _leaves_seat(self, entry: Entry, call: Call) -> None:
        seat = self._seats.get(call.seat)
        if seat is not None and seat.call == call.name:
            sentence = "the call is over, and its seat does not know"
            self._owes(entry, [Duty("seat-free", call.name, suppression.AT_ONCE, sentence)])

    def _declined(self, entry: Entry) -> None:
        self._known(entry, "a call")

    def _asked(self, entry: Entry) -> None:
        if (call := self._calls.get(entry.text("call"))) is not None:
            self._calls[call.name] = replace(call, asked=True)

    def _stopped(self, entry: Entry) -> None:
        call = self._known(entry, "a call")
        if call is None:
            return
        after, breaches, owes = calls.stopped(call, entry)
        self._find(entry, breaches)
        self._owes(entry, owes)
        self._calls[call.name] = after
        self._met(call.name, "silenced", "rings-out", "hours-over", "alone")
        if entry.text("reason") in calls.APOLOGY_TRIED:
            self._met(call.name, "apology")
        elif after.stopped == "phoner_lost":
            self._owes(entry, calls.words_owed(after))

    def _apologised(self, entry: Entry) -> None:
        self._met(entry.text("call"), "apology")

    # -- seats ---------------------------------------------------------------------------------

    def _seat(self, entry: Entry) -> None:
        name = entry.text("seat")
        seat = self._seats.get(name, Seat(name))
        call = self._calls.get(entry.text("call") or seat.call)
        if seat.state in seats.IN_CALL and entry.text("state") not in seats.IN_CALL:
            call = self._calls.get(seat.call)
        after, breaches = seats.moved(seat, entry, call)
        self._find(entry, breaches)
        self._seats[name] = after
        if after.state == "reserved" and seat.state != "reserved" and call is not None:
            self._calls[call.name] = replace(call, reserved=True)
            for at_seat in map(self._listenings.__getitem__, sorted(self._listening_to[name])):
                self._find(entry, listenings.voice_breaches(at_seat, name))
        if seat.call and after.call != seat.call:
            self._met(seat.call, "seat-free")
        self._alone(entry, after)

    def _alone(self, entry: Entry, seat: Seat) -> None:
        """The phoner is lost while a call is in hand: it is stopped, in the same transaction."""
        call = self._calls.get(seat.call)
        if call is None or seat.connected or not call.is_open or call.stopped:
            return
        sentence = "the phoner is gone, and the call goes on"
        self._owes(entry, [Duty("alone", call.name, suppression.AT_ONCE, sentence)])

    def _shift_ended(self, entry: Entry) -> None:
        name = entry.text("seat")
        self._seats[name] = replace(self._seats.get(name, Seat(name)), ends=True)

    # -- outcomes and contacts -----------------------------------------------------------------

    def _outcome(self, entry: Entry) -> None:
        call = self._known(entry, "an outcome of a call")
        if call is None:
            return
        if entry.text("before") != call.outcome or (entry.kind == "outcome" and call.outcome):
            was = call.outcome or "none"
            self._find(
                entry, [Breach("outcome-kept", f"the log has another outcome before: {was}")]
            )
        if not call.answered:
            self._find(entry, [Breach("outcome-owed", "an outcome of a call nobody answered")])
        does = entry.text("does")
        call = replace(call, outcome=entry.text("outcome"), does=does)
        self._calls[call.name] = call
        seat = self._seats.get(call.seat)
        if seat is not None:
            self._seats[call.seat] = seats.settled(seat, call)
        if call.contact:
            known = self._contacts.get(call.contact, Contact())
            after = self._contacts[call.contact] = contacts.outcome(known, entry)
            if after.finished:
                self._finished.add(call.contact)
            if does in suppression.OUTCOME_NEEDS:
                kind = suppression.OUTCOME_NEEDS[does]
                sentence = f"an outcome that is {does}, and nothing is written down ({kind})"
                duty = Duty(f"carried-out-{kind}", call.name, suppression.AT_ONCE, sentence)
                self._owes(entry, [duty])

    def _call_back(self, entry: Entry) -> None:
        name = entry.text("contact")
        self._contacts[name] = contacts.called_back(self._contacts.get(name, Contact()), entry)

    def _reopens(self, _: Entry) -> None:
        for name in self._finished:
            self._contacts[name] = contacts.reopened(self._contacts[name])
        self._finished.clear()

    # -- opt-outs and marks --------------------------------------------------------------------

    def _suppressed(self, entry: Entry) -> None:
        self._met(entry.text("call"), "carried-out-suppressed")
        self._met(f"contact {entry.text('contact')}", "key-9")
        ringing = [call for call in map(self._calls.__getitem__, self._open) if not call.answered]
        self._owes(entry, self._subjects.suppressed(entry, ringing))

    def _lifted(self, entry: Entry) -> None:
        self._find(entry, self._subjects.lifted(entry))
        self._reopens(entry)

    def _marked_as(self, entry: Entry) -> None:
        mark, call = entry.text("mark"), self._calls.get(entry.text("call"))
        self._met(entry.text("call"), "carried-out-marked")
        if mark == "abandoned" and call is not None:
            self._calls[call.name] = replace(call, abandoned=True)
        self._subjects.marked(entry)
        if mark == "consent_given":
            self._reopens(entry)

    def _mark_ended(self, entry: Entry) -> None:
        self._subjects.mark_ended(entry)
        self._reopens(entry)

    def _case(self, entry: Entry) -> None:
        self._met(entry.text("call"), "carried-out-case")

    def _inbound(self, entry: Entry) -> None:
        if entry.text("key") == "9" and entry.text("contact"):
            about = f"contact {entry.text('contact')}"
            sentence = "somebody pressed 9, and no opt-out is written down"
            self._owes(entry, [Duty("key-9", about, suppression.AT_ONCE, sentence)])

    def _campaign(self, entry: Entry) -> None:
        if entry.fields.get("paused"):
            self._paused.add(entry.text("campaign"))
        else:
            self._paused.discard(entry.text("campaign"))

    # -- listening -----------------------------------------------------------------------------

    def _listening_started(self, entry: Entry) -> None:
        self._find(entry, listenings.granted(entry))
        listening = Listening(entry.text("seat"), entry.text("mode"))
        self._listenings[entry.text("listening")] = listening
        self._listening_to[listening.seat].add(entry.text("listening"))

    def _listening_changed(self, entry: Entry) -> None:
        name = entry.text("listening")
        listening = self._listenings.get(name)
        if listening is None:
            self._find(entry, [Breach("listening-right", "a listening that has not begun")])
            return
        self._find(entry, listenings.granted(entry))
        self._listenings[name] = listenings.changed(listening, entry)

    def _listening_stopped(self, entry: Entry) -> None:
        name = entry.text("listening")
        listening = self._listenings.get(name)
        if listening is not None:
            self._listenings[name] = replace(listening, ended_at=entry.at)
            self._listening_to[listening.seat].discard(name)

    def _heard(self, entry: Entry) -> None:
        call = self._known(entry, "heard in a call")
        if call is None:
            return
        refused = self._subjects.has(call, "no_listener", listenings.heard_at(entry))
        listening = self._listenings.get(entry.text("listening"))
        self._find(entry, listenings.heard(listening, entry, call.at, refused=refused))
