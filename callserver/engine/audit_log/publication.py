"""Copies the log out of the server every minute: to the published folder, to witnesses and, by the operator's
command, to another place. What fails raises an alarm and is tried again in the next round.

Witnesses are asked before the checkpoint is published, so that it appears with their signatures. A checkpoint
is published even if signatures are missing: the log must leave the server in any case.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from callserver.database import log_copies
from callserver.domain import checkpoint, signed_note
from callserver.domain.alarm import CopyTarget
from callserver.domain.signed_note import Note, Signature
from callserver.engine.audit_log import cosigning
from callserver.engine.audit_log.publishing import Publisher
from callserver.engine.audit_log.sealing import Sealer
from callserver.engine.background import Background
from callserver.errors import ConfigurationProblem
from callserver.ports import Clock, Store, Timestamps, Tx, Witness

log = structlog.get_logger(__name__)

EVERY = timedelta(minutes=1)
STAMPED_EVERY = timedelta(hours=1)


class CopyCommand(Protocol):
    """The operator's command that copies the folder elsewhere."""

    async def run(self) -> str:
        """Run the command. Returns why it failed; empty: it succeeded."""
        ...


class Publication:
    """Publishes the sealed entries. The caller holds the scheduler's lease."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        background: Background,
        publisher: Publisher,
        witnesses: Sequence[Witness] = (),
        quorum: int = 0,
        command: CopyCommand | None = None,
        timestamps: Timestamps | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._background = background
        self._publisher = publisher
        self._witnesses = witnesses
        self._quorum = quorum
        self._command = command
        self._timestamps = timestamps
        self._due: datetime | None = None
        self._running = False

    def start_if_due(self) -> datetime:
        """Start a round in the background if it is due. Returns when the next one is due."""
        now = self._clock.now()
        if self._due is None or not now < self._due <= now + EVERY:
            self._due = now + EVERY
            if not self._running:
                self._running = True
                self._background.start(self._round())
        return self._due

    async def _round(self) -> None:
        try:
            await self.publish()
        finally:
            self._running = False

    async def publish(self) -> None:
        """Run one round."""
        await self._store.run(lambda tx: log_copies.keep(tx, self._targets()))
        try:
            note = await self._store.read(self._publisher.write_tiles)
            if note is None:
                return
            size = checkpoint.parse(note.text).size
            signatures = await self._cosignatures(note, size)
            note = signed_note.with_signatures(note, signatures)
            await asyncio.to_thread(self._publisher.put, note)
        except (ConfigurationProblem, OSError) as error:
            log.warning("log_not_published", why=str(error))
            await self._failed(CopyTarget.FOLDER, type(error).__name__)
            return
        await self._succeeded(CopyTarget.FOLDER, size)
        await self._stamp(note, size)
        if self._command is not None:
            why = await self._command.run()
            if why:
                log.warning("log_not_copied", why=why)
                await self._failed(CopyTarget.COMMAND, why)
            else:
                await self._succeeded(CopyTarget.COMMAND, size)

    async def _stamp(self, note: Note, size: int) -> None:
        """Have the authority stamp the checkpoint once an hour, before the folder is copied elsewhere."""
        if self._timestamps is None:
            return
        rows = {row.target: row for row in await self._store.read(log_copies.every)}
        known, now = rows.get(CopyTarget.TIMESTAMPS), self._clock.now()
        succeeded = known if known is not None and known.failing_since is None else None
        if succeeded is not None and (
            succeeded.size == size
            or (succeeded.at or now) <= now < (succeeded.at or now) + STAMPED_EVERY
        ):
            return
        content = str(note).encode()
        answer = await self._timestamps.stamp(content)
        if not answer:
            await self._failed(CopyTarget.TIMESTAMPS, "none")
            return
        await asyncio.to_thread(self._publisher.put_timestamp, size, content, answer)
        await self._succeeded(CopyTarget.TIMESTAMPS, size)

    def _targets(self) -> list[str]:
        targets = [CopyTarget.HEADS.value, CopyTarget.FOLDER.value]
        if self._command is not None:
            targets.append(CopyTarget.COMMAND)
        if self._timestamps is not None:
            targets.append(CopyTarget.TIMESTAMPS)
        if self._witnesses:
            targets.append(CopyTarget.WITNESSES)
        return targets + [_target(witness) for witness in self._witnesses]

    async def _cosignatures(self, note: Note, size: int) -> list[Signature]:
        """Every witness's signature of this checkpoint, earlier and new ones."""
        if not self._witnesses:
            return []
        rows = {row.target: row for row in await self._store.read(log_copies.every)}
        signatures = await asyncio.gather(
            *(
                self._cosignature(witness, note, size, rows.get(_target(witness)))
                for witness in self._witnesses
            )
        )
        given = [signature for signature in signatures if signature is not None]
        if len(given) >= self._quorum:
            await self._succeeded(CopyTarget.WITNESSES, size)
        else:
            await self._failed(CopyTarget.WITNESSES, str(len(given)))
        return given

    async def _cosignature(
        self, witness: Witness, note: Note, size: int, known: log_copies.LogCopyRow | None
    ) -> Signature | None:
        if known is not None and known.signature and known.size == size:
            (signature,) = signed_note.parse_signatures(known.signature)
            if signed_note.holds(note.text, signature, witness.key):
                return signature
        known_size = 0 if known is None else known.size
        answer = await cosigning.ask(witness, self._publisher.log, note, known_size)
        if isinstance(answer, cosigning.NotCosigned):
            log.warning("log_not_cosigned", witness=witness.key.name, why=answer.reason)
            await self._failed(_target(witness), answer.reason)
            return None
        await self._succeeded(_target(witness), size, str(answer))
        return answer

    async def _succeeded(self, target: str, size: int, signature: str = "") -> None:
        now = self._clock.now()

        def note(tx: Tx) -> None:
            log_copies.succeeded(tx, target, size, now, signature)

        await self._store.run(note)

    async def _failed(self, target: str, reason: str) -> None:
        now = self._clock.now()
        await self._store.run(lambda tx: log_copies.failed(tx, target, reason, now))


async def seal_and_publish(sealer: Sealer, publication: Publication) -> datetime:
    """Seal and publish what is due. Returns when more is due."""
    try:
        sealed = await sealer.seal()
    finally:  # what is sealed is published, though the heads file cannot be written
        published = publication.start_if_due()
    return min(sealed, published)


def _target(witness: Witness) -> str:
    return f"{CopyTarget.WITNESS.value}{witness.key.name}"
