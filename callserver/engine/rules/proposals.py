"""Changes of the rules by users: check, propose, approve by a second person, refuse, withdraw.

What is not looser takes effect when it is proposed. An approval is for exactly what the approver has seen: if
the rules have changed meanwhile, the proposal is rebased and must be reviewed again.
"""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import structlog

from callserver.database import audit, revisions
from callserver.database.accounts import User
from callserver.database.revisions import Proposal
from callserver.domain.audit import EntryKind
from callserver.domain.configuration import SINGLE_FILES, Configuration, Problem
from callserver.domain.loosening import Looser, looser
from callserver.domain.review import review
from callserver.engine import acting
from callserver.engine.context import EngineContext
from callserver.engine.rules import in_force
from callserver.engine.rules.beginning import Texts
from callserver.engine.rules.department_reach import within_department
from callserver.engine.rules.in_force import RulesInForce
from callserver.errors import Impossible, NotAllowed, NotFound
from callserver.ports import Tx

log = structlog.get_logger(__name__)

_PATH = re.compile(
    r"(policies|campaigns)/_?[a-z0-9][a-z0-9_-]{0,60}\.yaml"
    rf"|{'|'.join(map(re.escape, SINGLE_FILES))}|scripts/[A-Za-z0-9][A-Za-z0-9_-]{{0,60}}\.md"
    r"|books/[a-z0-9][a-z0-9_-]{0,60}\.(da|en)\.md",
    re.ASCII,
)


class Written(StrEnum):
    """The result of writing a change to the folder."""

    SAME = "same"  # the files already have this content
    YES = "yes"
    NOT_WRITABLE = "not_writable"
    DIFFERS = "differs"  # the files have other changes, which were not overwritten


@dataclass(frozen=True, slots=True)
class Checked:
    """The effect of a proposed change."""

    problems: Sequence[Problem]
    base: Configuration
    was: Texts
    would: Texts
    configuration: Configuration | None  # None: it has problems
    looser: tuple[Looser, ...] = ()

    @property
    def changed(self) -> list[str]:
        return in_force.changed(self.was, self.would)


@dataclass(frozen=True, slots=True)
class ProposalResult:
    """The result of a proposal: in force, or waiting under this number."""

    revision: str
    proposal: int | None = None
    written: Written = Written.SAME


