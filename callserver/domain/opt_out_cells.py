"""Reads the cells of columns about opt-outs, deaths and permission. In doubt the person is not called."""

import re
from functools import lru_cache

from callserver.domain.heading_words import MAY_CALL
from callserver.domain.opt_out_phrases import says_no

MOST_LETTERS = 60
"""Of a cell that is read as an answer."""

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
        "✔",
        "☑",
    }
)
NO = frozenset(
    {"nej", "n", "no", "0", "0.0", "false", "f", "falsk", "off", "", "falsch", "nein", "nei", "☐"}
)
_NOT_SET = frozenset({"allow", "allowed", "tillad", "tilladt", "0000-00-00", "0000-00-00 00:00:00"})
_REFUSAL = re.compile(
    r"(nej|nein|nei|aldrig|never|nie|tilbagekaldt|tilbagetrukket)\b.*|no(,? thank(s| you))?[.!]*"
    r"|(denied|refused|declined|rejected|revoked|withdrawn|unsubscribed|afvist|afslået|afmeldt|fravalgt"
    r"|trukket tilbage|trukket|verweigert|abgelehnt|widerrufen|nekad|nekat|avslått|återkallat)[.!]*"
)
"""What a cell about permission says when it is a no in words, beside the phrases of opt_out_phrases.py."""
_DATE = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}([t ][0-9:.z+-]{1,20})?", re.ASCII)


def is_yes_or_no(cell: str) -> bool:
    """Whether the cell says yes or no."""
    text = cell.strip().casefold()
    return bool(text) and (text in YES or text in NO or text in _NOT_SET)


def is_answer(cell: str) -> bool:
    """Whether the cell of a column about permission says yes or no, also in words."""
    return is_yes_or_no(cell) or read(MAY_CALL, cell) is not None


@lru_cache(maxsize=4096)
def read(field: str, cell: str) -> bool | None:
    """Whether the cell opts the person out: None: it does not. True: clearly. False: it says neither yes
    nor no, which counts as an opt-out."""
    text = cell.strip().casefold()
    if field == MAY_CALL:  # a row with an unclear cell is refused
        is_no = text and (text in NO or _REFUSAL.fullmatch(text[:MOST_LETTERS]) or says_no(cell))
        return True if is_no else None
    if text in NO or text in _NOT_SET:
        return None
    return text in YES or _DATE.fullmatch(text) is not None
