"""What the log says about calls, opt-outs and marks, entry by entry, and which decisions contradict it."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from callserver.domain.facts import Scope
from callserver.domain.judging import Published
from callserver.domain.marks import MarkKind
from callserver.engine.audit_log.followed_numbers import FollowedNumbers

Find = Callable[[int | None, str], None]

DIALS = frozenset({"placed", "silent", "declined", "reported"})
"""Entry kinds that show that a call was ordered: a permit must precede them."""

EXPORTED = {"call", "state", "outcome"}

IN_PERSON = {
    MarkKind.DECEASED.value: "deceased_at",
    MarkKind.GUARDIAN.value: "guardian",
    MarkKind.VULNERABLE.value: "vulnerable",
    MarkKind.ERASED.value: "erased",
    MarkKind.OUTCOME_MISSING.value: "outcome_missing",
}
"""Marks that forbid every call, each with its field of the facts."""

OF_NUMBER = frozenset({Scope.NUMBER.value, Scope.HASH.value})
NEVER_CONSENTED = frozenset({Scope.HASH.value, Scope.HOUSEHOLD.value, Scope.COMPLAINT.value})


@dataclass(slots=True)
class Call:
    """A call according to the log. `leaf`: the leaf number of its permit."""

    leaf: int
    placed: bool = False
    state: str = "placing"
    outcome: str | None = None


@dataclass(slots=True)
class OptOut:
    scope: str
    purpose: str | None
    at: str
    lifted: bool = False


def _continued(call: Call | None, name: str, entry: Mapping[str, Any]) -> Call | None:
    """The call after an entry about it that is not sealed yet."""
    kind = entry.get("kind")
    if entry.get("call") != name:
        return call
    if kind == "permitted":
        return call or Call(0)
    if call is not None and kind in DIALS:
        call.state = entry.get("state", call.state)
    elif call is not None and kind in ("outcome", "corrected"):
        call.outcome = entry.get("outcome")
    return call


def _instants(stated: Sequence[Mapping[str, Any]], scope: str) -> set[str]:
    return {row["at"] for row in stated if row.get("scope") == scope and row.get("at")}


class Followed:
    """Takes the entries in the order of the log."""

    def __init__(self, find: Find) -> None:
        self._find = find
        self.calls: dict[str, Call] = {}
        self._opt_outs: dict[int, OptOut] = {}
        self._about: defaultdict[str, dict[int, OptOut]] = defaultdict(dict)
        self._marks: dict[int, tuple[str, str]] = {}  # key and kind
        self._marked: defaultdict[str, defaultdict[str, set[int]]] = defaultdict(
            lambda: defaultdict(set)
        )
        self._seen: dict[str, set[str]] = {}  # opt-outs that appeared in facts
        self._numbers = FollowedNumbers(find)

    def entry(self, leaf: int, entry: Mapping[str, Any], published: Published | None) -> None:
        """Process one entry; a decision together with its opened facts."""
        kind = entry["kind"]
        if kind in ("permitted", "refused"):
            self._decided(leaf, entry, published)
        elif kind in DIALS:
            self._dialed(leaf, entry)
        elif kind in ("outcome", "corrected"):
            self._settled(leaf, entry)
        elif kind == "suppressed":
            for row, key in entry.get("rows") or ():
                self._suppressed(entry, row, key)
        elif kind == "lifted":
            for row, _ in entry.get("rows") or ():
                if row in self._opt_outs:
                    self._opt_outs[row].lifted = True
        elif kind in ("marked", "mark_ended", "no_listener"):
            self._mark(entry)

    # -- calls ---------------------------------------------------------------------------------

    def _dialed(self, leaf: int, entry: Mapping[str, Any]) -> None:
        call = self.calls.get(str(entry.get("call")))
        if call is None:
            self._find(leaf, f"a dial without a permit: call {entry.get('call')}")
            return
        if entry["kind"] == "placed":
            if call.placed:
                self._find(leaf, f"one permit, two dials: call {entry['call']}")
            call.placed = True
        call.state = entry.get("state", call.state)

    def _settled(self, leaf: int, entry: Mapping[str, Any]) -> None:
        call = self.calls.get(str(entry.get("call")))
        if call is None:
            self._find(leaf, f"an outcome of a call without a permit: call {entry.get('call')}")
            return
        if entry.get("before") != call.outcome:
            self._find(leaf, "the outcome before this one is not the log's")
        call.outcome = entry.get("outcome")

    def compare(self, name: str, exported: Mapping[str, Any]) -> None:
        """Compare a call's row in the database with the log."""
        known = self.calls.get(name)
        if set(exported) not in (EXPORTED, EXPORTED | {"unsealed"}):
            self._find(None, f"the line of the call {name} has other fields than a call")
            return
        call = None if known is None else replace(known)
        for entry in exported.get("unsealed", ()):
            call = _continued(call, name, entry)
        if call is None:
            self._find(None, f"the call {name} has no permit in the log")
            return
        for column, logged in (("outcome", call.outcome), ("state", call.state)):
            if exported.get(column) != logged:
                self._find(
                    None if known is None else call.leaf,
                    f"the call {name} has the {column} {exported.get(column)}, in the log {logged}",
                )

    # -- opt-outs and marks --------------------------------------------------------------------

    def _suppressed(self, entry: Mapping[str, Any], row: int, key: str | None) -> None:
        opt_out = OptOut(str(entry.get("scope")), entry.get("purpose"), str(entry["at"]))
        self._opt_outs[row] = opt_out
        if key is not None:
            self._about[key][row] = opt_out

    def _mark(self, entry: Mapping[str, Any]) -> None:
        for row, key in entry.get("rows") or ():
            if entry["kind"] == "mark_ended":
                about, mark = self._marks.pop(row, ("", ""))
                self._marked[about][mark].discard(row)
            elif key is not None:
                self._marks[row] = (key, str(entry.get("mark")))
                self._marked[key][str(entry.get("mark"))].add(row)
        for row in entry.get("hashed") or ():
            if row in self._opt_outs:
                self._opt_outs[row].scope = Scope.HASH.value

    def _has(self, mark: str, keys: list[str]) -> bool:
        return any(self._marked[key].get(mark) for key in keys if key in self._marked)

    # -- decisions -----------------------------------------------------------------------------

    def _decided(self, leaf: int, entry: Mapping[str, Any], published: Published | None) -> None:
        if entry["kind"] == "permitted":
            call = str(entry.get("call"))
            if call in self.calls:
                self._find(leaf, f"two permits for the call {call}")
            self.calls[call] = Call(leaf)
        keys = [key for key in entry.get("keys") or () if isinstance(key, str)]
        facts = None if published is None else published.facts
        self._numbers.decided(leaf, keys, None if facts is None else facts.get("num"))
        if facts is None or published is None or facts.get("error"):
            self._without_facts(leaf, entry, keys)
            return
        if "sup" in published.withheld:
            self._without_facts(leaf, entry, keys)
        else:
            self._opt_outs_in(leaf, keys, facts)
        if "person" not in published.withheld:
            person = facts.get("person") or {}
            for mark, name in IN_PERSON.items():
                if not person.get(name) and self._has(mark, keys):
                    self._find(leaf, f"the log has the mark {mark}, the facts have not")

    def _opt_outs_in(self, leaf: int, keys: list[str], facts: Mapping[str, Any]) -> None:
        """Check that the facts contain every opt-out that the log has for these keys."""
        stated = facts.get("sup") or []
        for key in keys:
            for row, opt_out in self._about.get(key, {}).items():
                now = facts.get("now")
                ends = {
                    bool(row.get("lifted_at"))
                    for row in stated
                    if row.get("scope") == opt_out.scope
                    and row.get("purpose") == opt_out.purpose
                    and row.get("at") in (opt_out.at, now)
                }
                if not ends:
                    self._find(leaf, f"the opt-out {row} is in the log, but not in the facts")
                elif ends == {True} and not opt_out.lifted:
                    self._find(leaf, f"the opt-out {row} has ended in the facts, not in the log")
        number = next((key for key in keys if key.startswith("number:")), None)
        if number is not None:
            self._not_less_than_before(leaf, number, stated, facts.get("now", ""))

    def _not_less_than_before(
        self, leaf: int, number: str, stated: Sequence[Mapping[str, Any]], now: str
    ) -> None:
        """Check that opt-outs of this number are still there, also those of lists, which have no entry each.

        An erasure turns them into hashes. A hash that was no such opt-out may be that of another number of the
        person, and reaches nobody else at this one.
        """
        of_scope = {scope: _instants(stated, scope) for scope in OF_NUMBER}
        shown, before = set().union(*of_scope.values()), self._seen.pop(number, set())
        for at in sorted(before - shown):
            self._find(leaf, f"an opt-out of {at} that earlier facts show has disappeared")
        seen = of_scope[Scope.NUMBER.value] | (before & shown)
        if seen := {at for at in seen if at < now}:
            self._seen[number] = seen

    def _without_facts(self, leaf: int, entry: Mapping[str, Any], keys: list[str]) -> None:
        """Check a permit without facts: it is wrong despite an opt-out, unless there was a consent."""
        if entry["kind"] != "permitted":
            return
        consented = self._has(MarkKind.CONSENT_GIVEN.value, keys)
        for key in keys:
            for row, opt_out in self._about.get(key, {}).items():
                answered = opt_out.scope == Scope.PURPOSE.value or (
                    consented and opt_out.scope not in NEVER_CONSENTED
                )
                if not opt_out.lifted and not answered:
                    self._find(leaf, f"a permit although the opt-out {row} is in force")
