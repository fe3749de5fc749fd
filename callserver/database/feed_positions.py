"""Positions in the audit log, as a page keeps them to resume its stream of updates."""

import hashlib
import re
from typing import NamedTuple

from callserver.domain.audit import BIGGEST_ID

DIGEST_BYTES = 6

_CURSOR = re.compile(r"([0-9]{1,19})-([0-9]{1,19})", re.ASCII)
_POSITION = re.compile(f"(.+)-([0-9a-f]{{{2 * DIGEST_BYTES}}})", re.ASCII)


class Cursor(NamedTuple):
    """A position in the log: PostgreSQL's transaction (0 on SQLite), and the entry's id."""

    tx: int
    id: int

    def __str__(self) -> str:
        return f"{self.tx}-{self.id}"

    @staticmethod
    def parse(text: str) -> "Cursor | None":
        """The inverse of str(); None for any other text."""
        match = _CURSOR.fullmatch(text)
        if match is None:
            return None
        cursor = Cursor(int(match[1]), int(match[2]))
        return cursor if max(cursor) <= BIGGEST_ID else None


class Position(NamedTuple):
    """The last entry that a follower knows; without a digest, only its place."""

    at: Cursor
    digest: str = ""

    def __str__(self) -> str:
        return f"{self.at}-{self.digest}" if self.digest else str(self.at)

    @staticmethod
    def parse(text: str) -> "Position | None":
        """The inverse of str(); None for any other text."""
        match = _POSITION.fullmatch(text)
        at = Cursor.parse(match[1] if match else text)
        return None if at is None else Position(at, match[2] if match else "")


def digest_of(body: bytes) -> str:
    """Tells an entry from another one at the same place of another log."""
    return hashlib.blake2b(body, digest_size=DIGEST_BYTES).hexdigest()
