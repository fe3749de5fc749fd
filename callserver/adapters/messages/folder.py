"""Messages as files in a folder: what is used until a mail server is set. Nothing leaves the machine.

An e-mail is a file that a mail program opens; an SMS is a text file. Each is its own account's only.
"""

import asyncio
import os
from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path

import structlog

from callserver.adapters.messages.mail import composed
from callserver.domain.message import Delivery, Message, MessageKind

_ENDINGS = ("eml", "sms.txt")

log = structlog.get_logger(__name__)


class MessageFolder:
    """One folder. The same message again replaces its own file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, message: Message) -> Delivery:
        try:
            await asyncio.to_thread(self._write, message)
        except OSError as error:  # certainly not written under its name
            log.warning("message_not_written", message=message.key, error=type(error).__name__)
            return Delivery.LATER
        return Delivery.SENT

    async def drop_older(self, before: datetime) -> int:
        """Remove the messages that were written before that instant; how many."""
        return await asyncio.to_thread(self._drop_older, before)

    def _drop_older(self, before: datetime) -> int:
        dropped = 0
        for _, path in self._files():
            if path.stat().st_mtime < before.timestamp():
                path.unlink(missing_ok=True)
                dropped += 1
        return dropped

    def keys(self) -> list[int]:
        """The messages of which there is a file, finished or not."""
        return sorted({key for key, _ in self._files()})

    def drop(self, keys: Collection[int]) -> None:
        """Remove the files of these messages."""
        for key, path in self._files():
            if key in keys:
                path.unlink(missing_ok=True)

    def _files(self) -> Iterator[tuple[int, Path]]:
        for path in self._folder.glob("*"):
            key, _, ending = path.name.removeprefix(".").removesuffix(".new").partition(".")
            if key.isdecimal() and ending in _ENDINGS:
                yield int(key), path

    def _write(self, message: Message) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if message.kind is MessageKind.EMAIL:
            name, content = f"{message.key:08}.eml", composed(message, "").as_bytes()
        else:
            name, content = (
                f"{message.key:08}.sms.txt",
                f"{message.to}\n\n{message.text}\n".encode(),
            )
        unfinished = self._folder / f".{name}.new"
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._folder / name)
