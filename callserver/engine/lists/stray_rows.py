"""Refused rows that are about other rows: a line that says no and names nobody, and headings in the middle."""

from collections.abc import Sequence

from callserver.domain import heading_words
from callserver.domain.opt_out_phrases import says_no
from callserver.domain.sheet import Sheet
from callserver.engine.lists.doubtful_columns import MOST_SHOWN
from callserver.errors import ConfigurationProblem
from callserver.texts import InvalidInput


def check(sheet: Sheet, line: int, cells: Sequence[str]) -> None:
    """Stop an import at a refused row after which the others may mean something else.

    Raises:
        ConfigurationProblem: it alone says `må ikke ringes op`, or it holds other headings than the file's.
    """
    filled = [cell.strip() for cell in cells if cell.strip()]
    if len(filled) == 1 and says_no(filled[0]) and not any(map(str.isdigit, filled[0])):
        _stop(InvalidInput("section_says_no", line=line, said=repr(filled[0][:MOST_SHOWN])))
    names = [heading_words.folded(cell) for cell in cells]
    if names != [heading_words.folded(heading) for heading in sheet.header[: len(names)]] and (
        "phone" in (fields := [heading_words.field(cell) for cell in filled])
        and len(fields) - fields.count(None) > 1
    ):
        _stop(InvalidInput("headings_again", line=line, first=sheet.header_line))


def _stop(wrong: InvalidInput) -> None:
    raise ConfigurationProblem(str(wrong)) from wrong
