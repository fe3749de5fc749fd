"""The signed heads outside the database: one file, a line of JSON for each head, the oldest first.

Log rotation or an administrator may move or truncate the file while the server runs. What is
missing is then written again from the database; every line that the file still holds stays in it,
because it is evidence.
"""

import os
import shutil
from pathlib import Path
from typing import BinaryIO

import structlog

from callserver.domain import signed_heads
from callserver.engine.audit_log.heads_index import HeadsIndex

log = structlog.get_logger(__name__)

Gap = tuple[int, int]
"""The first entry that no head covers, and the first one after it that a head covers."""

State = tuple[int, int, int]

LAST_BYTES = 1 << 20
"""More than the longest head: 5,000 leaf hashes of 64 characters."""


def last_head(path: Path) -> signed_heads.Head | None:
    """The file's last complete head, without reading the rest; None when it has none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LAST_BYTES))
            # Text after the last line break is an incomplete line.
            *lines, _ = file.read().split(b"\n")
    except (FileNotFoundError, IsADirectoryError):  # the sealer says so
        return None
    try:
        return signed_heads.parse(lines[-1]) if lines else None
    except ValueError:
        return None  # the sealer moves an unreadable file aside


def lengthen(path: Path) -> None:
    """Write every head in its long form, for a version that does not know the short one.

    Raises:
        ValueError: a line is not a head; the file is as it was.
    """
    made = path.with_name(f".{path.name}.new")
    with HeadsIndex(path) as heads, made.open("wb") as file:
        file.writelines(head.line() + b"\n" for head in heads)
        file.flush()
        os.fsync(file.fileno())
    made.chmod(path.stat().st_mode & 0o777)
    made.replace(path)


class HeadsFile:
    """The heads file and which entries it covers. It is read again whenever another process changes it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._state: State | None = None  # inode, size and time of change at the last reading
        self.size = 0  # how many entries lie before the end of the last head
        self.gaps: list[Gap] = []

    def has_changed(self) -> bool:
        """Whether another process may have changed the file since it was last read."""
        state = self._stat()
        return state is None or state != self._state

    def look(self) -> None:
        """Read the whole file, one head at a time.

        An incomplete last line, left by a crash, is removed. An unreadable file is renamed.
        """
        was = self.size
        self.gaps, self.size = self._read()
        if self.gaps or self.size < was:
            log.warning("heads_file_cut", file=str(self._path), covered=self.size, was=was)
        self._state = self._stat()

    def append(self, lines: list[bytes]) -> None:
        """Append heads. They are durable when this returns."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        seen = (0, 0) if self._state is None else self._state[:2]
        # A crash here leaves an incomplete line, which is removed at the next reading.
        self._state = None
        with self._path.open("ab") as file:
            status = os.fstat(file.fileno())
            file.writelines(line + b"\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())
        self.size = signed_heads.parse(lines[-1]).size
        if (status.st_ino, status.st_size) == seen or (seen[1] == 0 and status.st_size == 0):
            self._state = self._stat()  # otherwise it was moved or truncated after the last reading

    def restore(self, lost: BinaryIO) -> None:
        """Insert the heads of another file, all of them or none."""
        joined = self._path.with_name(f".{self._path.name}.joined")
        made = self._path.with_name(f".{self._path.name}.new")
        with joined.open("wb") as file, self._path.open("rb") as kept:
            shutil.copyfileobj(kept, file)
            shutil.copyfileobj(lost, file)
        with made.open("wb") as file, HeadsIndex(joined) as heads:
            file.writelines(line + b"\n" for line in heads.lines())
            file.flush()
            os.fsync(file.fileno())
        joined.unlink()
        made.chmod(self._path.stat().st_mode & 0o777)
        made.replace(self._path)
        self._state = self._stat()

    def _stat(self) -> State | None:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_size, status.st_mtime_ns

    def _read(self) -> tuple[list[Gap], int]:
        gaps: list[Gap] = []
        covered = 0
        try:
            with HeadsIndex(self._path) as heads:
                for first, end in heads.ranges():
                    if first > covered:
                        gaps.append((covered, first))
                    covered = max(covered, end)
                complete = heads.end
        except FileNotFoundError:
            return [], 0
        except ValueError:
            aside = self._path.with_name(f"{self._path.name}.unreadable")
            self._path.replace(aside)
            log.exception("heads_file_unreadable", file=str(self._path), moved_to=str(aside))
            return [], 0
        if complete < self._path.stat().st_size:
            os.truncate(self._path, complete)
        return gaps, covered
