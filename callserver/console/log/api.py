"""The log page's API: the audit log is searched, and verified against the heads file.

A search is logged as well, with its parameters.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import AwareDatetime, Field

from callserver import texts
from callserver.console.endpoint import Answer, Body, Endpoint, Nothing, UserRequest
from callserver.console.fields import Id, Instant
from callserver.database import accounts, audit, seats
from callserver.domain.audit import EntryKind
from callserver.domain.role import Action
from callserver.engine.audit_log import search, verification
from callserver.engine.context import EngineContext, Rules
from callserver.ports import Tx
from callserver.settings import Settings

MOST = 100


class Search(Body):
    kinds: list[EntryKind] = Field(default_factory=list)
    contact: Id | None = None
    call: str | None = Field(default=None, max_length=60)
    since: Instant | None = None
    until: Instant | None = None
    before: Id | None = None


class EntryView(Answer):
    """One entry: its kind in words, its fields, and names for the ids in them.

    `names`: field -> a colleague's name, or the title of a campaign or outcome; never a called person.
    """

    id: int
    leaf: int | None  # its position among the sealed entries; null: not sealed yet
    at: AwareDatetime
    kind: EntryKind
    said: str
    details: Mapping[str, Any]
    names: Mapping[str, str]


class LogPage(Answer):
    """The newest matching entries, newest first; `before` asks for the next page, null: there is none."""

    entries: list[EntryView]
    before: int | None


class Verified(Answer):
    """The result of a verification of the whole log."""

    sealed: int
    unsealed: int
    findings: list[str]


class LogApi:
    """Searches and verifies the log."""

    def __init__(self, ctx: EngineContext, settings: Settings) -> None:
        self._ctx = ctx
        self._settings = settings

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("POST", "/log", Action.SEE_AUDIT, self.search),
            Endpoint("POST", "/log/verify", Action.SEE_AUDIT, self.verify),
        ]

    async def search(self, request: UserRequest, body: Search) -> LogPage:
        """Matching entries of my department, newest first. The search is logged, and so is each further page."""
        now = self._ctx.clock.now()
        wanted = audit.LogQuery(
            tuple(kind.value for kind in body.kinds),
            body.contact,
            body.call,
            body.since,
            body.until,
            body.before,
        )
        parameters = body.model_dump(mode="json", exclude_defaults=True)
        await self._ctx.store.run(lambda tx: search.record(tx, request.by, parameters, now))
        rules, department = self._ctx.rules, request.user.department

        def look(tx: Tx) -> LogPage:
            rows, before = search.search(tx, rules, wanted, department, MOST)
            names = _Names(tx, rules, request.language)
            entries = [_view(row, request.language, names.of(row)) for row in rows]
            return LogPage(entries=entries, before=before)

        return await self._ctx.store.read(look)

    async def verify(self, request: UserRequest, body: Nothing) -> Verified:
        """Verify every entry against the signed heads in the heads file."""
        del body
        key = self._settings.seal_key.with_suffix(".pub")
        result = await verification.check(self._ctx.store, self._settings.seals, key)
        now = self._ctx.clock.now()
        await self._ctx.store.run(lambda tx: verification.record(tx, result, request.by, now))
        return Verified(
            sealed=result.sealed,
            unsealed=result.unsealed,
            findings=[str(finding) for finding in result.findings],
        )


class _Names:
    """The names of colleagues, campaigns and outcomes in one language."""

    def __init__(self, tx: Tx, rules: Rules, language: str) -> None:
        users = {user.id: user.name for user in accounts.every(tx)}
        campaigns = rules.current.campaigns.values()
        outcomes = {
            key: getattr(outcome.label, language)
            for campaign in campaigns
            for key, outcome in campaign.outcomes.items()
        }
        titles = {campaign.name: getattr(campaign.title, language) for campaign in campaigns}
        seats_of = {seat.id: users.get(seat.phoner, "") for seat in seats.every(tx)}
        self._names: dict[str, Mapping[Any, str]] = {
            **dict.fromkeys((*search.PEOPLE, *search.ACTORS), users),
            **dict.fromkeys(("outcome", "before"), outcomes),
            "campaign": titles,
            "seat": seats_of,
        }

    def of(self, row: dict[str, Any]) -> dict[str, str]:
        named = {
            field: self._names[field].get(_id(value), "")
            for field, value in row.items()
            if field in self._names and isinstance(value, int | str)
        }
        return {field: name for field, name in named.items() if name}


def _id(value: int | str) -> int | str:
    text = str(value).removeprefix("user:")
    return int(text) if text.isdecimal() else text


def _view(row: dict[str, Any], language: str, names: Mapping[str, str]) -> EntryView:
    details = {key: value for key, value in row.items() if key not in ("id", "leaf", "at", "kind")}
    return EntryView(
        id=row["id"],
        leaf=row["leaf"],
        at=row["at"],
        kind=row["kind"],
        said=texts.say(language, f"kind.{row['kind']}"),
        details=details,
        names=names,
    )
