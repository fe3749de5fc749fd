"""Mutants that no test can tell from the original: the line, what it becomes, and why that is the same.

They are not run and do not count; a complete run fails when one of them is no mutant any more.
"""

from collections.abc import Mapping

NEVER_NEGATIVE = "a count is never negative"
ONLY_SPEED = (
    "keys of caches: what is not taken from a cache is computed again, with the same answer"
)
SHORT_CUT = "a short cut: libphonenumber gives the same answer"
NO_PREFIX = "the library decides, and no Danish number begins so"
HAS_CODE = "a number that is read has a calling code"
POSITIVE = "numbers and keys are positive"
LEAST_ALIKE = "`different` comes before `perhaps` and `same`"
IN_REACH = "who is in reach is `same` or `unsure`, in this order"
FARTHEST = "nothing reaches farther than `unsure`"
NONE_LATER = "a short cut: without it, what is not later than now stays as it is"
NOBODYS = "nobody has a number or a key below 1"
LONG_ANSWER = "no answer that has an end is so long; the others may be of any length"
SAME_LENGTH = "the columns are of one length"
ONLY_MEMORY = "what is not remembered is looked at again, with the same answer"
LAST_MODE = "`silent` is the last of the modes by name"
FOR_TYPES = "a protocol, for type checkers only"
ONE_BY_ONE = "a short cut: one by one, the keys are the same"
ONLY_ORDER = "only the order counts; the numbers are not stored"
ONLY_NAMES = "the names are for type checkers; importing them at run time is no circle"
NO_OVERFLOW = "it only keeps a number from growing; the longest wait is reached earlier"

