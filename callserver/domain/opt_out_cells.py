"""Reads the cells of columns about opt-outs, deaths and permission. In doubt the person is not called."""

import re
from functools import lru_cache

from callserver.domain.heading_words import DECEASED, DO_NOT_CALL, MAY_CALL, field, words

YES = frozenset(
    {"ja", "j", "yes", "y", "1", "1.0", "true", "t", "x", "sand", "sandt", "on", "wahr"}
)
NO = frozenset({"nej", "n", "no", "0", "0.0", "false", "f", "falsk", "off", "", "falsch"})
LONGEST_STATUS = 40
"""In characters; a longer cell is a note."""

_NOT_SET = frozenset({"allow", "allowed", "tillad", "tilladt", "0000-00-00", "0000-00-00 00:00:00"})
_DATE = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}([T ][0-9:.Z+-]{1,20})?", re.ASCII)


def is_yes_or_no(cell: str) -> bool:
    """Whether the cell says yes or no."""
    text = cell.strip().casefold()
    return bool(text) and (text in YES or text in NO or text in _NOT_SET)


@lru_cache(maxsize=4096)
def read(field: str, cell: str) -> bool | None:
    """Whether the cell opts the person out: None: it does not. True: clearly. False: it says neither yes
    nor no, which counts as an opt-out."""
    text = cell.strip().casefold()
    if field == MAY_CALL:  # a row with an unclear cell is refused
        return True if text and text in NO else None
    if text in NO or text in _NOT_SET:
        return None
    return text in YES or _DATE.fullmatch(text) is not None


@lru_cache(maxsize=4096)
def is_status_against_calls(cell: str) -> bool:
    """Whether a cell alone says that the person must not be called, whatever its column: `Ring ikke`.

    A single word is not enough, except for a death: a plain "no" may be about anything.
    """
    if len(cell) > LONGEST_STATUS:
        return False
    meaning = field(cell)
    return meaning == DECEASED or (meaning == DO_NOT_CALL and len(words(cell)) > 1)
