"""Putting a configuration into force: all or nothing, each change with its hash in the audit log.

A file that cannot be used changes nothing: the last good configuration stays in force.
"""

from collections.abc import Callable

import structlog
from sqlalchemy import insert, select, update

from callserver.database import audit, seats
from callserver.database.tables import revisions
from callserver.domain.audit import Kind
from callserver.domain.configuration import Configuration, recompose
from callserver.engine.house import House
from callserver.errors import ConfigurationProblem
from callserver.ports import Tx

log = structlog.get_logger(__name__)


class Revising:
    """Swaps the rules in force. `read` reads the files, or raises ConfigurationProblem;
    `signature` changes whenever a file does."""

    def __init__(
        self, ours: House, read: Callable[[], Configuration], signature: Callable[[], object]
    ) -> None:
        self._ours = ours
        self._read = read
        self._signature = signature
        self._seen = signature()

    async def look(self) -> None:
        """Reload when a file has changed since the last look."""
        signature = self._signature()
        if signature != self._seen:
            self._seen = signature
            await self.reload()

    async def announce(self) -> None:
        """Write down which revision is in force, and remember what is under way by an older one."""
        await self._ours.store.run(self._note)
        await self._ours.store.run(self._remember)

    async def reload(self) -> bool:
        """Read the files again; True when another revision is in force now."""
        try:
            found = self._read()
        except ConfigurationProblem as problem:
            log.error(  # noqa: TRY400 - the problem says all; a traceback would not help
                "configuration_refused", kept=self._ours.rules.current.revision, why=str(problem)
            )
            now = self._ours.clock.now()
            kept = self._ours.rules.current.revision
            await self._ours.store.run(
                lambda tx: audit.append(tx, now, Kind.CONFIGURATION, refused=True, kept=kept)
            )
            return False
        if found.revision == self._ours.rules.current.revision:
            return False
        self._ours.rules.replace(found)
        await self.announce()
        log.info("configuration_active", revision=found.revision)
        return True

    def _remember(self, tx: Tx) -> None:
        """Campaigns in hand that no file holds any more: as the latest revision had them."""
        rules = self._ours.rules
        missing = seats.campaigns_in_hand(tx) - set(rules.current.campaigns) - set(rules.former)
        if not missing:
            return
        for content in tx.execute(select(revisions.c.content).order_by(revisions.c.at)).scalars():
            found = recompose(content)
            if isinstance(found, Configuration):
                rules.former.update(
                    {name: one for name, one in found.campaigns.items() if name in missing}
                )

    def _note(self, tx: Tx) -> None:
        current = self._ours.rules.current
        now = self._ours.clock.now()
        last = tx.execute(
            select(revisions.c.hash).order_by(revisions.c.at.desc()).limit(1)
        ).scalar()
        if last == current.revision:
            return
        again = update(revisions).where(revisions.c.hash == current.revision).values(at=now)
        if not tx.execute(again).rowcount:
            tx.execute(
                insert(revisions).values(hash=current.revision, at=now, content=current.content)
            )
        audit.append(tx, now, Kind.CONFIGURATION, revision=current.revision)
