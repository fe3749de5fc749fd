"""Reads the cells of columns about opt-outs, deaths and permission. In doubt the person is not called."""

import re
from functools import lru_cache

from callserver.domain.heading_words import MAY_CALL

YES = frozenset(
    {
        "ja",
        "j",
        "yes",
        "y",
        "1",
        "1.0",
        "true",
        "t",
        "x",
        "sand",
        "sandt",
        "on",
        "wahr",
        "sant",
        "✓",
    }
)
NO = frozenset(
    {"nej", "n", "no", "0", "0.0", "false", "f", "falsk", "off", "", "falsch", "nein", "nei"}
)
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
