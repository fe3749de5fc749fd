"""Recognises a known person whose Salesforce id came in its other form: 15 characters, or 18 with a checksum.

Reports show the short form, data exports the long one. The checksum leaves no doubt, whatever the name is.
"""

from callserver.database import staged_rows
from callserver.domain import subject
from callserver.engine.lists import padded_references
from callserver.engine.lists.reader import ListReader
from callserver.ports import Tx


def recognise(tx: Tx, listed: ListReader) -> None:
    """Give staged rows the key of the known person, and rows in both forms one key."""
    if not listed.has_long_ids:
        return
    others = {
        person: subject.person_key(form, 0, None, space)
        for ref, space, person in staged_rows.of_length(tx, 15, 18)
        if (form := subject.other_form(ref)) and person == subject.person_key(ref, 0, None, space)
    }
    known = staged_rows.known_names(tx, others.values())
    as_listed = staged_rows.known_names(tx, others)
    same = {
        person: other
        for person, other in others.items()
        if person not in as_listed and (other in known or (other in others and other < person))
    }
    keys = [(line, same[key]) for line, key, _ in staged_rows.persons(tx) if key in same]
    listed.merge(staged_rows.rekey(tx, keys))
    padded_references.say_of_both(listed, same)