class RuleProposals:
    """Accepts changes, and decisions about them."""

    def __init__(self, ctx: EngineContext, rules: RulesInForce) -> None:
        self._ctx = ctx
        self._rules_in_force = rules

    async def check(self, user: User, texts: Mapping[str, str | None]) -> Checked:
        """Check a change: these files with this content (None: deleted). Changes nothing.

        Raises:
            Impossible: a path outside the configuration.
            NotAllowed: it changes what is not the user's department's.
        """
        base, was = await self._rules_in_force.in_force()
        for path in texts:
            if path not in was and not _PATH.fullmatch(path):
                raise Impossible(f"{path!r} is no file of the configuration", key="rules_path")
        given = {
            path: text.replace("\r\n", "\n") for path, text in texts.items() if text is not None
        }
        kept = {path: text for path, text in was.items() if path not in texts}
        would = {**kept, **given}
        composed = await asyncio.to_thread(self._rules_in_force.folder.compose, would)
        if not isinstance(composed, Configuration):
            return Checked(composed, base, was, would, None)
        within_department(user.department, base, composed)
        return Checked((), base, was, would, composed, looser(base, composed))

    async def propose(
        self,
        user: User,
        texts: Mapping[str, str | None],
        why: str,
        ethics: str,
        *,
        once: Callable[[Tx, Callable[[], int]], int] = lambda _, make: make(),
    ) -> ProposalResult:
        """Change the rules at once if nothing becomes looser; otherwise create a proposal.

        `once` makes it in the transaction, unless the same request has come before.

        Raises:
            Impossible: it has problems, changes nothing, or the reason or the ethical note is missing.
            NotAllowed: it changes what is not the user's department's.
        """
        checked = await self.check(user, texts)

        def work(tx: Tx) -> tuple[int, bool]:
            made = []

            def make() -> int:
                made.append(self._enter(tx, user, checked, why, ethics))
                return made[0]

            return once(tx, make), bool(made)

        key, is_new = await self._ctx.store.run(work)
        configuration = checked.configuration
        if not is_new or configuration is None:
            return await self._made_before(key, checked)
        if checked.looser:
            return ProposalResult(configuration.revision, key)
        return await self._in_force(checked.was, checked.would, configuration)

    async def _made_before(self, key: int, checked: Checked) -> ProposalResult:
        """The result of a request that comes again: other changes may have followed since."""
        kept, before = await self._ctx.store.read(lambda tx: _with_base(tx, key))
        if kept.state != "applied":
            return ProposalResult(kept.revision, key)
        if kept.revision != checked.base.revision:
            return ProposalResult(kept.revision)
        return await self._in_force(before, checked.was, checked.base)

    def _enter(self, tx: Tx, user: User, checked: Checked, why: str, ethics: str) -> int:
        configuration = checked.configuration
        if configuration is None:
            raise Impossible("the change has problems", key="rules_problems")
        if not checked.changed:
            raise Impossible("this is what is in force", key="rules_same")
        reviewed = review(why, ethics)
        revisions.lock(tx)
        acting.check_still(tx, user)
        if revisions.current(tx) != checked.base.revision:
            raise Impossible("the rules have just changed; look again", key="rules_moved")
        now = self._ctx.clock.now()
        by = f"user:{user.id}"
        change = {
            "at": now,
            "by": user.id,
            "base": checked.base.revision,
            "revision": configuration.revision,
            "texts": dict(checked.would),
            "changed": checked.changed,
            "looser": in_force.plain(checked.looser),
            **reviewed.model_dump(),
        }
        if not checked.looser:
            key = revisions.propose(tx, state="applied", decided_at=now, **change)
            done = {"paths": checked.changed, "proposal": key, "by": by}
            in_force.activate(tx, configuration, checked.would, now, **done)
            return key
        key = revisions.propose(tx, **change)
        said = {"revision": configuration.revision, "paths": checked.changed}
        _note(tx, now, "proposed", key, by, looser=len(checked.looser), **said)
        return key

    async def approve(self, user: User, key: int, seen: str) -> ProposalResult:
        """Put a proposal in force. Somebody other than its author must do this.

        Raises:
            NotFound: there is none.
            NotAllowed: it is the user's own, or not of their department.
            Impossible: it is already decided, its revision is not the one `seen` by the user, or it has no
            review.
        """
        base, was = await self._rules_in_force.in_force()
        waiting = await self._ctx.store.read(lambda tx: _open(tx, key))
        if waiting.by == user.id:
            raise NotAllowed("somebody else has to approve this", key="rules_own")
        review(waiting.why, waiting.ethics)
        if waiting.base != base.revision:
            await self._move_along(waiting, base, was)
            raise Impossible("the rules have changed meanwhile; look again", key="rules_moved")
        if waiting.revision != seen:
            raise Impossible("this is not what you have seen; look again", key="rules_moved")
        composed = await asyncio.to_thread(self._rules_in_force.folder.compose, waiting.texts)
        if not isinstance(composed, Configuration):
            raise Impossible("the change has problems by now", key="rules_problems")
        within_department(user.department, base, composed)

        def work(tx: Tx) -> None:
            revisions.lock(tx)
            acting.check_still(tx, user)
            _open(tx, key)
            if revisions.current(tx) != base.revision:
                raise Impossible("the rules have just changed; look again", key="rules_moved")
            now, by = self._ctx.clock.now(), f"user:{user.id}"
            revisions.change_proposal(tx, key, state="active", decided_at=now, decided_by=user.id)
            said = {"proposal": key, "paths": list(waiting.changed), "did": "approved"}
            in_force.activate(tx, composed, waiting.texts, now, by=by, **said)

        await self._ctx.store.run(work)
        return await self._in_force(was, waiting.texts, composed)

    async def refuse(self, user: User, key: int, why: str) -> None:
        """Refuse a proposal; the files in the folder stay as they are.

        Raises:
            NotFound, Impossible: there is no such open proposal, or no reason is given.
            NotAllowed: it reaches beyond the user's department.
        """
        if not why.strip():
            raise Impossible("say why", key="rules_why_not")
        await self._check_reach(user, await self._ctx.store.read(lambda tx: _open(tx, key)))
        await self._decide(user, key, "refused", why.strip())

    async def withdraw(self, user: User, key: int) -> None:
        """Withdraw one's own proposal, or one made by changed files.

        Raises:
            NotAllowed: it is somebody else's, or reaches beyond the user's department.
        """
        waiting = await self._ctx.store.read(lambda tx: _open(tx, key))
        if waiting.by not in (None, user.id):
            raise NotAllowed("it is somebody else's proposal", key="rules_not_yours")
        await self._check_reach(user, waiting)
        await self._decide(user, key, "withdrawn", "")

    async def _check_reach(self, user: User, waiting: Proposal) -> None:
        """Raises:
        NotAllowed: the proposal is another's, and reaches beyond the user's department.
        """
        if user.department is None or waiting.by == user.id:
            return
        before = await self._ctx.store.read(lambda tx: revisions.get(tx, waiting.base))
        compose = self._rules_in_force.folder.compose
        was = await asyncio.to_thread(compose, {} if before is None else before.texts or {})
        would = await asyncio.to_thread(compose, waiting.texts)
        if not isinstance(was, Configuration) or not isinstance(would, Configuration):
            raise NotAllowed("this reaches beyond your department", key="rules_department")
        within_department(user.department, was, would)

    async def _decide(self, user: User, key: int, state: str, answer: str) -> None:
        def work(tx: Tx) -> None:
            revisions.lock(tx)
            acting.check_still(tx, user)
            _open(tx, key)
            now = self._ctx.clock.now()
            decided = {"decided_at": now, "decided_by": user.id, "answer": answer}
            revisions.change_proposal(tx, key, state=state, **decided)
            _note(tx, now, state, key, f"user:{user.id}")

        await self._ctx.store.run(work)

    async def _move_along(self, waiting: Proposal, base: Configuration, was: Texts) -> None:
        """Rebase the change onto the rules in force now.

        Raises:
            Impossible: the same files have changed, or the result is not valid.
        """
        before = await self._ctx.store.read(lambda tx: revisions.get(tx, waiting.base))
        old: Texts = {} if before is None else before.texts or {}
        if any(old.get(path) != was.get(path) for path in waiting.changed):
            raise Impossible(
                "the same files were changed meanwhile: propose it again", key="rules_conflict"
            )
        kept = {path: text for path, text in was.items() if path not in waiting.changed}
        mine = {path: waiting.texts[path] for path in waiting.changed if path in waiting.texts}
        would = {**kept, **mine}
        composed = await asyncio.to_thread(self._rules_in_force.folder.compose, would)
        if not isinstance(composed, Configuration):
            raise Impossible("the change has problems by now", key="rules_problems")
        opens = in_force.plain(looser(base, composed))

        def work(tx: Tx) -> None:
            revisions.lock(tx)
            _open(tx, waiting.id)
            moved = {"base": base.revision, "revision": composed.revision, "texts": would}
            revisions.change_proposal(tx, waiting.id, looser=opens, **moved)

        await self._ctx.store.run(work)

    async def _in_force(
        self, was: Texts, would: Texts, configuration: Configuration
    ) -> ProposalResult:
        """Adopt the new rules in this process, and write them to the folder."""
        await self._rules_in_force.follow()
        written = await asyncio.to_thread(self._write, was, would)
        if written in (Written.SAME, Written.YES):
            self._rules_in_force.ahead = ""
        return ProposalResult(configuration.revision, None, written)

    def _write(self, was: Texts, would: Texts) -> Written:
        folder = self._rules_in_force.folder
        if folder.holds(would):
            return Written.SAME
        if not folder.holds(was):
            log.warning("folder_differs")
            return Written.DIFFERS
        try:
            folder.write(was, would)
        except OSError as error:
            log.warning("folder_not_writable", why=error.strerror)
            return Written.NOT_WRITABLE
        return Written.YES


def _open(tx: Tx, key: int) -> Proposal:
    waiting = revisions.proposal(tx, key)
    if waiting is None:
        raise NotFound(f"there is no proposal {key}", key="not_found")
    if waiting.state != "open":
        raise Impossible("this is decided already", key="rules_decided")
    return waiting


def _with_base(tx: Tx, key: int) -> tuple[Proposal, Texts]:
    """A proposal, and the texts on which it is based."""
    kept = revisions.proposal(tx, key)
    if kept is None:
        raise NotFound(f"there is no proposal {key}", key="not_found")
    before = revisions.get(tx, kept.base)
    return kept, {} if before is None else before.texts or {}


def _note(tx: Tx, now: datetime, did: str, key: int, by: str, **more: Any) -> None:
    audit.append(tx, now, EntryKind.CONFIGURATION, did=did, proposal=key, by=by, **more)
