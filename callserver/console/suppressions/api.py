"""The suppressions' API: look-ups by number, new opt-outs, lists and registers.

A number comes in the body of a POST, never in an address, and every look-up is logged.
"""

import io
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from starlette.responses import Response

from callserver.adapters.uploads import Uploads
from callserver.console.endpoint import Endpoint, UserRequest
from callserver.console.problems import said
from callserver.console.streaming import ReportProgress, progress_response
from callserver.console.suppressions.views import (
    KnownView,
    ListQuery,
    NewSuppression,
    NumberQuery,
    NumbersImported,
    NumberView,
    PeopleView,
    RegisterQuery,
    RegistersView,
    RegisterView,
    SuppressionView,
)
from callserver.console.upload_receiver import receive
from callserver.database import accounts, contacts, lifts, registers, suppressions
from callserver.database.contacts import Contact
from callserver.database.side_connection import side_engine
from callserver.domain import phone, robinson, subject
from callserver.domain.case import Source
from callserver.domain.case_rules import CaseKind
from callserver.domain.facts import Scope
from callserver.domain.register_match import Match
from callserver.domain.role import Action
from callserver.engine.cases import intake
from callserver.engine.cases.intake import CaseRequest
from callserver.engine.context import EngineContext
from callserver.engine.gate import register_needs
from callserver.engine.lists import number_files
from callserver.engine.lists.number_files import FixedWidth, NotNumbers, Numbers, check_register
from callserver.engine.rate_limits import RateLimited, RateLimits
from callserver.engine.suppressions import lifting, official_register, opt_outs, public_registers
from callserver.engine.suppressions.opt_outs import Origin
from callserver.errors import ConfigurationProblem, Impossible
from callserver.ports import Tx
from callserver.settings import Settings


