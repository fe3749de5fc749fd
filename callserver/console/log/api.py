"""The audit log's room: searched, and verified against the heads that left the database.

Searching is logged as well: the search is an entry, with what was looked for.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import AwareDatetime, Field

from callserver import texts
from callserver.console.endpoint import Answer, Asked, Body, Endpoint, Nothing
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
    """One entry: its kind in words, what it holds, and the names of what it holds ids of.

    `names`: field -> a colleague's name, a campaign's title or an outcome's; nobody who is called.
    """

    id: int
    leaf: int | None  # its place among the sealed ones; none: not sealed yet
    at: AwareDatetime
    kind: EntryKind
    said: str
    details: Mapping[str, Any]
    names: Mapping[str, str]


class Found(Answer):
    """The newest that fit, newest first; `before` asks for the next page, none: that was all."""

    entries: list[EntryView]
    before: int | None


class Verified(Answer):
    """What a verification of the whole log found."""

    sealed: int
    unsealed: int
    findings: list[str]


class LogApi:
    """Looking at the log."""

    def __init__(self, ctx: EngineContext, settings: Settings) -> None:
        self._ctx = ctx
        self._settings = settings

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("POST", "/log", Action.SEE_AUDIT, self.search),
            Endpoint("POST", "/log/verify", Action.SEE_AUDIT, self.verify),
        ]

    async def search(self, asked: Asked, body: Search) -> Found:
        """Entries of my department that fit, newest first. The search itself is logged."""
        now = self._ctx.clock.now()
        wanted = audit.LogQuery(
            tuple(kind.value for kind in body.kinds),
            body.contact,
            body.call,
            body.since,
            body.until,
            body.before,
        )
        looked = body.model_dump(mode="json", exclude_defaults=True)

        if body.before is None:  # the next page of the same search is the same look
            await self._ctx.store.run(lambda tx: search.record(tx, asked.by, looked, now))
        rules, department = self._ctx.rules, asked.user.department

        def look(tx: Tx) -> Found:
            rows, before = search.search(tx, rules, wanted, department, MOST)
            names = _Names(tx, rules, asked.language)
            entries = [_view(row, asked.language, names.of(row)) for row in rows]
            return Found(entries=entries, before=before)

        return await self._ctx.store.read(look)

    async def verify(self, asked: Asked, body: Nothing) -> Verified:
        """Check every entry against the signed heads that left the database."""
        del body
        key = self._settings.seal_key.with_suffix(".pub")
        result = await verification.check(self._ctx.store, self._settings.seals, key)
        now = self._ctx.clock.now()
        await self._ctx.store.run(lambda tx: verification.record(tx, result, asked.by, now))
        return Verified(
            sealed=result.sealed,
            unsealed=result.unsealed,
            findings=[str(finding) for finding in result.findings],
        )


class _Names:
    """What colleagues, campaigns and outcomes are called in one language."""

    def __init__(self, tx: Tx, rules: Rules, language: str) -> None:
        users = {user.id: user.name for user in accounts.every(tx)}
        campaigns = rules.current.campaigns.values()
        outcomes = {
            key: getattr(one.label, language)
            for campaign in campaigns
            for key, one in campaign.outcomes.items()
        }
        titles = {one.name: getattr(one.title, language) for one in campaigns}
        seats_of = {seat.id: users.get(seat.phoner, "") for seat in seats.every(tx)}
        self._known: dict[str, Mapping[Any, str]] = {
            **dict.fromkeys((*search.PEOPLE, *search.ACTORS), users),
            **dict.fromkeys(("outcome", "before"), outcomes),
            "campaign": titles,
            "seat": seats_of,
        }

    def of(self, row: dict[str, Any]) -> dict[str, str]:
        named = {
            field: self._known[field].get(_id(value), "")
            for field, value in row.items()
            if field in self._known and isinstance(value, int | str)
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
