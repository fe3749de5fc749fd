"""The signed heads outside the database: one file, a line of JSON for each head, the oldest first.

Log rotation or an administrator may move or truncate the file while the server runs. What is
missing is then written again from the database; what the file still holds stays as it is, because
it is evidence.
"""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import structlog

from callserver.domain import signed_heads

log = structlog.get_logger(__name__)

TAIL_BYTES = 4 * 1024 * 1024
"""Holds the last line: a head of 5,000 entries has 0.33 MB."""

State = tuple[int, int, int]


class HeadsFile:
    """Knows which entries its heads cover; looks again whenever somebody else changed the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._state: State | None = None  # inode, bytes and time of change after the last look
        self._first = 0
        self._size = 0

    def covers(self) -> tuple[int, int]:
        """The first entry that a head covers, and how many entries lie before the end of the last.

        A last line that a crash has torn is removed. A file that holds something else is moved aside.
        """
        state = self._stat()
        if state is None or state != self._state:
            was = self._size
            self._first, self._size = self._read()
            if self._first > 0 or self._size < was:
                log.warning("heads_file_cut", file=str(self._path), covered=self._size, was=was)
            self._state = self._stat()
        return self._first, self._size

    def append(self, lines: list[bytes]) -> None:
        """Add heads; durable when this returns."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._state = None  # if this breaks off, a torn line is there to be removed
        with self._path.open("ab") as file:
            file.writelines(line + b"\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())
        self._size = signed_heads.parse(lines[-1]).size
        self._state = self._stat()

    def restore(self, lines: Iterable[bytes]) -> None:
        """Put heads before those that the file holds; all of them or none."""
        made = self._path.with_name(f".{self._path.name}.new")
        with made.open("wb") as file:
            file.writelines(line + b"\n" for line in lines)
            with self._path.open("rb") as kept:
                shutil.copyfileobj(kept, file)
            file.flush()
            os.fsync(file.fileno())
        made.chmod(self._path.stat().st_mode & 0o777)
        made.replace(self._path)
        self._first, self._state = 0, self._stat()

    def leave_as_it_is(self) -> None:
        """The missing heads are not in the database either: verification reports it."""
        self._first = 0

    def _stat(self) -> State | None:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_size, status.st_mtime_ns

    def _read(self) -> tuple[int, int]:
        if not self._path.exists():
            return 0, 0
        with self._path.open("rb") as file:
            first = file.readline()
            begins = max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES)
            file.seek(begins)
            tail = file.read()
        ends = tail.rfind(b"\n") + 1
        if ends < len(tail):
            os.truncate(self._path, begins + ends)
        lines = tail[:ends].splitlines()
        if not lines or not first.endswith(b"\n"):
            return 0, 0
        try:
            return signed_heads.parse(first).first, signed_heads.parse(lines[-1]).size
        except ValueError:
            aside = self._path.with_name(f"{self._path.name}.unreadable")
            self._path.replace(aside)
            log.exception("heads_file_unreadable", file=str(self._path), moved_to=str(aside))
            return 0, 0
