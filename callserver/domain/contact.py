"""One row's cells -> a contact's values | why not. Strict: what cannot be read is refused, never mended.

A refusal names the column and the reason, never the value: the reasons are printed and stored.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from json.encoder import encode_basestring as quoted
from typing import NamedTuple

from callserver.domain import hours, phone, subject
from callserver.domain.sheet import Torn

SYNONYMS: Mapping[str, str] = {
    name: field
    for field, names in {
        "phone": "phone telefon tlf tlf. mobil telefonnummer mobilnummer number nummer tel telephone mobile",
        "name": "name navn fulde_navn full_name",
        "first_name": "first_name fornavn",
        "last_name": "last_name efternavn",
        "ref": "ref reference medlemsnr medlemsnr. medlemsnummer id member_no kontakt_id",
        "household": "household husstand",
        "address": "address adresse",
        "postcode": "postcode postnr postnr. postnummer zip",
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

FIELDS = frozenset(SYNONYMS.values())

REFUSED_COLUMNS = ("line", "column", "reason", "message")
"""Stand behind the list's own columns in a file of refused rows; left out when it comes back."""

STATE_COLUMNS = ("contact", "status", "reason", "next_at", "tries")
"""Stand behind the list's own columns in an export; left out in the same way."""

_YES = {"ja": True, "j": True, "yes": True, "y": True, "1": True, "true": True}
_NO = {"nej": False, "n": False, "no": False, "0": False, "false": False, "": False}
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DANISH_DATE = re.compile(r"(\d{2})([-.])(\d{2})\2(\d{4})", re.ASCII)


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why a row was refused: the column, and a reason that holds no value."""

    column: str
    reason: str  # one of REASONS


REASONS = frozenset(
    {f"number_{problem.value}" for problem in phone.NumberProblem}
    | {
        "cells",
        "quotes",
        "nul",
        "encoding",
        "not_a_date",
        "not_yes_or_no",
        "not_a_zone",
        "not_a_rank",
    }
)
"""Every reason for which a row is refused; the texts explain each."""


class Row(NamedTuple):
    """A contact's values as the list gives them. A tuple: lists hold millions."""

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
    fields: str | None  # JSON of the other columns that hold something


@lru_cache(maxsize=65536)
def as_date(text: str) -> str | None:
    """ISO form of an ISO date or a Danish one (DD-MM-YYYY, DD.MM.YYYY); None of nothing.

    Raises:
        ValueError: it is none. A slash is refused: 03/04/2025 is another day in another country.
    """
    text = text.strip()
    if not text:
        return None
    if found := _DANISH_DATE.fullmatch(text):
        day, _, month, year = found.groups()
        return date(int(year), int(month), int(day)).isoformat()
    if not _ISO.fullmatch(text):
        raise ValueError("neither YYYY-MM-DD nor DD-MM-YYYY")
    return date.fromisoformat(text).isoformat()


@lru_cache(maxsize=4096)
def _place(number: str, zone: str | None) -> str:
    return str(hours.place_of(number, zone))


def _place_text(number: str, zone: str | None) -> str:
    if zone is None and number.startswith("+45"):
        return "DK Europe/Copenhagen"  # one country, one zone: most rows, without a look-up
    return _place(number, zone)


def folded(heading: str) -> str:
    """A heading as SYNONYMS has it."""
    return subject.fold(heading).replace(" ", "_")


def mapping(header: Sequence[str], given: Mapping[str, str]) -> dict[str, int]:
    """Which column holds which field; `given` (column -> field) goes before the synonyms.

    Raises:
        ValueError: a given column or field does not exist, two columns have one name, or no column
            holds the telephone number.
    """
    names = [folded(name) for name in header]
    for name in names:
        if name and names.count(name) > 1:
            raise ValueError(f"two columns are called {name!r}; give them names of their own")
    found: dict[str, int] = {}
    for column, field in given.items():
        if folded(column) not in names:
            raise ValueError(f"there is no column {column!r}; there are {', '.join(header)}")
        if field not in FIELDS:
            raise ValueError(f"there is no field {field!r}; there are {', '.join(sorted(FIELDS))}")
        found[field] = names.index(folded(column))
    for position, name in enumerate(names):
        if name in SYNONYMS and position not in found.values():
            found.setdefault(SYNONYMS[name], position)
    if "phone" not in found:
        raise ValueError("no column holds the telephone number; name it with --map COLUMN=phone")
    return found


def own_width(header: Sequence[str]) -> int:
    """How many columns are the list's own: what comes back from us has more."""
    for ours in (REFUSED_COLUMNS, STATE_COLUMNS):
        own = len(header) - len(ours)
        if own > 0 and tuple(header[own:]) == ours:
            return own_width(header[:own])
    return len(header)


def reader(  # noqa: C901 - one straight pass: a call for each cell would double its cost
    header: Sequence[str], columns: Mapping[str, int], region: str, source: str | None
) -> Callable[[Sequence[str]], Row | RowProblem]:
    """A function from one row's cells to a Row or a RowProblem, made once for a file.

    `source`: where the contacts come from when the row does not say.
    """
    get = columns.get
    at_phone, at_ref = columns["phone"], get("ref")
    at_names = [
        at for field in ("name", "first_name", "last_name") if (at := get(field)) is not None
    ]
    at_household, at_address, at_postcode = get("household"), get("address"), get("postcode")
    at_born, at_gift, at_ended = get("born"), get("last_gift"), get("ended")
    at_member, at_source, at_zone = get("member"), get("source"), get("zone")
    width = own_width(header)
    widths = {width, len(header)}
    # What makes the household's key stays a merge field besides; a column without a heading is kept.
    kept = {get("household"), get("address"), get("postcode")}
    used = set(columns.values()) - kept
    extra = [
        (f"{json.dumps(name or f'column {at + 1}', ensure_ascii=False)}: ", at)
        for at, name in enumerate(header[:width])
        if at not in used
    ]
    parse, person_key, household_key = phone.parse, subject.person_key, subject.household_key

    def household(cells: Sequence[str]) -> str:
        if at_household is not None and (own := cells[at_household].strip()):
            return own
        if at_address is None or not (home := cells[at_address].strip()):
            return ""  # a postcode alone is a district, not a household
        return home if at_postcode is None else f"{home} {cells[at_postcode]}"

    def read(cells: Sequence[str]) -> Row | RowProblem:
        if len(cells) not in widths or type(cells) is Torn:
            return RowProblem("", "quotes" if type(cells) is Torn else "cells")
        number = parse(cells[at_phone], region)
        if not isinstance(number, str):
            return RowProblem(header[at_phone], f"number_{number.value}")
        born = gift = ended = None
        at = 0
        try:
            if at_born is not None:
                born = as_date(cells[at := at_born])
            if at_gift is not None:
                gift = as_date(cells[at := at_gift])
            if at_ended is not None:
                ended = as_date(cells[at := at_ended])
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
        if at_zone is not None and zone is not None and not place.partition(" ")[2]:
            return RowProblem(header[at_zone], "not_a_zone")
        name = " ".join(" ".join([cells[at] for at in at_names]).split())
        ref = (cells[at_ref].strip() or None) if at_ref is not None else None
        key = int(number[1:])
        fields = ", ".join([f"{text}{quoted(cells[at])}" for text, at in extra if cells[at]])
        return Row(
            key,
            person_key(ref, key, name),
            household_key(household(cells), key),
            place,
            ref,
            name or None,
            zone,
            born,
            member,
            gift,
            ended,
            (cells[at_source].strip() or source) if at_source is not None else source,
            f"{{{fields}}}" if fields else None,
        )

    return read