EQUIVALENT: Mapping[str, Mapping[tuple[str, str], str]] = {
    "callserver.domain.facts": {
        ("if TYPE_CHECKING:", "if not TYPE_CHECKING:"): ONLY_NAMES,
    },
    "callserver.domain.reach": {
        (
            "NUMBER = 0  # every contact with the number",
            "NUMBER = -1  # every contact with the number",
        ): ONLY_ORDER,
        (
            "UNSURE = 4  # and everybody who may be the person",
            "UNSURE = 5  # and everybody who may be the person",
        ): ONLY_ORDER,
    },
    "callserver.domain.suppression": {
        (
            "given = [consent for consent in past if consent.event is ConsentEvent.GIVEN and consent.phone]",
            "given = [consent for consent in past if consent.event <= ConsentEvent.GIVEN and consent.phone]",
        ): "the other event, `revoked`, comes after `given`",
        (
            "given = [consent for consent in past if consent.event is ConsentEvent.GIVEN and consent.phone]",
            "given = [consent for consent in past if consent.event >= ConsentEvent.GIVEN and consent.phone]",
        ): "no revocation is later than the last one",
        (
            "revocations = (consent.at for consent in past if consent.event is ConsentEvent.REVOKED)",
            "revocations = (consent.at for consent in past if consent.event >= ConsentEvent.REVOKED)",
        ): "the other event, `given`, comes before `revoked`",
    },
    "callserver.domain.register_match": {
        (
            "if likeness is Likeness.NONE:",
            "if likeness <= Likeness.NONE:",
        ): "nothing is less alike",
        (
            "if nearness is Nearness.SAME:",
            "if nearness >= Nearness.SAME:",
        ): "nothing is nearer",
        (
            "whole = _CUT if name.is_cut and len(name.given) < 2 else first",
            "whole = _CUT if name.is_cut and len(name.given) != 2 else first",
        ): "a person is looked up by the surname alone as well",
    },
    "callserver.domain.robinson": {
        (
            "if len(content.problems) < MOST_REFUSED_SHOWN:",
            "if len(content.problems) != MOST_REFUSED_SHOWN:",
        ): "they grow one by one",
        (
            "columns = _LAYOUT.fullmatch(text if len(text) >= _FULL_WIDTH else text.ljust(_FULL_WIDTH))",
            "columns = _LAYOUT.fullmatch(text if len(text) > _FULL_WIDTH else text.ljust(_FULL_WIDTH))",
        ): "a text of the full width is not padded",
        (
            '*(name, address, place.strip(), postal, mark != "   "),',
            '*(name, address, place.strip(), postal, mark > "   "),',
        ): "an asterisk comes after a blank",
        (
            "if len(content.problems) < MOST_REFUSED_SHOWN:",
            "if len(content.problems) is not MOST_REFUSED_SHOWN:",
        ): "they grow one by one",
    },
    "callserver.domain.opt_out_cells": {
        ("MOST_LETTERS = 60", "MOST_LETTERS = 59"): LONG_ANSWER,
        ("MOST_LETTERS = 60", "MOST_LETTERS = 61"): LONG_ANSWER,
        (
            "if field == MAY_CALL:  # a row with an unclear cell is refused",
            "if field >= MAY_CALL:  # a row with an unclear cell is refused",
        ): "no such field has a name after `may_call`",
    },
    "callserver.domain.opt_out_phrases": {
        ("MOST_REMEMBERED = 50_000", "MOST_REMEMBERED = 50001"): ONLY_MEMORY,
        ("MOST_REMEMBERED = 50_000", "MOST_REMEMBERED = 49999"): ONLY_MEMORY,
        (
            "if len(self._harmless) > MOST_REMEMBERED:",
            "if not len(self._harmless) > MOST_REMEMBERED:",
        ): ONLY_MEMORY,
        (
            "if len(self._harmless) > MOST_REMEMBERED:",
            "if len(self._harmless) is not MOST_REMEMBERED:",
        ): ONLY_MEMORY,
        (
            "return not (following and _NUMBER.fullmatch(following[0]))",
            "return not (following and _NUMBER.fullmatch(following[ -1]))",
        ): "there is one word at most",
    },
    "callserver.domain.training": {
        (
            "if not unseen or (last is None and len(unseen) < len(versions)):",
            "if not unseen or (last is None and len(unseen) is not len(versions)):",
        ): "no more are unseen than there are",
        (
            "if not unseen or (last is None and len(unseen) < len(versions)):",
            "if not unseen or (last is None and len(unseen) != len(versions)):",
        ): "no more are unseen than there are",
        (
            "while shift > least and not rules.activities_of(Level.of(shift)) <= set(progress.attended):",
            "while shift is not least and not rules.activities_of(Level.of(shift)) <= set(progress.attended):",
        ): "a shift is never below the least",
        (
            "while shift > least and not rules.activities_of(Level.of(shift)) <= set(progress.attended):",
            "while shift != least and not rules.activities_of(Level.of(shift)) <= set(progress.attended):",
        ): "a shift is never below the least",
    },
    "callserver.domain.behaviour.network": {
        (
            'entry: Entry, *, rang: bool, answered: bool, ended_as: str = ""',
            'entry: Entry, /, rang: bool, answered: bool, ended_as: str = ""',
        ): "the arguments are named wherever it is called",
    },
    "callserver.domain.behaviour.listening": {
        (
            "listening: Listening | None, entry: Entry, permit_at: datetime, *, refused: bool",
            "listening: Listening | None, entry: Entry, permit_at: datetime, /, refused: bool",
        ): "the argument is named wherever it is called",
        (
            "allowed = max(allowed, LOUDNESS.get(mode, 0))",
            "allowed = max(allowed, LOUDNESS.get(mode, -1))",
        ): "what is allowed is never below 0",
    },
    "callserver.domain.behaviour.call": {
        (
            'ordered=call.ordered or entry.kind == "placed",',
            'ordered=call.ordered or entry.kind <= "placed",',
        ): "the other kinds, `reported` and `silent`, come after `placed`",
    },
    "callserver.domain.behaviour.seat": {
        (
            'if talked and not call.outcome and to != "wrapping_up":',
            'if talked and not call.outcome and to < "wrapping_up":',
        ): "no state has a name after `wrapping_up`",
    },
    "callserver.domain.contact": {
        (
            "rows = zip(refs, numbers, names, spaces, strict=True)",
            "rows = zip(refs, numbers, names, spaces, strict=False)",
        ): SAME_LENGTH,
        (
            "return list(starmap(ContactRow, zip(*self, strict=True)))",
            "return list(starmap(ContactRow, zip(*self, strict=False)))",
        ): SAME_LENGTH,
        (
            'at, space = self._at.get("ref", -1), self._at.get("namespace", -1)',
            'at, space = self._at.get("ref", ~1), self._at.get("namespace", -1)',
        ): "any negative number is no column",
        (
            'at, space = self._at.get("ref", -1), self._at.get("namespace", -1)',
            'at, space = self._at.get("ref", -1), self._at.get("namespace", - 2)',
        ): "any negative number is no column",
        (
            "person = subject.person_key(cells[at].strip(), 0, None, namespace)",
            "person = subject.person_key(cells[at].strip(), -1, None, namespace)",
        ): "the number is used without a reference only",
    },
    "callserver.domain.names": {
        (
            "if name > other:  # one order, so that the answer does not depend on it",
            "if name is not other:  # one order, so that the answer does not depend on it",
        ): "in either order the answer is the same",
        (
            "if name > other:  # one order, so that the answer does not depend on it",
            "if name <= other:  # one order, so that the answer does not depend on it",
        ): "in either order the answer is the same",
    },
    "callserver.domain.judging": {
        (
            'if wrong and entry["kind"] == "permitted":',
            'if wrong and entry["kind"] <= "permitted":',
        ): "a decision is `permitted` or `refused`",
    },
    "callserver.domain.addresses": {
        (
            'has_digits = any(character.isdigit() and character != "0" for character in text)',
            'has_digits = any(character.isdigit() and character > "0" for character in text)',
        ): "no digit comes before 0",
        (
            "if tail_match is None or not _WORD.search(text, 0, tail_match.start()):",
            "if tail_match is None or not _WORD.search(text, -1, tail_match.start()):",
        ): "a search begins at 0 at the earliest",
    },
    "callserver.domain.leaving": {
        (
            "repeated = next((key for key in keys if keys.count(key) > 1), None)",
            "repeated = next((key for key in keys if keys.count(key) != 1), None)",
        ): "each of them is there once at least",
        (
            "def state_of(left_at: datetime | None, *, announced: bool, complete: bool) -> LeavingState:",
            "def state_of(left_at: datetime | None, /, announced: bool, complete: bool) -> LeavingState:",
        ): "the arguments are named wherever it is called",
        ("*,", "/,"): "the argument is named wherever it is called",
    },
    "callserver.domain.merkle": {
        ("return level[0]", "return level[ -1]"): "the last level has one node",
        (
            "aligned = size & -size or 1 << 62",
            "aligned = size & -size or 1 << 63",
        ): "no log has so many entries",
        (
            "aligned = size & -size or 1 << 62",
            "aligned = size & -size or 1 << 61",
        ): "no log has so many entries",
    },
    "callserver.domain.pseudonyms": {
        ('elif kind == "hash":', 'elif kind <= "hash":'): "no kind has a name before `hash`",
    },
    "callserver.domain.listening": {
        (
            "return mode is not Mode.SILENT or seat in IN_CALL",
            "return mode < Mode.SILENT or seat in IN_CALL",
        ): LAST_MODE,
        (
            'if entry["kind"] == EntryKind.LISTEN_DENIED:',
            'if entry["kind"] <= EntryKind.LISTEN_DENIED:',
        ): "no kind of these has a name before `listen_denied`",
        (
            "as_trainee = facts.mode is Mode.SILENT and Action.LISTEN_TO_MENTOR in facts.rights",
            "as_trainee = facts.mode >= Mode.SILENT and Action.LISTEN_TO_MENTOR in facts.rights",
        ): LAST_MODE,
        (
            "return Mode.SILENT if mode is Mode.JOIN and seat is not SeatState.TALKING else mode",
            "return Mode.SILENT if mode >= Mode.JOIN and seat is not SeatState.TALKING else mode",
        ): LAST_MODE,
    },
    "callserver.domain.case": {
        (
            "if case.kind not in TWO_NAMES or case.state is not CaseState.DRAFTED or case.drafted is None:",
            "if case.kind not in TWO_NAMES or case.state < CaseState.DRAFTED or case.drafted is None:",
        ): "the state after `drafted` is `open`, in which there is no draft",
        (
            "if case.kind is not CaseKind.OPT_OUT or case.state is not CaseState.OPEN:",
            "if case.kind < CaseKind.OPT_OUT or case.state is not CaseState.OPEN:",
        ): "no kind has a name after `opt_out`",
    },
    "callserver.domain.line": {
        (
            "elif unanswered % UNANSWERED_IN_A_ROW == 0:",
            "elif unanswered % UNANSWERED_IN_A_ROW <= 0:",
        ): NEVER_NEGATIVE,
    },
    "callserver.domain.subject": {
        ("", "def number(self) -> int: ..."): FOR_TYPES,
        ("", "def person(self) -> int: ..."): FOR_TYPES,
        ("", "def household(self) -> int: ..."): FOR_TYPES,
        (
            'if ref[-1:] == "0" and (whole := _FLOAT.fullmatch(ref.strip())):',
            'if ref[-1:] >= "0" and (whole := _FLOAT.fullmatch(ref.strip())):',
        ): "a short cut: the pattern ends with 0",
        (
            "return person_keys([ref], [number], [name], namespace)[0]",
            "return person_keys([ref], [number], [name], namespace)[ -1]",
        ): "there is one",
        ("if not all(refs):", "if  all(refs):"): ONE_BY_ONE,
        ("if not all(refs):", "if not not all(refs):"): ONE_BY_ONE,
    },
    "callserver.domain.loosening_hours": {
        (
            "if not closed & {text, text[-5:]}:  # 12-24 every year covers 2026-12-24",
            "if not closed & {text, text[+5:]}:  # 12-24 every year covers 2026-12-24",
        ): "a day has five characters or ten",
        (
            "if not closed & {text, text[-5:]}:  # 12-24 every year covers 2026-12-24",
            "if not closed & {text, text[5:]}:  # 12-24 every year covers 2026-12-24",
        ): "a day has five characters or ten",
    },
    "callserver.domain.attempt_limits": {
        ("_MOST_DOUBLINGS = 20", "_MOST_DOUBLINGS = 21"): NO_OVERFLOW,
        ("_MOST_DOUBLINGS = 20", "_MOST_DOUBLINGS = 19"): NO_OVERFLOW,
        (
            "if self.count == 0 or now - self.last > FORGOTTEN_AFTER:",
            "if self.count <= 0 or now - self.last > FORGOTTEN_AFTER:",
        ): NEVER_NEGATIVE,
        (
            "if excess < 0 or now - tried.last > FORGOTTEN_AFTER:",
            "if excess < -1 or now - tried.last > FORGOTTEN_AFTER:",
        ): "with one free attempt left the wait is int(first / 2), no time at all",
        (
            "if self._over(tried, now) or tried.count == 0:",
            "if self._over(tried, now) or tried.count <= 0:",
        ): NEVER_NEGATIVE,
    },
    "callserver.domain.call": {
        (
            "if report is Report.ANSWERED and answered_at is None:",
            "if report <= Report.ANSWERED and answered_at is None:",
        ): "no report's name comes before `answered`",
    },
    "callserver.domain.seat": {
        (
            "if seat.wants is S.WAITING and reason != PLANNED:",
            "if seat.wants >= S.WAITING and reason != PLANNED:",
        ): "a seat wants `waiting`, `paused` or `off`, in this order from the end of the alphabet",
        (
            "return replace(seat, state=S.RINGING) if seat.state is S.RESERVED else seat",
            "return replace(seat, state=S.RINGING) if seat.state <= S.RESERVED else seat",
        ): "no state that accepts this event has a name before `reserved`",
    },
    "callserver.domain.identity": {
        ("match is Match.UNSURE", "match >= Match.UNSURE"): IN_REACH,
        ("if key == NOBODY:", "if key <= NOBODY:"): POSITIVE,
        (
            "if len(matches) == 1 and len(own) == 1 and own[0].contact == start.contact:",
            "if len(matches) <= 1 and len(own) == 1 and own[0].contact == start.contact:",
        ): "the contact's own key is among them",
        (
            "if before is None or (before is Match.UNSURE and reached is Match.SAME):",
            "if before is None or (before >= Match.UNSURE and reached is Match.SAME):",
        ): IN_REACH,
        (
            "if row.number == other.number != NOBODY:",
            "if row.number == other.number > NOBODY:",
        ): POSITIVE,
        (
            "elif not is_unsure and row.household == other.household != NOBODY:",
            "elif not is_unsure and row.household == other.household > NOBODY:",
        ): POSITIVE,
        (
            "is_unsure = names.compare(row.name, other.name) is not Likeness.DIFFERENT",
            "is_unsure = names.compare(row.name, other.name) > Likeness.DIFFERENT",
        ): LEAST_ALIKE,
        (
            "is_same = self._matches[key] is Match.SAME",
            "is_same = self._matches[key] <= Match.SAME",
        ): IN_REACH,
        (
            "def _neighbours(self, key: int, *, is_same: bool) -> dict[int, Match]:",
            "def _neighbours(self, key: int, /, is_same: bool) -> dict[int, Match]:",
        ): "the argument is named wherever it is called",
        (
            "same=frozenset(key for key, match in others.items() if match is Match.SAME),",
            "same=frozenset(key for key, match in others.items() if match <= Match.SAME),",
        ): IN_REACH,
        (
            "unsure=frozenset(key for key, match in others.items() if match is Match.UNSURE),",
            "unsure=frozenset(key for key, match in others.items() if match >= Match.UNSURE),",
        ): IN_REACH,
        (
            "and names.compare(row.name, start.name) is not Likeness.DIFFERENT",
            "and names.compare(row.name, start.name) > Likeness.DIFFERENT",
        ): LEAST_ALIKE,
    },
    "callserver.domain.policy": {
        (
            'both = isinstance(old, dict) and isinstance(value, dict) and key != "windows"',
            'both = isinstance(old, dict) and isinstance(value, dict) and key < "windows"',
        ): "no block has a name after `windows`",
        (
            'date.fromisoformat(day if len(day) == 10 else f"2024-{day}")',
            'date.fromisoformat(day if len(day) >= 10 else f"2024-{day}")',
        ): "a day has five characters or ten",
        (
            "@classmethod",
            "def _ordinary_too(cls, kinds: tuple[NumberKind, ...]) -> tuple[NumberKind, ...]:",
        ): "Pydantic makes a validator a class method by itself",
    },
    "callserver.domain.phone": {
        (
            "for prefix in map(str, range(2000, 10000))",
            "for prefix in map(str, range( 2001, 10000))",
        ): NO_PREFIX,
        (
            "for prefix in map(str, range(2000, 10000))",
            "for prefix in map(str, range( 1999, 10000))",
        ): NO_PREFIX,
        (
            "for prefix in map(str, range(2000, 10000))",
            "for prefix in map(str, range(2000, 10001))",
        ): "a prefix of five digits is equal to no prefix of four",
        (
            'if region == "DK" and len(digits) == 8 and digits[0] != "+":',
            'if region == "DK" and len(digits) == 8 and digits[0] == "+":',
        ): SHORT_CUT,
        (
            'if region == "DK" and len(digits) == 8 and digits[0] != "+":',
            'if region == "DK" and len(digits) == 8 and digits[0] < "+":',
        ): SHORT_CUT,
        (
            'if region == "DK" and len(digits) == 8 and digits[0] != "+":',
            'if region == "DK" and len(digits) == 8 and digits[0] > "+":',
        ): "digits come after a plus sign",
        (
            "return len(groups[-1]) == 1 and any(len(group) > 1 for group in groups)",
            "return len(groups[-1]) <= 1 and any(len(group) > 1 for group in groups)",
        ): "no group is empty",
        (
            "return len(groups[-1]) == 1 and any(len(group) > 1 for group in groups)",
            "return len(groups[-1]) == 1 and any(len(group) != 1 for group in groups)",
        ): "no group is empty",
        (
            "if phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.UNKNOWN:",
            "if phonenumbers.number_type(parsed) >= phonenumbers.PhoneNumberType.UNKNOWN:",
        ): "no type has a greater number",
        (
            "if parsed.country_code != NANP:",
            "if parsed.country_code > NANP:",
        ): "1 is the smallest calling code",
        (
            "return phonenumbers.region_code_for_country_code(parsed.country_code or 0)",
            "return phonenumbers.region_code_for_country_code(parsed.country_code or 1)",
        ): HAS_CODE,
        (
            "return phonenumbers.region_code_for_country_code(parsed.country_code or 0)",
            "return phonenumbers.region_code_for_country_code(parsed.country_code or -1)",
        ): HAS_CODE,
        (
            'return " ".join(national[at : at + 2] for at in range(0, 8, 2))',
            'return " ".join(national[at : at + 2] for at in range(0, 7, 2))',
        ): "the last pair begins at 6",
    },
    "callserver.domain.hours": {
        (
            "if not place.zones or any(_zone(name) is None for name in place.zones):",
            "if not place.zones and any(_zone(name) is None for name in place.zones):",
        ): "without it the search finds nothing either, later: such a place is never open",
        (
            'return Place(None if country == "-" else country, tuple(zones.split(",")) if zones else ())',
            'return Place(None if country <= "-" else country, tuple(zones.split(",")) if zones else ())',
        ): "letters come after a hyphen",
        (
            "return isinstance(other, _Hours) and other.policy is self.policy",
            "return isinstance(other, _Hours) or other.policy is self.policy",
        ): ONLY_SPEED,
        (
            "return isinstance(other, _Hours) and other.policy is self.policy",
            "return isinstance(other, _Hours) and other.policy is not self.policy",
        ): ONLY_SPEED,
        (
            "return isinstance(other, _Hours) and other.policy is self.policy",
            "return isinstance(other, _Hours) and other.policy != self.policy",
        ): ONLY_SPEED,
    },
    "callserver.engine.gate.gate": {
        (
            "keys = reach.keys if REGISTER.reach >= Reach.UNSURE else reach.same",
            "keys = reach.keys if REGISTER.reach is Reach.UNSURE else reach.same",
        ): FARTHEST,
        (
            "keys = reach.keys if REGISTER.reach >= Reach.UNSURE else reach.same",
            "keys = reach.keys if REGISTER.reach == Reach.UNSURE else reach.same",
        ): FARTHEST,
        (
            "def register_as(issued_at: datetime | None, *, listed: bool, unsure: bool) -> f.Register:",
            "def register_as(issued_at: datetime | None, /, listed: bool, unsure: bool) -> f.Register:",
        ): "the arguments are named wherever it is called",
        (
            "row = dial_facts.of(tx, campaign.name, 0, 0, None, since, _register(rules, campaign))",
            "row = dial_facts.of(tx, campaign.name, -1, 0, None, since, _register(rules, campaign))",
        ): NOBODYS,
        (
            "row = dial_facts.of(tx, campaign.name, 0, 0, None, since, _register(rules, campaign))",
            "row = dial_facts.of(tx, campaign.name, 0, -1, None, since, _register(rules, campaign))",
        ): NOBODYS,
    },
    "callserver.engine.gate.availability": {
        (
            'times.append((at, "next_contact" if at == due[0] else "window_closed"))',
            'times.append((at, "next_contact" if at <= due[0] else "window_closed"))',
        ): "`opens_from` gives no instant before the one it is asked from",
        (
            "due_now = reason.until is not None and reason.until <= now",
            "due_now = reason.until is not None and reason.until == now",
        ): "`why_nothing` gives no instant before now",
    },
    "callserver.engine.gate.explanation": {
        (
            "path = DialPath.CALL_BACK if contact.status == ContactStatus.CALL_BACK else DialPath.EXPLAIN",
            "path = DialPath.CALL_BACK if contact.status <= ContactStatus.CALL_BACK else DialPath.EXPLAIN",
        ): "no status has a name before `call_back`",
        (
            "return int(digits) if digits.isascii() and 0 < len(digits) <= 15 else 0",
            "return int(digits) if digits.isascii() and 0 != len(digits) <= 15 else 0",
        ): "a length is never negative",
        ("id=0,", "id= -1,"): NOBODYS,
        ("tries=0,", "tries= -1,"): "the gate does not ask how often a contact was tried",
        ("tries=0,", "tries= 1,"): "the gate does not ask how often a contact was tried",
    },
    "callserver.engine.gate.stored_facts": {
        (
            "persons = reach.keys if ATTEMPTS.reach >= Reach.UNSURE else reach.same",
            "persons = reach.keys if ATTEMPTS.reach is Reach.UNSURE else reach.same",
        ): FARTHEST,
        (
            "persons = reach.keys if ATTEMPTS.reach >= Reach.UNSURE else reach.same",
            "persons = reach.keys if ATTEMPTS.reach == Reach.UNSURE else reach.same",
        ): FARTHEST,
        (
            "callback_for=contact.callback_for if request.path is DialPath.CALL_BACK else None,",
            "callback_for=contact.callback_for if request.path <= DialPath.CALL_BACK else None,",
        ): "no path's name comes before `call_back`",
        (
            'if kind != "person" or about == own:',
            'if kind < "person" or about == own:',
        ): "the other kinds, `hash`, `household` and `number`, come before `person`",
        (
            "if max(instants, default=now) <= now:",
            "if max(instants, default=now) == now:",
        ): NONE_LATER,
        (
            "if max(instants, default=now) <= now:",
            "if max(instants, default=now) < now:",
        ): NONE_LATER,
    },
}
