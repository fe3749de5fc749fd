"""Seals the audit log every few seconds, in one process at a time, separately from writing.

Entries get their leaf numbers here, in the order in which they became visible, so the order of commits need
not be known. Every signed head is also written to a file: a log that is truncated together with its heads can
be detected only from outside.
"""

import asyncio
import contextlib
import os
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from callserver.database import audit, heads, log_copies
from callserver.database.unavailable import UNAVAILABLE
from callserver.domain import signed_heads
from callserver.domain.alarm import CopyTarget
from callserver.domain.audit import stamp
from callserver.engine.audit_log.heads_file import HeadsFile
from callserver.errors import ConfigurationProblem
from callserver.ports import Clock, Store, Tx

EVERY = timedelta(seconds=5)
NEWEST = 20
"""How many heads may show that the log is this key's."""

MOST = 5000
"""The most entries in one head, numbered in one transaction."""


def load_key(path: Path) -> Ed25519PrivateKey:
    """The sealing key. If both halves are absent, it is created, and its public half written beside it.

    Raises:
        ConfigurationProblem: the file holds no key, or it is missing or another one while its public half is
            there: a log that goes on under another key cannot be verified as one.
    """
    public = path.with_suffix(".pub")
    was_made = public.exists()  # asked first: another process may be making both
    if not path.exists():
        if was_made:
            raise ConfigurationProblem(
                f"{path} is missing, and the log was sealed with it: put it back. If it is lost, keep {public} under"
                " another name and start again: another key begins another log"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        raw = Ed25519PrivateKey.generate().private_bytes(
            Encoding.Raw, PrivateFormat.Raw, NoEncryption()
        )
        handle, part = tempfile.mkstemp(dir=path.parent)  # readable by the owner only
        with os.fdopen(handle, "w") as file:
            file.write(raw.hex())
        with contextlib.suppress(FileExistsError):  # another process has created it
            os.link(part, path)
        Path(part).unlink()
    try:
        key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text().strip()))
    except ValueError:
        raise ConfigurationProblem(f"{path} holds no sealing key") from None
    known = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    if not public.exists():
        handle, part = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "w") as file:
            file.write(known)
        Path(part).replace(public)  # whole, for other processes
    elif was_made and public.read_text().strip() != known:
        raise ConfigurationProblem(
            f"{path} is not the key of {public}, with which the log was sealed: put that one back"
        )
    return key


def continues_log(tx: Tx, path: Path) -> None:
    """Whether the log of this database was sealed with this key, or with a former one whose public half was
    kept beside it under another name.

    One head that verifies is enough: that entries were changed since is what verification says.

    Raises:
        ConfigurationProblem: it was not. Two keys in one log, from two machines for instance, spoil it.
    """
    known = [load_key(path).public_key()]
    for file in path.parent.glob(f"{path.stem}.pub.*"):
        with contextlib.suppress(ValueError):
            known.append(
                Ed25519PublicKey.from_public_bytes(bytes.fromhex(file.read_text().strip()))
            )
    newest = heads.newest(tx, NEWEST)
    if newest and not any(head.is_signed_by(key) for head in newest for key in known):
        raise ConfigurationProblem(
            f"the log of this database was sealed with another key than {path}: put that one there. Every server on"
            f" a database needs the same. If it is lost, put its public half there as {path.stem}.pub.until-2026-11-30"
            " (a backup holds it)"
        )


class _Sealed(NamedTuple):
    entries: int
    first: int
    line: bytes  # of the head


class Sealer:
    """Seals new entries. The caller holds the scheduler's lease."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        key: Path,
        outside: Path,
        rolled_back: Callable[[Tx], None] = lambda _: None,
    ) -> None:
        """`rolled_back` is called when the database lacks sealed entries, so an older one has replaced it."""
        self._store = store
        self._rolled_back = rolled_back
        self._clock = clock
        self._key_file = key
        self._key = load_key(key)
        self._newest = -1  # the size of the newest head that this process made
        self._outside = HeadsFile(outside)
        self._due: datetime | None = None

    async def seal(self) -> datetime:
        """Seal new entries if it is due. Returns when it is due next."""
        now = self._clock.now()
        if self._due is not None and now < self._due <= now + EVERY:
            return self._due
        try:
            await self._look_outside()  # first: it may show that the database lacks sealed entries
            newest = None
            while (sealed := await self._store.run(self._seal)) is not None:
                newest = sealed
                if sealed.entries < MOST:
                    break
            await self._bring_outside(newest)
        except UNAVAILABLE:
            raise
        except OSError as error:
            await self._note_file(type(error).__name__, now)
            raise
        await self._note_file("", now)
        self._due = now + EVERY
        return self._due

    async def _note_file(self, why: str, now: datetime) -> None:
        """Note for health and alarms that the file takes no heads; the entries are sealed in the database then."""
        if bool(why) == await self._store.read(
            partial(log_copies.is_failing, target=CopyTarget.HEADS)
        ):
            return

        def note(tx: Tx) -> None:
            if why:
                log_copies.failed(tx, CopyTarget.HEADS, why, now)
            else:
                log_copies.succeeded(tx, CopyTarget.HEADS, self._outside.size, now)

        await self._store.run(note)

    def _seal(self, tx: Tx) -> _Sealed | None:
        entries = audit.unsealed(tx, MOST)
        if entries:
            last = audit.last_head(tx)
            if last is not None and last.size != self._newest:
                continues_log(tx, self._key_file)
            if self._outside.size > (0 if last is None else last.size):
                self._rolled_back(tx)
                return None  # a second head of the same size would fork the log
            head = signed_heads.seal(
                last,
                [body for _, body in entries],
                stamp(self._clock.now()),
                self._key,
            )
            line = audit.seal(tx, [key for key, _ in entries], head)
            self._newest = head.size
            return _Sealed(len(entries), head.first, line)
        return None

    async def _bring_outside(self, newest: _Sealed | None) -> None:
        """Write the missing heads to the file: new ones, and any cut off at its end."""
        await self._look_outside()
        if newest is not None and newest.first == self._outside.size:
            # As it is: the database would compute its leaves again.
            self._outside.append([newest.line])
        size = self._outside.size
        while lines := await self._store.run(partial(heads.after, size=size)):
            self._outside.append(lines)
            size = signed_heads.parse(lines[-1]).size

    async def _look_outside(self) -> None:
        if self._outside.has_changed():
            await asyncio.to_thread(self._outside.look)
            await self._fill_gaps()

    async def _fill_gaps(self) -> None:
        """Restore heads cut out of the file, where the database holds them. Verification reports the rest."""
        with tempfile.TemporaryFile() as lost:
            for first, end in self._outside.gaps:
                begin, size = lost.tell(), first
                while size < end and (
                    lines := await self._store.run(partial(heads.after, size=size, last=end))
                ):
                    if size == first and signed_heads.parse(lines[0]).first != first:
                        break
                    lost.writelines(line + b"\n" for line in lines)
                    size = signed_heads.parse(lines[-1]).size
                if size != end:
                    lost.truncate(lost.seek(begin))
            if lost.tell():
                lost.seek(0)
                await asyncio.to_thread(self._outside.restore, lost)
