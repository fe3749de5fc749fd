"""What a cell of a column about noes, deaths or permission says. In doubt nobody is called."""

import re
from functools import lru_cache

from callserver.domain.heading_words import MAY_CALL

YES = frozenset(
    {"ja", "j", "yes", "y", "1", "1.0", "true", "t", "x", "sand", "sandt", "on", "wahr"}
)
NO = frozenset({"nej", "n", "no", "0", "0.0", "false", "f", "falsk", "off", "", "falsch"})
_NOT_SET = frozenset({"allow", "allowed", "tillad", "tilladt", "0000-00-00", "0000-00-00 00:00:00"})
_DATE = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}([T ][0-9:.Z+-]{1,20})?", re.ASCII)


def is_yes_or_no(cell: str) -> bool:
    """Whether the cell says yes or no at all."""
    said = cell.strip().casefold()
    return bool(said) and (said in YES or said in NO or said in _NOT_SET)


@lru_cache(maxsize=4096)
def read(field: str, cell: str) -> bool | None:
    """None: no word against calling. True: a clear no. False: neither yes nor no, which counts as a no."""
    said = cell.strip().casefold()
    if field == MAY_CALL:  # an unclear cell makes its row refused
        return True if said and said in NO else None
    if said in NO or said in _NOT_SET:
        return None
    return said in YES or _DATE.fullmatch(said) is not None
