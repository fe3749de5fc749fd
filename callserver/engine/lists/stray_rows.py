"""Refused rows that are about other rows: a line that says no and names nobody, and headings in the middle."""

import re
from collections.abc import Sequence

from callserver.domain import heading_words, headings
from callserver.domain.opt_out_phrases import may_say_no, says_no
from callserver.domain.sheet import Sheet
from callserver.engine.lists.doubtful_columns import MOST_SHOWN
from callserver.errors import ConfigurationProblem
from callserver.texts import InvalidInput

MOST_READ = 2000
"""Letters of a row."""
_NUMBER = re.compile(r"\d(?:[ .()-]?\d){6}")
_DIGITS = re.compile(r"\d{5}")
"""In no heading."""


def check(sheet: Sheet, line: int, cells: Sequence[str]) -> None:
    """Stop an import at a refused row that may be about the rows above or below it.

    Raises:
        ConfigurationProblem: it says no and names nobody: a line `Må ikke ringes op:`, or the rest of a note
            that was torn in two; or it holds other headings than the file's.
    """
    filled = [cell.strip() for cell in cells if cell.strip()]
    text = " ".join(filled)[:MOST_READ]
    if not _NUMBER.search(text) and (
        len(filled) == 1
        or (len(filled) == 2 and any(cell.endswith(":") for cell in filled))
        or len(cells) < headings.own_width(sheet.header)
    ):
        may_be = may_say_no(text)
        said = next(
            (cell for cell in (*filled, text) if may_be and says_no(cell[:MOST_READ])), None
        )
        if said is not None:
            _stop(InvalidInput("section_says_no", line=line, said=repr(said[:MOST_SHOWN])))
    if _DIGITS.search(text):
        return
    names = [heading_words.folded(cell) for cell in cells]
    if names != [heading_words.folded(heading) for heading in sheet.header[: len(names)]] and (
        "phone" in (fields := [heading_words.field(cell) for cell in filled])
        and len(fields) - fields.count(None) > 1
    ):
        _stop(InvalidInput("headings_again", line=line, first=sheet.header_line))


def _stop(wrong: InvalidInput) -> None:
    raise ConfigurationProblem(str(wrong)) from wrong
