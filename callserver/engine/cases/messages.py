"""Sends messages to people after the commit that queued them, and retries until the result is certain.

No queued message is lost: its row is in the database, and the scheduler finds it after a crash. A message is
taken (state sending) in a separate transaction before it is handed over, so that it is never knowingly sent
twice. A process hands over one message at a time: if it dies, only that one is in doubt.
"""

import asyncio
from collections.abc import Collection
from datetime import datetime
from typing import Protocol

import structlog

from callserver.database import audit, cases, messages
from callserver.database.messages import MessageRow
from callserver.domain import case as rules_of_cases
from callserver.domain import message as states
from callserver.domain.audit import EntryKind
from callserver.domain.case import CaseEvent
from callserver.domain.message import Delivery, MessageState, MessageUse
from callserver.ports import Clock, Messages, Store, Tx

log = structlog.get_logger(__name__)

_EXPECTED = (OSError, TimeoutError)


class MessageFiles(Protocol):
    """Messages stored as files (adapters/messages/folder.py)."""

    def keys(self) -> list[int]: ...
    def drop(self, keys: Collection[int]) -> None: ...


class ForgottenFiles:
    """Removes the files of messages that were emptied in the database: at an erasure, and hourly in case a
    process died in between."""

    def __init__(self, store: Store, files: MessageFiles) -> None:
        self._store = store
        self._files = files

    async def run(self, now: datetime) -> None:
        """The scheduler's chore."""
        del now
        await self.drop()

    async def drop(self) -> None:
        keys = await asyncio.to_thread(self._files.keys)
        gone = await self._store.read(lambda tx: messages.forgotten(tx, keys))
        await asyncio.to_thread(self._files.drop, gone)


class MessageDelivery:
    """Sends waiting messages."""

    def __init__(self, store: Store, clock: Clock, port: Messages) -> None:
        self._store = store
        self._clock = clock
        self._port = port
        self._one_at_a_time = asyncio.Lock()

    async def send_due(self) -> None:
        """Send every message that is due, one after another."""
        async with self._one_at_a_time:
            while row := await self._store.run(self._take):
                await self._send(row)

    def _take(self, tx: Tx) -> MessageRow | None:
        now = self._clock.now()
        for row in messages.lost(tx, now):
            self._settle(tx, row, Delivery.UNKNOWN)
        return messages.take_next(tx, now)

    async def _send(self, row: MessageRow) -> None:
        try:
            delivery = await self._port.send(row.message)
        except _EXPECTED as error:  # the adapter does not know whether it was sent
            log.warning("message_unknown", message=row.id, error=type(error).__name__)
            delivery = Delivery.UNKNOWN
        await self._store.run(lambda tx: self._settle(tx, row, delivery))

    def _settle(self, tx: Tx, row: MessageRow, delivery: Delivery) -> None:
        now = self._clock.now()
        state, next_at = states.after(delivery, row.tries, now)
        if not messages.settle(tx, row.id, MessageState.SENDING, state, now, next_at):
            return
        if state is MessageState.WAITING:
            log.info("message_later", message=row.id, tries=row.tries)
            return
        audit.append(
            tx,
            now,
            EntryKind.MESSAGE,
            message=row.id,
            case=row.case,
            use=row.use,
            state=state.value,
        )
        if state is MessageState.GIVEN_UP and row.use == MessageUse.ANSWER and row.case:
            self._reopen(tx, row.case)

    def _reopen(self, tx: Tx, key: int) -> None:
        """Reopen the case whose answer was not delivered: it needs another one."""
        row = cases.find(tx, key, lock=True)
        if row is None:
            return
        now = self._clock.now()
        cases.change(tx, key, rules_of_cases.undelivered(row.case))
        cases.record(tx, key, now, "server", CaseEvent.UNDELIVERED)
        audit.append(
            tx, now, EntryKind.CASE, case=key, did=CaseEvent.UNDELIVERED.value, by="server"
        )
