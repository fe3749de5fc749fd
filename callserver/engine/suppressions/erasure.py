"""Erasure deletes everything about a person, except what keeps them from being called again.

The rest is listed in `REMAINS` and identifies nobody. docs/data-protection.md describes when the data leaves
the files.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any

from callserver.database import (
    audit,
    erasure,
    former_identifiers,
    look_ups,
    marks,
    openings,
    pseudonymous_keys,
    register_people,
)
from callserver.database.cases import forget_words
from callserver.database.contacts import Contact
from callserver.domain import phone, subject
from callserver.domain.audit import EntryKind
from callserver.domain.facts import Scope
from callserver.domain.identity import NOBODY
from callserver.domain.marks import MarkKind
from callserver.domain.reason import Reason
from callserver.engine.identity.known_at import Someone
from callserver.engine.identity.silencing import silence
from callserver.engine.suppressions import opt_outs
from callserver.engine.suppressions.opt_outs import Origin
from callserver.errors import Impossible
from callserver.ports import Tx

LONGEST_CALL = timedelta(days=2)
"""Longer than any call and any downtime of the scheduler."""

REMAINS = ("hash", "keys", "calls", "cases", "log", "register")
"""What remains, as keys of sentences in the catalogues (erased.…)."""


@dataclass(frozen=True, slots=True)
class Erased:
    """How much was deleted. `words`: the person's name and numbers as files may hold them; for
    removing uploads, never for a log."""

    contacts: tuple[int, ...]
    calls: int
    words: tuple[bytes, ...]


def erase(
    tx: Tx, number: int, known: Sequence[Contact], secret: bytes, by: str, now: datetime
) -> Erased:
    """Erase a person from every list, and keep keyed hashes of their numbers, which still protect them.

    A ringing telephone is silenced. Open calls and cases are unlinked and emptied by `finish` when they have
    ended.

    `known`: the person's rows on every list; none: those who had the number and are on no list any more.

    Raises:
        Impossible: the server has no key, so a hash would protect nobody.
    """
    if not secret:
        raise Impossible(
            "CALLSERVER_KEY is not set: nobody erased could be recognised", key="no_key"
        )
    known_as: Sequence[Someone] = known or former_identifiers.at_number(tx, number)
    persons = {row.person for row in known_as}
    formerly = former_identifiers.numbers_of(tx, persons)
    numbers = sorted({number, *(row.number for row in known), *formerly} - {NOBODY})
    origin = Origin(by=by, at=now)
    hashes: list[tuple[int, str]] = []
    marked: dict[int, tuple[int, str]] = {}
    for key in numbers:
        hashed = subject.of_hash(key, secret)
        hashes.append((marks.mark(tx, hashed, MarkKind.ERASED, now), hashed))
        opt_outs.add(tx, [Scope.HASH], key, known, secret, origin)
    for person in sorted(persons):
        about = subject.of_person(person)
        marked[person] = marks.mark(tx, about, MarkKind.ERASED, now), about
    silence(tx, [subject.of_person(person) for person in persons], now)
    ids = [row.id for row in known]
    unlinked = erasure.unlink_calls(tx, persons, ids)
    alone = [key for key in numbers if not erasure.others_at(tx, key, persons)]
    openings.forget(tx, ids, alone)
    look_ups.forget(tx, ids)
    hidden: list[int] = []
    for key in alone:
        unlinked += erasure.unlink_calls_to(tx, key)
        hidden += erasure.replace_number(tx, subject.of_number(key), subject.of_hash(key, secret))
        erasure.drop_refused_number(tx, key)
    words = _words(numbers, known_as)
    erasure.drop_refused_rows(tx, words)
    erasure.forget_contacts(tx, ids, Reason.PERSON_ERASED.value)
    former_identifiers.forget_people(tx, persons)
    register_people.forget_people(tx, persons)
    erasure.forget_cases(tx, numbers, persons, ids, _addresses(numbers, known))
    of_contacts = [(row.id, [marked[row.person]]) for row in known]
    rest = hashes if known else [*hashes, *marked.values()]
    _log(tx, now, by, of_contacts or [(None, [])], rest, hidden)
    return Erased(tuple(ids), unlinked, words)


def _log(
    tx: Tx,
    now: datetime,
    by: str,
    of_contacts: Sequence[tuple[int | None, list[tuple[int, str]]]],
    rest: list[tuple[int, str]],
    hidden: list[int],
) -> None:
    """An entry for each contact with its own marks. The first names the rest too, in as many entries as it takes.

    `hidden`: suppressions of a number that are the hash's from now on.
    """
    others = zip_longest(opt_outs.parts(rest) or [[]], opt_outs.parts(hidden), fillvalue=())
    (rows, hashed), *more = others
    (contact, own), *contacts = of_contacts
    entries = [(contact, [*rows, *own], hashed)]
    entries += [(other, own, ()) for other, own in contacts]
    entries += [(contact, [*rows], hashed) for rows, hashed in more]
    for concerned, named, of_number in entries:
        fields: dict[str, Any] = {
            "mark": MarkKind.ERASED.value,
            "rows": pseudonymous_keys.rows(tx, named),
            "hashed": list(of_number),
        }
        audit.append(tx, now, EntryKind.MARKED, contact=concerned, by=by, **fields)


def finish(tx: Tx, secret: bytes, now: datetime) -> int:
    """Erase ended calls and cases that were open when their person was erased. Returns how many."""
    persons, hashes = erasure.erased_since(tx, now - LONGEST_CALL)
    begun = now - 2 * LONGEST_CALL  # the earliest of those that were open then
    unlinked = erasure.unlink_calls(tx, persons, (), begun)
    for number in erasure.numbers_without_contact(tx, now - LONGEST_CALL) if hashes else ():
        if subject.of_hash(number, secret) in hashes:
            unlinked += erasure.unlink_calls_to(tx, number)
    return unlinked + forget_words(tx, _closed_since_erased(tx, secret))


def _closed_since_erased(tx: Tx, secret: bytes) -> list[int]:
    """The closed cases of people who were erased after the case was opened."""
    closed = erasure.closed_with_words(tx)
    hashes = {
        case: subject.of_hash(number, secret)
        for case, number, _, is_erased in closed
        if number is not None and is_erased is None
    }
    erased_at = erasure.erased_at(tx, sorted(set(hashes.values())))

    def is_forgotten(case: int, opened_at: datetime) -> bool:
        at = erased_at.get(hashes.get(case, ""))
        return at is not None and at >= opened_at

    return [
        case
        for case, _, opened_at, is_erased in closed
        if is_erased or is_forgotten(case, opened_at)
    ]


def _addresses(numbers: Sequence[int], known: Sequence[Contact]) -> set[str]:
    """Where answers to the person are sent: their numbers, and the e-mail addresses of the lists."""
    fields = (str(value) for row in known for value in (row.fields or {}).values())
    emails = {value.strip().lower() for value in fields if "@" in value}
    return {phone.from_int(number) for number in numbers} | emails


def _words(numbers: Sequence[int], known: Sequence[Someone]) -> tuple[bytes, ...]:
    """The person's name and numbers, in the encodings used by lists."""
    texts = {row.name for row in known if row.name}
    for key in numbers:
        whole = phone.from_int(key)
        national = whole.removeprefix("+45")
        texts |= {whole[1:], national, " ".join(national[at : at + 2] for at in range(0, 8, 2))}
    encoded = set()
    for text in texts:
        for encoding in ("utf-8", "utf-16-le", "windows-1252"):
            encoded.add(text.encode(encoding, "ignore"))
    return tuple(sorted(word for word in encoded if len(word) > 3))
