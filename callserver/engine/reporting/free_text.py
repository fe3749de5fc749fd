"""Free text for a person's copy: without the names of anybody else."""

import re
from collections.abc import Sequence

from callserver.database import accounts, contacts
from callserver.database.contacts import Contact
from callserver.domain import subject
from callserver.ports import Tx

LEFT_OUT = "[…]"


class FreeText:
    """Free text without the names of colleagues and of others at the number or in the household."""

    def __init__(self, tx: Tx, known: Sequence[Contact]) -> None:
        own = {word for row in known for word in _words(row.name)}
        names: set[str] = {word for user in accounts.every(tx) for word in _words(user.name)}
        for row in contacts.beside(tx, known):
            names |= _words(row.name)
        self._own = own
        self._names = names - own

    def of(self, text: str) -> str:
        return re.sub(r"\w+", self._kept, text)

    def maybe(self, text: str | None) -> str | None:
        return None if text is None else self.of(text)

    def _kept(self, match: re.Match[str]) -> str:
        word = match[0]
        # A short name may also be an ordinary word, so it counts as a name only if it is capitalised.
        folded = subject.fold(word)
        stem = folded.removesuffix("s")  # Danish for "of"
        is_name = not self._names.isdisjoint((folded, stem)) and folded not in self._own
        is_name = is_name and (len(word) > 3 or word[:1].isupper())
        return LEFT_OUT if is_name else word


def _words(name: str | None) -> set[str]:
    return {word for word in re.findall(r"\w+", subject.fold(name or "")) if len(word) > 1}