class SuppressionsApi:
    """Finds and records opt-outs, and imports lists of opt-outs and registers."""

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

    async def search(self, request: UserRequest, body: NumberQuery) -> NumberView:
        """What is stored about a number. The look-up is logged."""
        number, now = parsed(body.number), self._ctx.clock.now()
        await self._pacing.step(RateLimited.LOOK_UP, request.user.id)

        def work(tx: Tx) -> NumberView:
            known = contacts.by_number(tx, number)
            opt_outs.record_look_up(tx, known, request.by, now)
            return self.view(tx, request, number, known)

        return await self._ctx.store.run(work)

    async def add(self, request: UserRequest, body: NewSuppression) -> NumberView:
        """Record an opt-out: it is in force before the answer, and a ringing telephone is silenced."""
        number, scope, now = parsed(body.number), Scope(body.scope), self._ctx.clock.now()

        def work(tx: Tx) -> NumberView:
            known = contacts.by_number(tx, number)
            if scope is Scope.COMPLAINT:
                added = self._complain(tx, request, body, number, known, now)
            else:
                origin = Origin(by=request.by, at=now, received_by=body.received_by)
                made = opt_outs.add(
                    tx, [scope], number, known, self._ctx.secret, origin, purpose=body.purpose
                )
                added = len(made)
            return self.view(tx, request, number, known).model_copy(update={"added": added})

        return await self._ctx.store.run(work)

    def _complain(
        self,
        tx: Tx,
        request: UserRequest,
        body: NewSuppression,
        number: int,
        known: Sequence[Contact],
        now: datetime,
    ) -> int:
        """A complaint is also a case of the project leader; how many suppressions were written.

        Raises:
            Impossible: a purpose was given, or nobody is known at the number.
        """
        complaint = CaseRequest(
            kind=CaseKind.COMPLAINT,
            source=Source(body.received_by),
            by=request.by,
            at=now,
            number=number,
            people=known,
            scopes=(Scope.COMPLAINT,),
            purpose=body.purpose,
        )
        intake.open_case(tx, complaint, self._ctx.rules.current.cases, self._ctx.secret)
        return len({contact.person for contact in known})

    async def import_list(self, request: UserRequest, query: ListQuery) -> Response:
        """Suppress every number of a file (its bytes are the body): lines of progress, then figures."""
        now = self._ctx.clock.now()
        upload, _ = await receive(request, self._uploads, now, self._most_mb)

        def work(progress: ReportProgress) -> NumbersImported:
            numbers = self._numbers(request, upload, query.column, progress, generous=True)
            progress(0, 0, "suppressions.writing")
            with side_engine(self._database, self._ctx.secret) as engine, engine.begin() as tx:
                origin = Origin(by=request.by, at=now)
                added = opt_outs.add_listed(tx, Scope.NUMBER, numbers.numbers, query.name, origin)
            return _numbers_imported(numbers, added)

        return progress_response(request, work)

    async def registers(self, request: UserRequest) -> RegistersView:
        """The issues of public registers that are stored, their age, and how old they may be."""
        del request
        now = self._ctx.clock.now()
        current = self._ctx.rules.current
        limits = [
            days
            for campaign in current.campaigns.values()
            if (days := current.policies[campaign.policy].register_rule.wash_days) is not None
        ]
        most = min(limits, default=None)

        def look(tx: Tx) -> RegistersView:
            shown = []
            for row in registers.every(tx):
                age = now - row.washed_at
                shown.append(
                    RegisterView(
                        name=row.name,
                        version=row.version,
                        kind=row.kind,
                        issued_at=row.washed_at,
                        size=row.size,
                        active=row.active,
                        days_old=age.days,
                        stale=row.active and most is not None and age > timedelta(days=most),
                    )
                )
            missing = register_needs.missing(tx, current)
            return RegistersView(registers=shown, most_days=most, missing=missing)

        return await self._ctx.store.read(look)

    async def import_register(self, request: UserRequest, query: RegisterQuery) -> Response:
        """Import a register's newest issue (the body): it takes effect in one step."""
        now = self._ctx.clock.now()
        upload, _ = await receive(request, self._uploads, now, self._most_mb)

        def work(progress: ReportProgress) -> NumbersImported:
            raw = self._uploads.read(upload, request.user.id)
            if robinson.is_official(io.BytesIO(raw)):
                self._uploads.drop(upload, request.user.id)
                return self._official(request, raw, query, now, progress)
            numbers = self._numbers(request, upload, query.column, progress, check_register)
            progress(0, 0, "suppressions.writing")
            with side_engine(self._database) as engine:
                public_registers.load(
                    engine,
                    numbers.numbers,
                    query.name,
                    query.issued_at or now,
                    now,
                    self._ctx.rules.current,
                    by=request.by,
                    smaller=query.smaller,
                )
            return _numbers_imported(numbers, len(numbers.numbers))

        return progress_response(request, work)

    def _official(
        self,
        request: UserRequest,
        raw: bytes,
        query: RegisterQuery,
        now: datetime,
        progress: ReportProgress,
    ) -> NumbersImported:
        """The official file: names and addresses, compared with everybody on the lists."""
        with side_engine(self._database) as engine:
            loaded = official_register.load(
                engine,
                io.BytesIO(raw),
                query.name,
                query.issued_at,
                now,
                self._ctx.rules.current,
                by=request.by,
                smaller=query.smaller,
                progress=progress,
            )
        content, results = loaded.content, loaded.results
        return NumbersImported(
            read=content.read,
            added=content.records,
            unchanged=0,
            duplicates=0,
            refused=content.refused,
            first_refused=[problem.line for problem in content.problems[:10]],
            people=PeopleView(
                listed=results.get(Match.YES, 0),
                unsure=results.get(Match.UNSURE, 0),
                clear=results.get(Match.NO, 0),
            ),
        )

    def _numbers(
        self,
        request: UserRequest,
        upload: str,
        column: str | None,
        progress: ReportProgress,
        check: Callable[[Numbers], None] = lambda _: None,
        *,
        generous: bool = False,
    ) -> Numbers:
        progress(0, 0, "lists.reading")
        try:
            raw = self._uploads.read(upload, request.user.id)
            numbers = number_files.read(raw, column=column, generous=generous)
            check(numbers)
        except (FixedWidth, NotNumbers):
            raise
        except ConfigurationProblem as error:
            why = said(error, request.language)
            raise Impossible(str(error), key="no_numbers", why=why) from error
        else:
            return numbers
        finally:
            self._uploads.drop(upload, request.user.id)

    def view(
        self, tx: Tx, request: UserRequest, number: int, known: Sequence[Contact]
    ) -> NumberView:
        """What is stored about the number and the persons known at it."""
        about = subject.everyone_at(number, known, self._ctx.secret)
        campaigns = self._ctx.rules.current.campaigns
        names = {f"user:{user.id}": user.name for user in accounts.every(tx)}
        proposed = {key for lift in lifts.waiting(tx) for key in lift.suppressions}
        now = self._ctx.clock.now()
        visible = [
            contact
            for contact in known
            if contact.campaign in campaigns
            and request.sees(campaigns[contact.campaign].department)
        ]
        return NumberView(
            number=phone.masked(phone.from_int(number)),
            opt_outs=[
                SuppressionView(
                    id=suppression.id,
                    scope=suppression.scope,
                    purpose=suppression.purpose,
                    at=suppression.at,
                    lifted_at=suppression.lifted_at,
                    by=names.get(suppression.by, suppression.by),
                    list=suppression.list,
                    received_by=suppression.heard,
                    by_id_only=suppression.scope in opt_outs.NOT_LIFTED_BY_NUMBER,
                    undoable=suppression.lifted_at is None
                    and lifting.may_undo(suppression.by, suppression.at, request.user.id, now),
                    waits=suppression.id in proposed,
                )
                for suppression in suppressions.on_record(tx, about)
            ],
            known=[
                KnownView(contact=row.id, campaign=row.campaign, name=row.name, ref=row.ref)
                for row in visible
            ],
            others=len(known) - len(visible),
            registers=registers.listed_on(tx, number),
        )


def parsed(text: str) -> int:
    """A number as a user writes it.

    Raises:
        Impossible: it is not a telephone number.
    """
    number = phone.parse(text)
    if isinstance(number, phone.NumberProblem):
        raise Impossible("this is not a telephone number", key="number_wrong")
    return phone.to_int(number)


def _numbers_imported(numbers: Numbers, added: int) -> NumbersImported:
    return NumbersImported(
        read=numbers.read,
        added=added,
        unchanged=len(numbers.numbers) - added,
        duplicates=numbers.duplicates,
        refused=len(numbers.refused),
        first_refused=[row.line for row in numbers.refused[:10]],
        encoding=numbers.encoding,
    )
