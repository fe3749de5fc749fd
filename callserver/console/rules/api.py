"""The rules' room: campaigns and policies as they are in force, changes, proposals and decisions."""

from collections.abc import Mapping, Sequence

from pydantic import AwareDatetime, Field
from starlette.responses import Response

from callserver.adapters.yaml_files import MOST_BYTES
from callserver.console.endpoint import Answer, Asked, Body, Done, Endpoint, Nothing
from callserver.console.fields import Instant
from callserver.console.live import Told
from callserver.console.rules import views as rules_views
from callserver.console.rules.views import (
    ChangeView,
    Effects,
    ProposalView,
    ProposedView,
    RulesView,
)
from callserver.console.streaming import Tell, told
from callserver.database import accounts, revisions
from callserver.database.audit import Entry
from callserver.database.side_connection import side_connection
from callserver.domain.audit import EntryKind
from callserver.domain.configuration import Configuration
from callserver.domain.role import Action
from callserver.engine.context import EngineContext
from callserver.engine.rules import impact
from callserver.engine.rules.in_force import RulesInForce
from callserver.engine.rules.proposals import RuleProposals
from callserver.errors import Impossible, NotFound

Texts = dict[str, str | None]


class Change(Body):
    """Files as they would be; null: gone. What is not named stays."""

    texts: Texts = Field(max_length=200)


class When(Body):
    """At which instant; without one, now."""

    at: Instant | None = None


class Looked(Change, When):
    """Whom it would reach."""


class Proposed(Change):
    why: str = Field(default="", max_length=1000)


class Seen(Body):
    """What was looked at: an approval is for exactly this revision."""

    revision: str = Field(max_length=64)


class Refusal(Body):
    why: str = Field(max_length=1000)


class RulesNews(Answer):
    """Something about the rules has changed: reload."""

    revision: str
    waiting: int


