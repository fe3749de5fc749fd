"""Keeps the country of a known person's number where a list names none: 41234567 stays Norwegian.

Lists are sent again with fewer columns. Read as a number of the list's own country, the same digits are a
stranger's.
"""

from callserver.database import staged_rows
from callserver.domain import phone
from callserver.engine.lists.reader import ListReader, open_sheet
from callserver.ports import Tx


def keep(tx: Tx, listed: ListReader, raw: bytes) -> None:
    """Give staged rows the known number that has their digits and another country's code."""
    known = {
        line: (number, place)
        for line, staged, number, place in staged_rows.renumbered(tx)
        if phone.national(staged) == phone.national(number)
    }
    if not known:
        return
    heads = listed.summary.heads
    countries = {*heads.other_countries, heads.columns.get("country", -1)} - {-1}
    for line, cells in open_sheet(raw).rows():
        if line not in known:
            continue
        numbers = [cells[at].strip(" (") for at in heads.phones if at < len(cells)]
        has_code = any(number.startswith(("+", "00")) for number in numbers)
        if has_code or any(cells[at].strip() for at in countries if at < len(cells)):
            del known[line]
    staged_rows.set_numbers(tx, known)
    listed.places.update(place for _, place in known.values())
