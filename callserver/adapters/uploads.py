"""Uploaded files: kept in a folder that is not served, readable by their sender only."""

import asyncio
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from callserver.errors import NotFound


class Uploads:
    """One folder. A file's name holds its time, its user and an unguessable token."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def receiving(self, user: int, now: datetime) -> Iterator["Receiving"]:
        """A new file, written piece by piece; it is removed after any error."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        token = secrets.token_hex(16)
        path = self._folder / f"{int(now.timestamp())}-{user}-{token}.csv"
        path.touch(mode=0o600)
        try:
            with path.open("wb") as file:
                yield Receiving(token, file.write)
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def read(self, token: str, user: int, most: int = -1) -> bytes:
        """A file, or its first `most` bytes.

        Raises:
            NotFound: the user has no file with that token.
        """
        with self._path(token, user).open("rb") as file:
            return file.read(most)

    def convert(self, token: str, user: int, conversion: Callable[[bytes], bytes]) -> None:
        """Replace a file's content by what the conversion makes of it."""
        path = self._path(token, user)
        raw = path.read_bytes()
        converted = conversion(raw)
        if converted is not raw:
            path.write_bytes(converted)

    def size(self, token: str, user: int) -> int:
        return self._path(token, user).stat().st_size

    def drop(self, token: str, user: int) -> None:
        self._path(token, user).unlink(missing_ok=True)

    async def drop_older(self, before: datetime) -> int:
        """Remove the files that were uploaded before that instant; how many."""
        return await asyncio.to_thread(self._drop_older, before)

    def _drop_older(self, before: datetime) -> int:
        dropped = 0
        for path in self._folder.glob("*-*-*.csv"):
            received = path.name.partition("-")[0]
            if received.isdigit() and int(received) < before.timestamp():
                path.unlink(missing_ok=True)
                dropped += 1
        return dropped

    async def drop_containing(self, words: Sequence[bytes]) -> int:
        """Remove every file in which one of the byte strings occurs; how many."""
        return await asyncio.to_thread(self.drop_containing_now, words)

    def drop_containing_now(self, words: Sequence[bytes]) -> int:
        """The same, in the caller's thread."""
        dropped = 0
        for path in self._folder.glob("*-*-*.csv"):
            content = path.read_bytes()
            if any(word in content for word in words):
                path.unlink(missing_ok=True)
                dropped += 1
        return dropped

    def _path(self, token: str, user: int) -> Path:
        if len(token) == 32 and token.isascii() and token.isalnum():
            for path in self._folder.glob(f"*-{user}-{token}.csv"):
                return path
        raise NotFound("the file is not there any more; send it again", key="upload_gone")


class Receiving:
    """A file during its upload."""

    def __init__(self, token: str, write: Callable[[bytes], int]) -> None:
        self.token = token
        self.size = 0
        self._write = write

    def add(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self._write(chunk)
