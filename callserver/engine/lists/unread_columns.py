"""Finds unread columns whose cells look like an opt-out or a country.

Headings have many languages and abbreviations, so these columns are recognised by their content.
"""

import re
from collections.abc import Iterable, Sequence

from callserver.domain import countries, flag_headings, heading_words, opt_out_cells
from callserver.domain.addresses import is_placeholder

MOST_OTHER = 2
"""Different cells beside yes and no that a column of flags may hold: `ved ikke`, `?`."""


_ABROAD = re.compile(r"udland(et)?|utland(et)?|utlandet|ausland|abroad|overseas|foreign")


class UnreadColumns:
    """Follows the unread columns through a file, chunk by chunk."""

    def __init__(self, header: Sequence[str], unread: Iterable[int], region: str) -> None:
        """`unread`: the columns that nobody has said anything about. `region`: of numbers without a
        country; ZZ: the file names the countries itself."""
        self._header, self._region = header, region
        flags = (at for at in unread if flag_headings.may_be_a_flag(header[at]))
        self._flags: dict[int, set[str]] = {at: set() for at in flags}  # their different cells
        self._countries = set() if region == "ZZ" else set(unread)
        self._named = {at for at in self._countries if heading_words.field(header[at]) == "country"}
        self._abroad: set[int] = set()  # columns that name another country than the region

    def note(self, cells: dict[int, set[str]]) -> None:
        """The different cells of each column in a part of the file."""
        for at in tuple(self._flags):
            said = self._flags[at]
            said |= {text for cell in cells[at] if (text := cell.strip().casefold())}
            others = [text for text in said if not opt_out_cells.is_yes_or_no(text)]
            if len(others) > MOST_OTHER or any(text.isdigit() for text in others):
                del self._flags[at]
        for at in tuple(self._countries):
            said = {cell for cell in cells[at] if cell.strip()}
            if at in self._named:  # by its heading: 47 is a country as well
                regions = set(map(countries.region, said))
            else:
                regions = {
                    country
                    for cell in said
                    if (country := _country(cell)) is not None or not is_placeholder(cell)
                }
                if None in regions:
                    self._countries.discard(at)
                    continue
            if regions - {self._region}:
                self._abroad.add(at)

    def flags(self) -> list[str]:
        """Headings of columns that hold only yes and no, and may say who must not be called."""
        return [self._header[at] for at in sorted(self._flags) if self._is_set(at)]

    def _is_set(self, at: int) -> bool:
        """Whether the column holds mostly yes and no, and someone has the flag."""
        said = self._flags[at]
        yes_or_no = set(filter(opt_out_cells.is_yes_or_no, said))
        if not yes_or_no or 2 * len(yes_or_no) < len(said):
            return False
        return bool(said & opt_out_cells.YES) or heading_words.is_about_calls(self._header[at])

    def countries(self) -> list[str]:
        """Headings of columns that hold only countries, and not only the list's own."""
        return [self._header[at] for at in sorted(self._countries & self._abroad)]


def _country(cell: str) -> str | None:
    """A country's name, code or calling code; a plain number of one to three digits may be anything."""
    text = cell.strip()
    if _ABROAD.fullmatch(text.casefold()):
        return "ZZ"
    has_letters = any(map(str.isalpha, text))
    is_calling_code = text.startswith(("+", "00"))
    if not (has_letters and len(text) > 1) and not is_calling_code:
        return None
    return countries.region(text)
