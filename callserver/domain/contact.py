"""One CSV row -> a contact's values | why not. Strict: what cannot be read is refused, never mended.

A refusal names the column and the reason, never the value: the reasons are printed and stored.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from callserver.domain import hours, phone, subject

SYNONYMS: Mapping[str, str] = {
    name: field
    for field, names in {
        "phone": "phone telefon tlf mobil telefonnummer number nummer tel telephone mobile",
        "name": "name navn fulde_navn full_name",
        "first_name": "first_name fornavn",
        "last_name": "last_name efternavn",
        "ref": "ref reference medlemsnr medlemsnummer id member_no kontakt_id",
        "household": "household husstand adresse address",
        "born": "born født fodt birthday fødselsdag foedselsdag fødselsdato",
        "member": "member medlem",
        "last_gift": "last_gift sidste_gave",
        "ended": "ended ophørt ophoert udmeldt afmeldt",
        "source": "source kilde",
        "zone": "zone tidszone timezone tz",
    }.items()
    for name in names.split()
}
"""How lists head their columns, in Danish and English."""

_YES = {"ja": True, "j": True, "yes": True, "y": True, "1": True, "true": True}
_NO = {"nej": False, "n": False, "no": False, "0": False, "false": False, "": False}
_DANISH_DATE = re.compile(r"(\d{1,2})[-./](\d{1,2})[-./](\d{4})", re.ASCII)


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why a row was refused: the column, and a reason that holds no value."""

    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """A contact's values as the list gives them."""

    number: int
    person: int
    household: int
    place: str
    ref: str | None
    name: str | None
    zone: str | None
    born: str | None
    member: bool
    last_gift: str | None
    ended: str | None
    source: str | None
    fields: Mapping[str, str] | None


def as_date(text: str) -> str | None:
    """ISO form of an ISO or Danish date.

    Raises:
        ValueError: it is none.
    """
    if not text:
        return None
    if found := _DANISH_DATE.fullmatch(text):
        day, month, year = map(int, found.groups())
        return date(year, month, day).isoformat()
    return date.fromisoformat(text).isoformat()


@lru_cache(maxsize=4096)
def _place(country_zone_key: str, number: str) -> str:
    return str(hours.place_of(number, country_zone_key or None))


def _place_text(number: str, zone: str | None) -> str:
    if zone is None and number.startswith("+45"):
        return "DK Europe/Copenhagen"
    return _place(zone or "", number)


def mapping(header: Sequence[str], given: Mapping[str, str]) -> dict[str, int]:
    """Which column holds which field; `given` (column -> field) goes before the synonyms.

    Raises:
        ValueError: a given column is not there, or no column holds the telephone number.
    """
    folded = [subject.fold(name).replace(" ", "_") for name in header]
    found: dict[str, int] = {}
    for column, field in given.items():
        key = subject.fold(column).replace(" ", "_")
        if key not in folded:
            raise ValueError(f"there is no column {column!r}; there are {', '.join(header)}")
        found[field] = folded.index(key)
    for position, name in enumerate(folded):
        if name in SYNONYMS and position not in found.values():
            found.setdefault(SYNONYMS[name], position)
    if "phone" not in found:
        raise ValueError("no column holds the telephone number; name it with --map COLUMN=phone")
    return found


def reader(
    header: Sequence[str], columns: Mapping[str, int], region: str, source: str | None
) -> Callable[[Sequence[str]], Row | RowProblem]:
    """A function from one row's cells to a Row or a RowProblem, made once for a file."""
    get = columns.get
    at_phone, at_name, at_ref = columns["phone"], get("name"), get("ref")
    at_first, at_last = get("first_name"), get("last_name")
    at_household, at_member, at_source = get("household"), get("member"), get("source")
    at_zone = get("zone")
    dates = [
        (field, columns[field]) for field in ("born", "last_gift", "ended") if field in columns
    ]
    used = set(columns.values())
    extra = [(name, at) for at, name in enumerate(header) if at not in used]
    width = len(header)

    def read(cells: Sequence[str]) -> Row | RowProblem:
        if len(cells) != width:
            return RowProblem("", f"has {len(cells)} cells, the header {width}")
        number = phone.parse(cells[at_phone], region)
        if isinstance(number, phone.NumberProblem):
            return RowProblem(header[at_phone], f"number_{number.value}")
        name = cells[at_name].strip() if at_name is not None else ""
        if at_first is not None or at_last is not None:
            parts = [cells[at].strip() for at in (at_first, at_last) if at is not None]
            name = " ".join(part for part in (name, *parts) if part)
        found: dict[str, str | None] = {}
        for field, at in dates:
            try:
                found[field] = as_date(cells[at].strip())
            except ValueError:
                return RowProblem(header[at], "not_a_date")
        member = False
        if at_member is not None:
            said = cells[at_member].strip().lower()
            if said not in _YES and said not in _NO:
                return RowProblem(header[at_member], "not_yes_or_no")
            member = said in _YES
        zone = (cells[at_zone].strip() or None) if at_zone is not None else None
        place = _place_text(number, zone)
        if zone is not None and not place.partition(" ")[2]:
            return RowProblem("" if at_zone is None else header[at_zone], "not_a_zone")
        ref = (cells[at_ref].strip() or None) if at_ref is not None else None
        key = int(number[1:])
        own = cells[at_household].strip() if at_household is not None else ""
        told = cells[at_source].strip() if at_source is not None else ""
        return Row(
            number=key,
            person=subject.person_key(ref, key, name),
            household=subject.household_key(own, key),
            place=place,
            ref=ref,
            name=name or None,
            zone=zone,
            born=found.get("born"),
            member=member,
            last_gift=found.get("last_gift"),
            ended=found.get("ended"),
            source=told or source,
            fields={column: cells[at] for column, at in extra if cells[at]} or None,
        )

    return read
