"""The rules page's API: campaigns and policies in force, changes, proposals and decisions."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from pydantic import AwareDatetime, Field
from starlette.responses import Response

from callserver.adapters.yaml_files import MOST_BYTES
from callserver.console.endpoint import Answer, Body, Done, Endpoint, Nothing, UserRequest
from callserver.console.fields import Instant
from callserver.console.live_sources import Causes, Updates
from callserver.console.rules import views as rules_views
from callserver.console.rules.views import (
    ChangeView,
    Effects,
    HistoryView,
    ProposalView,
    ProposedView,
    RulesView,
)
from callserver.console.streaming import ReportProgress, progress_response
from callserver.database import accounts, revisions
from callserver.database.audit import Entry
from callserver.database.side_connection import side_connection
from callserver.domain.audit import EntryKind
from callserver.domain.configuration import Configuration
from callserver.domain.review import MOST_WORDS
from callserver.domain.role import Action
from callserver.engine.context import EngineContext
from callserver.engine.once import once
from callserver.engine.rules import impact
from callserver.engine.rules.in_force import RulesInForce
from callserver.engine.rules.proposals import RuleProposals
from callserver.errors import Impossible, NotFound

Texts = dict[str, str | None]


class ConfigurationChange(Body):
    """New texts of files; null: the file is deleted. Files that are not named stay."""

    texts: Texts = Field(max_length=200)


class When(Body):
    """An instant; by default now."""

    at: Instant | None = None


class EffectQuery(ConfigurationChange, When):
    """A change whose effect on the lists is counted."""


class Proposed(ConfigurationChange):
    """`ethics`: whether the change is ethically sound, and how that was assessed."""

    why: str = Field(max_length=MOST_WORDS)
    ethics: str = Field(max_length=MOST_WORDS)


class Approval(Body):
    """An approval holds for exactly this revision."""

    revision: str = Field(max_length=64)


class RefusedProposal(Body):
    why: str = Field(max_length=1000)


class RulesNews(Answer):
    """The rules or proposals have changed: the page reloads them."""

    revision: str
    waiting: int


class RulesApi:
    """Administrators and the project leader change rules; supervisors read them."""

    causes: ClassVar[Causes] = {"rules": {EntryKind.CONFIGURATION}}

    def __init__(
        self, ctx: EngineContext, rules: RulesInForce, proposals: RuleProposals, database: str
    ) -> None:
        self._ctx = ctx
        self._rules_in_force = rules
        self._proposals = proposals
        self._database = database

    def endpoints(self) -> list[Endpoint]:
        change, approve = Action.CHANGE_RULES, Action.APPROVE_RULES
        path = "/rules/proposals/{proposal}"
        return [
            Endpoint("GET", "/rules", Action.SEE_RULES, self.rules),
            Endpoint("GET", "/rules/history", Action.SEE_RULES, self.history),
            Endpoint("POST", "/rules/check", change, self.check),
            Endpoint("POST", "/rules/effect", change, self.effect),
            Endpoint("POST", "/rules/proposals", change, self.propose, makes=True),
            Endpoint("GET", path, Action.SEE_RULES, self.proposal),
            Endpoint("POST", f"{path}/effect", Action.SEE_RULES, self.proposals_effect),
            Endpoint("POST", f"{path}/approve", approve, self.approve),
            Endpoint("POST", f"{path}/refuse", approve, self.refuse),
            Endpoint("POST", f"{path}/withdraw", change, self.withdraw),
        ]

    async def updates(self, request: UserRequest, news: Sequence[Entry]) -> Updates:
        """Changes of the rules and proposals."""
        if not request.may(Action.SEE_RULES) or not any(
            entry.body["kind"] == EntryKind.CONFIGURATION for entry in news
        ):
            return ()
        await self._rules_in_force.follow()
        proposals = await self._ctx.store.read(revisions.newest_proposals)
        waiting = sum(row.state == "open" for row in proposals)
        current = self._ctx.rules.current.revision
        return [("rules", RulesNews(revision=current, waiting=waiting))]

    async def rules(self, request: UserRequest) -> RulesView:
        """Campaigns and policies in force, with the texts of their files, and the proposals."""
        configuration, texts = await self._rules_in_force.in_force()
        stored = await self._ctx.store.read(revisions.in_force)
        proposals = await self._ctx.store.read(revisions.newest_proposals)
        users = await self._ctx.store.read(accounts.every)
        now = self._ctx.clock.now()
        return RulesView(
            now=now,
            revision=configuration.revision,
            since=now if stored is None else stored.at,
            ahead=bool(self._rules_in_force.ahead),
            unreviewed=self._rules_in_force.unreviewed,
            campaigns=rules_views.campaigns(configuration, request),
            policies=rules_views.policies(configuration),
            departments={
                name: department.title for name, department in configuration.departments.items()
            },
            texts={
                path: text for path, text in texts.items() if _sees(request, configuration, path)
            },
            proposals=[
                rules_views.proposal(proposal, request, users, configuration.revision)
                for proposal in proposals
                if self._sees_proposal(request, configuration, proposal)
            ],
        )

    async def history(self, request: UserRequest) -> HistoryView:
        """Every change of the rules: who, why, its ethical note, what was decided. To be kept as a file."""
        configuration, _ = await self._rules_in_force.in_force()
        changes = await self._ctx.store.read(lambda tx: list(revisions.history(tx)))
        users = await self._ctx.store.read(accounts.every)
        return HistoryView(
            changes=[
                rules_views.proposal(change, request, users, configuration.revision)
                for change in changes
                if self._sees_proposal(request, configuration, change)
            ]
        )

    async def check(self, request: UserRequest, body: ConfigurationChange) -> ChangeView:
        """Check a change: every problem with file, line and key, and what would be looser."""
        checked = await self._proposals.check(request.user, _bounded(body.texts))
        return rules_views.change(checked, request.language)

    async def effect(self, request: UserRequest, body: EffectQuery) -> Response:
        """The effect of a change on each campaign's list: lines of progress, then the figures."""
        checked = await self._proposals.check(request.user, _bounded(body.texts))
        if checked.configuration is None:
            raise Impossible("the change has problems", key="rules_problems")
        return self._effects(request, checked.base, checked.configuration, body.at)

    async def propose(self, request: UserRequest, body: Proposed) -> ProposedView:
        """Change the rules: at once if nothing becomes looser, else as a proposal."""
        now = self._ctx.clock.now()
        result = await self._proposals.propose(
            request.user,
            _bounded(body.texts),
            body.why,
            body.ethics,
            once=lambda tx, make: once(tx, request.sent, now, make),
        )
        return ProposedView(
            revision=result.revision, proposal=result.proposal, written=result.written.value
        )

    async def proposal(self, request: UserRequest, proposal: int) -> ProposalView:
        """One proposal, with its changes line by line."""
        configuration, _ = await self._rules_in_force.in_force()
        row = await self._proposal(request, proposal, configuration)
        base = await self._ctx.store.read(lambda tx: revisions.get(tx, row.base))
        users = await self._ctx.store.read(accounts.every)
        was: Mapping[str, str] = {} if base is None else base.texts or {}
        shown = rules_views.proposal(row, request, users, configuration.revision)
        return shown.model_copy(update={"diff": rules_views.diff(was, row.texts)})

    async def proposals_effect(self, request: UserRequest, proposal: int, body: When) -> Response:
        """The effect of a proposal on each campaign's list: lines of progress, then the figures."""
        base, _ = await self._rules_in_force.in_force()
        row = await self._proposal(request, proposal, base)
        composed = self._rules_in_force.folder.compose(row.texts)
        if not isinstance(composed, Configuration):
            raise Impossible("the change has problems now", key="rules_problems")
        return self._effects(request, base, composed, body.at)

    async def approve(self, request: UserRequest, proposal: int, body: Approval) -> ProposedView:
        """Put a proposal into force; its proposer cannot."""
        result = await self._proposals.approve(request.user, proposal, body.revision)
        return ProposedView(revision=result.revision, proposal=None, written=result.written.value)

    async def refuse(self, request: UserRequest, proposal: int, body: RefusedProposal) -> Done:
        """Refuse a proposal, with a reason."""
        await self._proposals.refuse(request.user, proposal, body.why)
        return Done()

    async def withdraw(self, request: UserRequest, proposal: int, body: Nothing) -> Done:
        """Withdraw my own proposal, or one that comes from changed files."""
        del body
        await self._proposals.withdraw(request.user, proposal)
        return Done()

    async def _proposal(
        self, request: UserRequest, key: int, configuration: Configuration
    ) -> revisions.Proposal:
        proposal = await self._ctx.store.read(lambda tx: revisions.proposal(tx, key))
        if proposal is None or not self._sees_proposal(request, configuration, proposal):
            raise NotFound(f"there is no proposal {key}", key="not_found")
        return proposal

    def _sees_proposal(
        self, request: UserRequest, configuration: Configuration, proposal: revisions.Proposal
    ) -> bool:
        """Whether the user sees every file that it changes. A campaign that is not in force has the
        department that the proposal gives it."""
        if not all(_sees(request, configuration, path) for path in proposal.changed):
            return False
        new = {_campaign(path) for path in proposal.changed} - {"", *configuration.campaigns}
        if not new or request.user.department is None or proposal.by == request.user.id:
            return True
        would = self._rules_in_force.folder.compose(proposal.texts)
        return isinstance(would, Configuration) and all(
            name in would.campaigns and request.sees(would.campaigns[name].department)
            for name in new
        )

    def _effects(
        self,
        request: UserRequest,
        was: Configuration,
        would: Configuration,
        at: AwareDatetime | None,
    ) -> Response:
        instant = self._ctx.clock.now() if at is None else at

        def work(progress: ReportProgress) -> Effects:
            with side_connection(self._database) as connection:
                impacts = impact.effects(
                    connection,
                    was,
                    would,
                    self._ctx.secret,
                    instant,
                    request.user.department,
                    lambda done, of: progress(done, of, "rules.asking"),
                )
            return rules_views.effects(impacts, instant)

        return progress_response(request, work)


def _sees(request: UserRequest, configuration: Configuration, path: str) -> bool:
    """Whether the user sees a file: a campaign's file belongs to its department, other files to all."""
    name = _campaign(path)
    if name not in configuration.campaigns:
        return True
    return request.sees(configuration.campaigns[name].department)


def _campaign(path: str) -> str:
    """The campaign of a file; empty: it is another file."""
    return path[len("campaigns/") :].removesuffix(".yaml") if path.startswith("campaigns/") else ""


def _bounded(texts: Texts) -> Texts:
    if any(len((text or "").encode()) > MOST_BYTES for text in texts.values()):
        raise Impossible("a file is too long", key="too_large")
    return texts
