"""The suppressions' room: who opted out, by number; opt-outs written down; lists and registers.

A number comes in the body of a POST, never in an address, and every look-up stands in the log.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta

from sqlalchemy import select
from starlette.responses import Response

from callserver.adapters.uploads import Uploads
from callserver.console.endpoint import Asked, Endpoint
from callserver.console.problems import said
from callserver.console.streaming import Tell, told
from callserver.console.suppressions.views import (
    CameIn,
    KnownView,
    ListQuery,
    NewNo,
    NoView,
    Number,
    NumberView,
    RegisterQuery,
    RegistersView,
    RegisterView,
)
from callserver.console.upload_receiver import receive
from callserver.database import accounts, audit, contacts, lifts, suppressions
from callserver.database.contacts import Contact
from callserver.database.side_connection import engine_aside
from callserver.database.tables import registers
from callserver.domain import phone, subject
from callserver.domain.audit import Kind
from callserver.domain.facts import Scope
from callserver.domain.role import Action
from callserver.engine.context import EngineContext
from callserver.engine.gate import register_needs
from callserver.engine.lists import number_files
from callserver.engine.lists.number_files import FixedWidth, NotNumbers, Numbers, check_register
from callserver.engine.rate_limits import RateLimited, RateLimits
from callserver.engine.suppressions import bulk_lists, lifting, opt_outs
from callserver.errors import ConfigurationProblem, Impossible
from callserver.ports import Tx
from callserver.settings import Settings


class SuppressionsApi:
    """What member service, supervisors, administrators and the project leader do about noes."""

    def __init__(
        self, ctx: EngineContext, uploads: Uploads, settings: Settings, pacing: RateLimits
    ) -> None:
        self._ctx = ctx
        self._pacing = pacing
        self._uploads = uploads
        self._database = settings.database
        self._most_mb = settings.most_upload_mb

    def endpoints(self) -> list[Endpoint]:
        suppress = Action.SUPPRESS
        return [
            Endpoint("POST", "/suppressions/search", suppress, self.search),
            Endpoint("POST", "/suppressions", suppress, self.add),
            Endpoint("POST", "/suppressions/import", suppress, self.import_list),
            Endpoint("GET", "/registers", suppress, self.registers),
            Endpoint("POST", "/registers/import", Action.IMPORT, self.import_register),
        ]

    async def search(self, asked: Asked, body: Number) -> NumberView:
        """What is on record about a number. The look-up stands in the log."""
        number, now = parsed(body.number), self._ctx.clock.now()
        await self._pacing.step(RateLimited.LOOK_UP, asked.user.id)

        def work(tx: Tx) -> NumberView:
            known = contacts.by_number(tx, number)
            ids = [one.id for one in known]
            audit.append(tx, now, Kind.LOOKED_UP, by=asked.by, contacts=ids, what="suppressions")
            return self.view(tx, asked, number, known)

        return await self._ctx.store.run(work)

    async def add(self, asked: Asked, body: NewNo) -> NumberView:
        """Write a no down: in force before the answer, and a telephone that rings is silenced."""
        number, scope, now = parsed(body.number), Scope(body.scope), self._ctx.clock.now()
        if body.purpose is not None and scope is not Scope.PURPOSE:
            raise Impossible("a purpose goes with the scope of one only", key="no_purpose")

        def work(tx: Tx) -> NumberView:
            known = contacts.by_number(tx, number)
            about = opt_outs.subjects(scope, number, known, self._ctx.secret)
            made = opt_outs.add(
                tx, about, scope, asked.by, now, purpose=body.purpose, heard=body.heard
            )
            shown = self.view(tx, asked, number, known)
            return shown.model_copy(update={"added": len(made)})

        return await self._ctx.store.run(work)

    async def import_list(self, asked: Asked, query: ListQuery) -> Response:
        """Suppress every number of a file (its bytes are the body): lines of progress, then figures."""
        now = self._ctx.clock.now()
        upload, _ = await receive(asked, self._uploads, now, self._most_mb)

        def work(tell: Tell) -> CameIn:
            found = self._numbers(asked, upload, query.column, tell, generous=True)
            tell(0, 0, "suppressions.writing")
            with engine_aside(self._database) as engine, engine.begin() as tx:
                added = bulk_lists.add_numbers(tx, found.numbers, query.name, asked.by, now)
            return _came_in(found, added)

        return told(asked, work)

    async def registers(self, asked: Asked) -> RegistersView:
        """Which issues of public registers we hold, how old they are, and how old they may be."""
        del asked
        now = self._ctx.clock.now()
        current = self._ctx.rules.current
        limits = [
            days
            for campaign in current.campaigns.values()
            if (days := current.policies[campaign.policy].register_rule.wash_days) is not None
        ]
        most = min(limits, default=None)

        def look(tx: Tx) -> RegistersView:
            rows = tx.execute(select(registers).order_by(registers.c.name, registers.c.version))
            found = []
            for row in rows:
                age = now - row.washed_at
                found.append(
                    RegisterView(
                        name=row.name,
                        version=row.version,
                        issued_at=row.washed_at,
                        size=row.size,
                        active=row.active,
                        days_old=age.days,
                        stale=row.active and most is not None and age > timedelta(days=most),
                    )
                )
            missing = register_needs.missing(tx, current)
            return RegistersView(registers=found, most_days=most, missing=missing)

        return await self._ctx.store.read(look)

    async def import_register(self, asked: Asked, query: RegisterQuery) -> Response:
        """Load a register's newest issue (the body): it takes effect all at once."""
        now = self._ctx.clock.now()
        upload, _ = await receive(asked, self._uploads, now, self._most_mb)

        def work(tell: Tell) -> CameIn:
            found = self._numbers(asked, upload, query.column, tell, check_register)
            tell(0, 0, "suppressions.writing")
            with engine_aside(self._database) as engine:
                bulk_lists.load_register(
                    engine,
                    found.numbers,
                    query.name,
                    query.issued_at or now,
                    now,
                    by=asked.by,
                    smaller=query.smaller,
                )
            return _came_in(found, len(found.numbers))

        return told(asked, work)

    def _numbers(
        self,
        asked: Asked,
        upload: str,
        column: str | None,
        tell: Tell,
        check: Callable[[Numbers], None] = lambda _: None,
        *,
        generous: bool = False,
    ) -> Numbers:
        tell(0, 0, "lists.reading")
        try:
            raw = self._uploads.read(upload, asked.user.id)
            found = number_files.read(raw, column=column, generous=generous)
            check(found)
        except (FixedWidth, NotNumbers):
            raise
        except ConfigurationProblem as error:
            why = said(error, asked.language)
            raise Impossible(str(error), key="no_numbers", why=why) from error
        else:
            return found
        finally:
            self._uploads.drop(upload, asked.user.id)

    def view(self, tx: Tx, asked: Asked, number: int, known: Sequence[Contact]) -> NumberView:
        """What is on record about the number and whoever is known at it."""
        about = {subject.of_number(number), subject.of_hash(number, self._ctx.secret)}
        about |= {subject.of_person(one.person) for one in known}
        about |= {subject.of_household(one.household) for one in known}
        campaigns = self._ctx.rules.current.campaigns
        names = {f"user:{user.id}": user.name for user in accounts.every(tx)}
        waits = {key for one in lifts.waiting(tx) for key in one.suppressions}
        now = self._ctx.clock.now()
        mine = [
            one
            for one in known
            if one.campaign in campaigns and asked.sees(campaigns[one.campaign].department)
        ]
        return NumberView(
            number=phone.masked(phone.from_int(number)),
            noes=[
                NoView(
                    id=one.id,
                    scope=one.scope,
                    purpose=one.purpose,
                    at=one.at,
                    lifted_at=one.lifted_at,
                    by=names.get(one.by, one.by),
                    list=one.list,
                    heard=one.heard,
                    by_id_only=one.scope in opt_outs.NOT_LIFTED_BY_NUMBER,
                    undoable=one.lifted_at is None
                    and lifting.may_undo(one.by, one.at, asked.user.id, now),
                    waits=one.id in waits,
                )
                for one in suppressions.on_record(tx, sorted(about))
            ],
            known=[
                KnownView(contact=one.id, campaign=one.campaign, name=one.name, ref=one.ref)
                for one in mine
            ],
            others=len(known) - len(mine),
            registers=bulk_lists.listed_on(tx, number),
        )


def parsed(text: str) -> int:
    """The number as somebody writes it.

    Raises:
        Impossible: it is none.
    """
    found = phone.parse(text)
    if isinstance(found, phone.NumberProblem):
        raise Impossible("this is no telephone number", key="number_wrong")
    return phone.to_int(found)


def _came_in(found: Numbers, added: int) -> CameIn:
    return CameIn(
        read=found.read,
        added=added,
        unchanged=len(found.numbers) - added,
        duplicates=found.duplicates,
        refused=len(found.refused),
        first_refused=[one.line for one in found.refused[:10]],
        encoding=found.encoding,
    )
