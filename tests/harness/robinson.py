"""An invented official file of Robinsonlisten: fixed columns, Latin-1, invented people."""

from collections.abc import Iterable
from typing import NamedTuple

HEADINGS = (
    "ROBINSONLISTEN".ljust(34) + "#" + "Udgivet 01.04.2026".ljust(34) + "#",
    "#".join(
        (
            *("Personnavn".ljust(34), "Standardadresse".ljust(34), "Bynavn".ljust(34)),
            *("Postnr. og postdistrikt".ljust(25), "Hist", "Komm", "Vej ", "Hus ", "Et"),
        )
    ),
)
"""The first records: a date of issue, and the columns' names."""


class Invented(NamedTuple):
    """One invented record."""

    name: str  # Efternavn,Fornavn
    address: str = "Prøvevej 12"
    postal: str = "8000 Aarhus C"
    place: str = ""
    mark: str = ""
    municipality: str = "0751"
    road: str = "1234"
    house: str = ""
    floor: str = ""

    def line(self) -> str:
        """The record in the official columns; values that are too long are cut."""
        widths = (34, 34, 34, 25, 3, 4, 4, 4, 2)
        cells = (
            *(self.name, self.address, self.place, self.postal, self.mark),
            *(self.municipality, self.road, self.house, self.floor),
        )
        cut = (cell[:width].ljust(width) for cell, width in zip(cells, widths, strict=True))
        return "#".join(cut) + "#"


def official(people: Iterable[Invented], headings: Iterable[str] = HEADINGS) -> bytes:
    """A whole file."""
    lines = [*headings, *(person.line() for person in people)]
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1")
