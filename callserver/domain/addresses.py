"""Whether an address tells a household, or says only that none is known."""

import re
from functools import lru_cache

_LETTERS = re.compile(r"[^\W\d_]+(?:/[^\W\d_]+)*")
_UNKNOWN = re.compile(
    r"ukendt|unknown|ingen|none|null|na|n/a|nil|mangler|missing|hemmelig|hemmeligt|hidden"
    r"|secret|ukendte|adresse|address|beskyttet|adressebeskyttet|adressebeskyttelse"
    r"|navnebeskyttet|fraflyttet|flyttet|retur|returpost|oplyst|ikke|ej|uoplyst|not"
    r"|provided|given|available|tbd|tba|test|no|bopæl|fast|uden|hjemløs|homeless"
    r"|undisclosed|withheld|udeladt|tom|blank|empty|slettet|deleted|navne|og"
    r"|adressebeskyttet|bekendt|kendes|x|xx|xxx|xxxx"
)


def is_placeholder(text: str) -> bool:
    """Whether a cell says only that something is not known."""
    words = _LETTERS.findall(text.casefold())
    digits = any(sign.isdigit() and sign != "0" for sign in text)
    if not words:
        return not digits
    return not digits and all(_UNKNOWN.fullmatch(word) for word in words)


@lru_cache(maxsize=65536)
def is_no_address(text: str) -> bool:
    """Whether no household can be told by it: a street and a house need letters and a digit."""
    words = _LETTERS.findall(text.casefold())
    known = [word for word in words if not _UNKNOWN.fullmatch(word)]
    return not known or not any(sign.isdigit() for sign in text)
