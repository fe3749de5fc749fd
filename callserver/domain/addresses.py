"""Whether an address identifies a household, or is only a placeholder."""

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
    """Whether a cell says only that its value is unknown."""
    words = _LETTERS.findall(text.casefold())
    has_digits = any(character.isdigit() and character != "0" for character in text)
    if not words:
        return not has_digits
    return not has_digits and all(_UNKNOWN.fullmatch(word) for word in words)


@lru_cache(maxsize=65536)
def is_no_address(text: str) -> bool:
    """Whether it identifies no household: a street and a house number need letters and a digit."""
    words = _LETTERS.findall(text.casefold())
    known_words = [word for word in words if not _UNKNOWN.fullmatch(word)]
    return not known_words or not any(character.isdigit() for character in text)