class RulesApi:
    """What administrators and the project leader do about rules; supervisors read them."""

    def __init__(
        self, ctx: EngineContext, rules: RulesInForce, proposing: RuleProposals, database: str
    ) -> None:
        self._ctx = ctx
        self._rules_in_force = rules
        self._proposing = proposing
        self._database = database

    def endpoints(self) -> list[Endpoint]:
        change, approve = Action.CHANGE_RULES, Action.APPROVE_RULES
        path = "/rules/proposals/{proposal}"
        return [
            Endpoint("GET", "/rules", Action.SEE_RULES, self.rules),
            Endpoint("POST", "/rules/check", change, self.check),
            Endpoint("POST", "/rules/effect", change, self.effect),
            Endpoint("POST", "/rules/proposals", change, self.propose),
            Endpoint("GET", path, Action.SEE_RULES, self.proposal),
            Endpoint("POST", f"{path}/effect", Action.SEE_RULES, self.proposals_effect),
            Endpoint("POST", f"{path}/approve", approve, self.approve),
            Endpoint("POST", f"{path}/refuse", approve, self.refuse),
            Endpoint("POST", f"{path}/withdraw", change, self.withdraw),
        ]

    async def tell(self, asked: Asked, news: Sequence[Entry]) -> Told:
        """That the rules, or what waits, are not what they were."""
        if not asked.may(Action.SEE_RULES) or not any(
            entry.body["kind"] == EntryKind.CONFIGURATION for entry in news
        ):
            return ()
        await self._rules_in_force.follow()
        proposals = await self._ctx.store.read(revisions.newest_proposals)
        waiting = sum(row.state == "open" for row in proposals)
        current = self._ctx.rules.current.revision
        return [("rules", RulesNews(revision=current, waiting=waiting))]

    async def rules(self, asked: Asked) -> RulesView:
        """Campaigns and policies in force, with their files' texts, and every proposal."""
        configuration, texts = await self._rules_in_force.in_force()
        kept = await self._ctx.store.read(revisions.in_force)
        proposals = await self._ctx.store.read(revisions.newest_proposals)
        users = await self._ctx.store.read(accounts.every)
        now = self._ctx.clock.now()
        return RulesView(
            now=now,
            revision=configuration.revision,
            since=now if kept is None else kept.at,
            ahead=bool(self._rules_in_force.ahead),
            campaigns=rules_views.campaigns(configuration, asked),
            policies=rules_views.policies(configuration),
            texts={path: text for path, text in texts.items() if _sees(asked, configuration, path)},
            proposals=[
                rules_views.proposal(proposal, asked, users, configuration.revision)
                for proposal in proposals
                if all(_sees(asked, configuration, path) for path in proposal.changed)
            ],
        )

    async def check(self, asked: Asked, body: Change) -> ChangeView:
        """What a change would be: every problem with file, line and key; what would be looser."""
        checked = await self._proposing.check(asked.user, _bounded(body.texts))
        return rules_views.change(checked, asked.language)

    async def effect(self, asked: Asked, body: Looked) -> Response:
        """Whom a change would reach, campaign by campaign, beside today: lines of progress, then it."""
        checked = await self._proposing.check(asked.user, _bounded(body.texts))
        if checked.found is None:
            raise Impossible("the change has problems", key="rules_problems")
        return self._effects(asked, checked.base, checked.found, body.at)

    async def propose(self, asked: Asked, body: Proposed) -> ProposedView:
        """Change the rules: at once when nothing becomes looser, else as a proposal."""
        made = await self._proposing.propose(asked.user, _bounded(body.texts), body.why)
        return ProposedView(
            revision=made.revision, proposal=made.proposal, written=made.written.value
        )

    async def proposal(self, asked: Asked, proposal: int) -> ProposalView:
        """One proposal, with what it changes line by line."""
        configuration, _ = await self._rules_in_force.in_force()
        row = await self._one(asked, proposal, configuration)
        base = await self._ctx.store.read(lambda tx: revisions.get(tx, row.base))
        users = await self._ctx.store.read(accounts.every)
        was: Mapping[str, str] = {} if base is None else base.texts or {}
        shown = rules_views.proposal(row, asked, users, configuration.revision)
        return shown.model_copy(update={"diff": rules_views.diff(was, row.texts)})

    async def proposals_effect(self, asked: Asked, proposal: int, body: When) -> Response:
        """Whom a proposal would reach, beside today: lines of progress, then the effect."""
        base, _ = await self._rules_in_force.in_force()
        row = await self._one(asked, proposal, base)
        composed = self._rules_in_force.folder.compose(row.texts)
        if not isinstance(composed, Configuration):
            raise Impossible("the change has problems by now", key="rules_problems")
        return self._effects(asked, base, composed, body.at)

    async def approve(self, asked: Asked, proposal: int, body: Seen) -> ProposedView:
        """Put a proposal into force, as another person than who proposed it."""
        made = await self._proposing.approve(asked.user, proposal, body.revision)
        return ProposedView(revision=made.revision, proposal=None, written=made.written.value)

    async def refuse(self, asked: Asked, proposal: int, body: Refusal) -> Done:
        """Say no to a proposal, and why."""
        await self._proposing.refuse(asked.user, proposal, body.why)
        return Done()

    async def withdraw(self, asked: Asked, proposal: int, body: Nothing) -> Done:
        """Take back my own proposal, or one that changed files made."""
        del body
        await self._proposing.withdraw(asked.user, proposal)
        return Done()

    async def _one(
        self, asked: Asked, key: int, configuration: Configuration
    ) -> revisions.Proposal:
        proposal = await self._ctx.store.read(lambda tx: revisions.proposal(tx, key))
        if proposal is None or not all(
            _sees(asked, configuration, path) for path in proposal.changed
        ):
            raise NotFound(f"there is no proposal {key}", key="not_found")
        return proposal

    def _effects(
        self, asked: Asked, was: Configuration, would: Configuration, at: AwareDatetime | None
    ) -> Response:
        instant = self._ctx.clock.now() if at is None else at

        def work(tell: Tell) -> Effects:
            with side_connection(self._database) as connection:
                impacts = impact.effects(
                    connection,
                    was,
                    would,
                    self._ctx.secret,
                    instant,
                    asked.user.department,
                    lambda done, of: tell(done, of, "rules.asking"),
                )
            return rules_views.effects(impacts, instant)

        return told(asked, work)


def _sees(asked: Asked, configuration: Configuration, path: str) -> bool:
    """A campaign's file is its department's; all other files are everybody's."""
    name = path.removeprefix("campaigns/").removesuffix(".yaml")
    if not path.startswith("campaigns/") or name not in configuration.campaigns:
        return True
    return asked.sees(configuration.campaigns[name].department)


def _bounded(texts: Texts) -> Texts:
    if any(len((text or "").encode()) > MOST_BYTES for text in texts.values()):
        raise Impossible("a file is too long", key="too_large")
    return texts
