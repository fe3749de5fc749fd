"""Recognises a known person whose reference came with other leading zeros: a spreadsheet makes 121 of 00121.

Two references that differ so may also be two people: only where the names agree is the person taken for the same.
"""

from collections.abc import Iterable

from callserver.database import staged_rows
from callserver.domain import names, subject
from callserver.domain.names import Likeness
from callserver.engine.lists.reader import ListReader
from callserver.ports import Tx


def recognise(tx: Tx, listed: ListReader) -> None:
    """Give staged rows the key of the known person."""
    known = {
        _bare_key(ref, space): (person, name)
        for ref, space, person, name in staged_rows.known_padded(tx)
        if ref.isdigit() and person == subject.person_key(ref, 0, None, space)
    }
    staged = staged_rows.padded(tx) if listed.is_padded else []
    padded = {person: _bare_key(ref, space) for ref, space, person in staged if ref.isdigit()}
    if not known and not padded:
        return
    known = {**staged_rows.known_names(tx, padded.values()), **known}
    as_listed = staged_rows.known_names(tx, {*known, *padded})
    same: dict[int, int] = {  # the key that the list gives -> the known person's
        key: person for key, (person, _) in known.items() if key not in as_listed
    }
    keys: list[tuple[int, int]] = []
    for line, person, name in staged_rows.persons(tx):
        found = known.get(padded.get(person, person))
        if found is None or person in as_listed:
            continue
        if name and found[1] and names.compare(name, found[1]) is not Likeness.DIFFERENT:
            same[person] = found[0]
            keys.append((line, found[0]))
        else:
            same.pop(person, None)
    listed.merge(staged_rows.rekey(tx, keys))
    say_of_both(listed, same)


def _bare_key(ref: str, namespace: str) -> int:
    return subject.person_key(ref.lstrip("0"), 0, None, namespace)


def say_of_both(listed: ListReader, same: dict[int, int]) -> None:
    """What the list says of the person, also in a row that is refused, holds under the known key."""
    opt_outs = listed.opt_outs
    opt_outs.persons |= _others(same, opt_outs.persons)
    opt_outs.dead |= _others(same, opt_outs.dead)
    listed.refused += [
        row._replace(person=same[row.person])
        for row in listed.refused
        if row.person is not None and row.person in same
    ]
    listed.consents = [
        consent._replace(person=same.get(consent.person, consent.person))
        for consent in listed.consents
    ]


def _others(same: dict[int, int], persons: Iterable[int]) -> set[int]:
    return {same[person] for person in persons if person in same}
