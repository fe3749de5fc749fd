"""A list's headings: which column holds which field, and which columns are our own additions.

Only names of columns; what stands in their cells is read in contact.py.
"""

from collections.abc import Mapping, Sequence

from callserver.domain import subject

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
