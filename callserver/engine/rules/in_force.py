"""The rules in force: the database's current revision, which every process follows.

The folder of files is one way in, the console (proposals.py) the other; on both, what is not looser
takes effect at once and what is looser waits for a second person; both need a review (domain/review.py),
which files bring in change.yaml. A file that cannot be used changes nothing. Every change stands in the audit log, with its hash and paths, never with its texts.
"""

import asyncio
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import structlog

from callserver.database import audit, daily_counts, revisions, seats, training
from callserver.domain.audit import EntryKind
from callserver.domain.configuration import Configuration
from callserver.domain.loosening import Looser, looser
from callserver.domain.review import Review
from callserver.engine.calls import campaign_pauses
from callserver.engine.context import EngineContext
from callserver.engine.outcomes import missing_outcomes
from callserver.engine.rules.beginning import Folder, Texts, removed, shown_since
from callserver.errors import ConfigurationProblem
from callserver.ports import Tx

log = structlog.get_logger(__name__)

RINGS_BACK = timedelta(days=30)
"""How long after a dial its campaign and the displayed number are remembered: a person who rings back hears who
called, and may opt out."""


class RulesInForce:
    """Keeps this process's rules up to date, and adopts changes of the folder."""

    def __init__(self, ctx: EngineContext, folder: Folder) -> None:
        self._ctx = ctx
        self.folder = folder
        self._seen: object = None
        self._moving: object = None
        self._one_at_a_time = asyncio.Lock()
        self.unreviewed = False  # the folder's change waits for a new change.yaml
        self.ahead = ""  # the folder's revision, if it is not the one in force

    async def start(self) -> None:
        """Put the first revision in force, or check the folder for changes to the one in force."""
        await self._begin()
        documents, now = self._ctx.rules.current.documents, self._ctx.clock.now()
        await self._ctx.store.run(lambda tx: training.put_in_force(tx, documents, now))

    async def _begin(self) -> None:
        self._seen = self.folder.signature()
        await self.follow()
        kept = await self._ctx.store.read(revisions.in_force)
        current = self._ctx.rules.current.revision
        if kept is not None and kept.texts is not None and kept.hash == current:
            await self._ctx.store.run(self._remember)
            await self._take(starting=True)
            return
        texts = {} if kept is None else kept.texts or {}
        composed = await asyncio.to_thread(self.folder.compose, texts)
        if isinstance(composed, Configuration):  # this version hashes it otherwise
            configuration = composed
        else:
            configuration, texts = await asyncio.to_thread(self.folder.read)
        instead_of = None if kept is None else kept.hash
        if await self._ctx.store.run(lambda tx: self._first(tx, configuration, texts, instead_of)):
            self._ctx.rules.replace(configuration)
            log.info(
                "configuration_first", revision=configuration.revision, folder=str(self.folder)
            )
        if configuration is composed:
            await self._begin()

    async def look(self) -> None:
        """Follow what is in force, and adopt a changed folder once its files stop changing."""
        await self.follow()
        signature = self.folder.signature()
        if signature == self._seen:
            return
        if signature != self._moving:  # several files are written one after another
            self._moving = signature
            return
        self._seen = signature
        await self._take(starting=False)

    def _remember(self, tx: Tx) -> None:
        """Keep removed campaigns with open calls, seats, missing outcomes or people who may ring back, as the latest
        revision with them had them, and the numbers that were displayed lately."""
        rules, since = self._ctx.rules, self._ctx.clock.now() - RINGS_BACK
        needed = seats.campaigns_in_hand(tx) | missing_outcomes.campaigns(tx)
        needed |= daily_counts.campaigns_since(tx, since)
        rules.former.update(removed(tx, self.folder, needed - set(rules.every)))
        rules.shown_formerly.update(shown_since(tx, self.folder, since, rules.shown_numbers))

    async def follow(self) -> bool:
        """Adopt the revision in force. True: it has changed."""
        # A later one is not replaced by an earlier one that took longer to read.
        async with self._one_at_a_time:
            return await self._follow()

    async def _follow(self) -> bool:
        hashed = await self._ctx.store.peek(revisions.current)
        if hashed in (None, self._ctx.rules.current.revision):
            return False
        kept = await self._ctx.store.read(revisions.in_force)
        if kept is None or kept.texts is None:
            return False
        composed = await asyncio.to_thread(self.folder.compose, kept.texts)
        if not isinstance(composed, Configuration):
            log.error("revision_unreadable", revision=kept.hash, why="; ".join(map(str, composed)))
            return False
        self._ctx.rules.replace(composed)
        now = self._ctx.clock.now()
        await self._ctx.store.run(lambda tx: campaign_pauses.wake_all(tx, now))
        log.info("configuration_active", revision=composed.revision)
        return True

    async def in_force(self) -> tuple[Configuration, Texts]:
        """The rules in force and their texts, after this process has adopted them."""
        await self.follow()
        kept = await self._ctx.store.read(revisions.in_force)
        if kept is None or kept.texts is None:  # no server has started yet
            await self.start()
            kept = await self._ctx.store.read(revisions.in_force)
        if kept is None or kept.texts is None or kept.hash != self._ctx.rules.current.revision:
            raise ConfigurationProblem("the revision in force cannot be read")
        return self._ctx.rules.current, kept.texts

    async def _take(self, *, starting: bool) -> None:
        """Adopt the folder's present content: put it in force, or propose it to a second person."""
        try:
            configuration, texts = await asyncio.to_thread(self.folder.read)
        except ConfigurationProblem as problem:
            kept = self._ctx.rules.current.revision
            log.error("configuration_refused", kept=kept, why=str(problem))  # noqa: TRY400
            now = self._ctx.clock.now()
            await self._ctx.store.run(
                lambda tx: audit.append(tx, now, EntryKind.CONFIGURATION, refused=True, kept=kept)
            )
            return
        base, words = await self.in_force()
        self.ahead = "" if configuration.revision == base.revision else configuration.revision
        self.unreviewed = False
        if configuration.revision == base.revision:
            if texts != words:
                await self._ctx.store.run(
                    lambda tx: revisions.rewrite(tx, configuration.revision, texts)
                )
            return
        opens = looser(base, configuration)
        review = await asyncio.to_thread(self.folder.review)
        said = await self._ctx.store.run(
            lambda tx: self._arrived(
                tx, base, configuration, texts, words, opens, review, starting=starting
            )
        )
        match said:
            case "active":
                self.ahead = ""
                await self.follow()
            case "waits" | "told":
                keys = sorted({f"{rule.file}: {rule.key}" for rule in opens})
                log.warning("configuration_waits", kept=base.revision, looser=keys)
            case "unreviewed":
                self.unreviewed = True
                log.warning("configuration_unreviewed", kept=base.revision, needed="change.yaml")
            case "behind":
                log.warning("folder_behind", kept=base.revision, folder=configuration.revision)

    def _first(
        self, tx: Tx, configuration: Configuration, texts: Texts, instead_of: str | None
    ) -> bool:
        """No account can approve yet: the folder's rules take effect."""
        revisions.lock(tx)
        if revisions.current(tx) != instead_of:
            return False  # another process was first, so follow its revision
        now = self._ctx.clock.now()
        revisions.put_in_force(tx, configuration.revision, configuration.content, texts, now)
        audit.append(tx, now, EntryKind.CONFIGURATION, revision=configuration.revision)
        return True

    def _arrived(
        self,
        tx: Tx,
        base: Configuration,
        configuration: Configuration,
        texts: Texts,
        words: Texts,
        opens: tuple[Looser, ...],
        review: Review | None,
        *,
        starting: bool,
    ) -> str:
        revisions.lock(tx)
        if revisions.current(tx) != base.revision:
            return "overtaken"  # another process was quicker; the next look compares again
        if starting and revisions.get(tx, configuration.revision) is not None:
            return "behind"  # an older revision: the folder was never brought up to date
        now = self._ctx.clock.now()
        if opens and revisions.was_proposed(tx, configuration.revision, base.revision):
            return "told"
        if review is None or revisions.review_used(tx, review.why, review.ethics):
            audit.append(
                tx,
                now,
                EntryKind.CONFIGURATION,
                did="unreviewed",
                kept=base.revision,
                revision=configuration.revision,
                by="files",
            )
            return "unreviewed"
        self._settle_files(tx)
        paths = changed(words, texts)
        change = {
            "at": now,
            "base": base.revision,
            "revision": configuration.revision,
            "texts": dict(texts),
            "changed": paths,
            "looser": plain(opens),
            **review.model_dump(),
        }
        if not opens:
            key = revisions.propose(tx, state="applied", decided_at=now, **change)
            said = {"paths": paths, "proposal": key, "by": "files"}
            activate(tx, configuration, texts, now, **said)
            return "active"
        key = revisions.propose(tx, **change)
        audit.append(
            tx,
            now,
            EntryKind.CONFIGURATION,
            did="proposed",
            proposal=key,
            revision=configuration.revision,
            paths=paths,
            looser=len(opens),
            by="files",
        )
        return "waits"

    def _settle_files(self, tx: Tx) -> None:
        """The folder's content has changed: withdraw its earlier proposals."""
        now = self._ctx.clock.now()
        for open_proposal in revisions.open_of_files(tx):
            revisions.change_proposal(tx, open_proposal.id, state="withdrawn", decided_at=now)
            audit.append(
                tx,
                now,
                EntryKind.CONFIGURATION,
                did="withdrawn",
                proposal=open_proposal.id,
                by="files",
            )


def activate(
    tx: Tx, configuration: Configuration, texts: Texts, now: datetime, **said: Any
) -> None:
    """Put a revision in force in this transaction, with its audit entry."""
    revisions.put_in_force(tx, configuration.revision, configuration.content, texts, now)
    training.put_in_force(tx, configuration.documents, now)
    audit.append(tx, now, EntryKind.CONFIGURATION, revision=configuration.revision, **said)


def changed(was: Texts, would: Texts) -> list[str]:
    """The paths that differ."""
    return sorted(path for path in {*was, *would} if was.get(path) != would.get(path))


def plain(rules: tuple[Looser, ...]) -> list[dict[str, Any]]:
    """In the form that the proposals table stores."""
    return [asdict(rule) for rule in rules]
