"""The cases page's API: requests and complaints, from the letter that is typed in to the answer.

Numbers and words come in bodies, never in addresses. Opening a case is logged.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import ClassVar

from callserver.console.cases.presentation import presented, presented_item
from callserver.console.cases.views import (
    CaseItem,
    CasesView,
    CaseView,
    Extension,
    HandOver,
    KindView,
    ListQuery,
    MonthQuery,
    MonthView,
    NewCase,
    Opened,
    Reply,
    Words,
)
from callserver.console.endpoint import Endpoint, Nothing, UserRequest
from callserver.console.live_sources import Causes, Updates
from callserver.database import accounts, cases, messages
from callserver.database.audit import Entry
from callserver.database.cases import CaseRow
from callserver.domain import phone
from callserver.domain.audit import EntryKind
from callserver.domain.case import SENT_BY_US
from callserver.domain.case_rules import CaseKind
from callserver.domain.role import Action
from callserver.engine.cases import handling, intake, report
from callserver.engine.cases.intake import CaseRequest
from callserver.engine.context import EngineContext
from callserver.engine.identity import known_at
from callserver.engine.once import once
from callserver.engine.rate_limits import RateLimited, RateLimits
from callserver.errors import Impossible
from callserver.ports import Tx


class CasesApi:
    """What member service, supervisors, administrators and the project leader see of cases, and do."""

    causes: ClassVar[Causes] = {"cases": {EntryKind.CASE, EntryKind.MESSAGE}}

    def __init__(self, ctx: EngineContext, rate_limits: RateLimits) -> None:
        self._ctx = ctx
        self._rate_limits = rate_limits

    def endpoints(self) -> list[Endpoint]:
        see, handle = Action.SEE_CASES, Action.HANDLE_CASES
        return [
            Endpoint("GET", "/cases", see, self.list),
            Endpoint("POST", "/cases", handle, self.open, makes=True),
            Endpoint("GET", "/cases/report", Action.SEE_REPORTS, self.report),
            Endpoint("GET", "/cases/{case}", see, self.one),
            Endpoint("POST", "/cases/{case}/note", handle, self.note, makes=True),
            Endpoint("POST", "/cases/{case}/hand-over", handle, self.hand_over),
            Endpoint("POST", "/cases/{case}/draft", handle, self.draft),
            Endpoint("POST", "/cases/{case}/confirm", handle, self.confirm),
            Endpoint("POST", "/cases/{case}/answer", handle, self.answer),
            Endpoint("POST", "/cases/{case}/extend", handle, self.extend),
            Endpoint("POST", "/cases/{case}/close", handle, self.close),
            Endpoint("POST", "/cases/{case}/messages/{message}/again", handle, self.again),
        ]

    async def updates(self, request: UserRequest, news: Sequence[Entry]) -> Updates:
        """The open cases, whenever a case or a message has changed."""
        kinds = (EntryKind.CASE, EntryKind.MESSAGE)
        if not request.may(Action.SEE_CASES) or not any(
            entry.body["kind"] in kinds for entry in news
        ):
            return ()
        by_others = {
            int(entry.body["case"])
            for entry in news
            if entry.body["kind"] in kinds
            and entry.body.get("case") is not None
            and entry.body.get("by") != request.by
        }

        def seen(tx: Tx) -> list[int]:
            rows = (cases.find(tx, key) for key in sorted(by_others))
            return [row.id for row in rows if row is not None and handling.sees(row, request.user)]

        view = await self.list(request, ListQuery())
        changed = await self._ctx.store.read(seen) if by_others else []
        return [("cases", view.model_copy(update={"changed": changed}))]

    async def list(self, request: UserRequest, query: ListQuery) -> CasesView:
        """The open cases, the earliest deadline first; or the closed ones."""
        now = self._ctx.clock.now()

        def look(tx: Tx) -> CasesView:
            names = {user.id: user.name for user in accounts.every(tx)}
            failed = messages.cases_with_failures(tx)
            rows = cases.listed(tx, closed=query.closed)
            items: list[CaseItem] = [
                presented_item(row, request, names, now, failed=row.id in failed)
                for row in rows
                if handling.sees(row, request.user)
            ]
            return CasesView(cases=items)

        return await self._ctx.store.read(look)

    async def open(self, request: UserRequest, body: NewCase) -> Opened:
        """Open a case. If a known person wants no more calls, none is made from this moment on.

        Raises:
            Impossible: an opt-out without a number, or an invalid address.
        """
        number = phone.to_int(phone.typed(body.number)) if body.number.strip() else None
        if number is None and body.kind is CaseKind.OPT_OUT:
            raise Impossible("an opt-out needs the number", key="opt_out_number")
        now, rules = self._ctx.clock.now(), self._ctx.rules.current.cases

        def work(tx: Tx) -> Opened:
            made = CaseRequest(
                kind=body.kind,
                source=body.source,
                by=request.by,
                at=now,
                number=number,
                people=[] if number is None else known_at.everybody(tx, number),
                language=body.language,
                words=body.words.strip() or None,
                reply_by=body.reply_by,
                reply_to=body.reply_to,
            )
            secret = self._ctx.secret
            key = once(tx, request.sent, now, lambda: intake.open_case(tx, made, rules, secret).id)
            row = cases.find(tx, key)
            assert row is not None  # noqa: S101 - it was written just now, or a moment ago
            told = body.reply_by is not None and body.reply_by not in SENT_BY_US
            unprotected = intake.protects_nobody(made)
            return Opened(
                id=row.id,
                state=row.state,
                deadline=row.deadline,
                receipt=intake.receipt(row, rules) if told and not unprotected else None,
                unprotected=unprotected,
            )

        return await self._ctx.store.run(work)

    async def report(self, request: UserRequest, query: MonthQuery) -> MonthView:
        """Figures of the cases that were opened in a month, without names."""
        del request
        now = self._ctx.clock.now()
        month = query.month or report.current_month(now)
        figures = await self._ctx.store.read(lambda tx: report.monthly(tx, month, now))
        return MonthView(month=month, kinds=[KindView(**asdict(figure)) for figure in figures])

    async def one(self, request: UserRequest, case: int) -> CaseView:
        """One case with its history. The reading is logged."""
        await self._rate_limits.step(RateLimited.LOOK_UP, request.user.id)
        now = self._ctx.clock.now()

        def look(tx: Tx) -> CaseView:
            handling.look_at(tx, case, request.user, now)
            return self._view(tx, request, case)

        return await self._ctx.store.run(look)

    async def note(self, request: UserRequest, case: int, body: Words) -> CaseView:
        """Add a note; it is deleted with the words of the case."""
        now = self._ctx.clock.now()

        def work(tx: Tx) -> CaseView:
            once(
                tx, request.sent, now, lambda: handling.note(tx, case, request.user, body.text, now)
            )
            return self._view(tx, request, case)

        return await self._ctx.store.run(work)

    async def hand_over(self, request: UserRequest, case: int, body: HandOver) -> CaseView:
        """Another colleague owns the case from now on."""
        now = self._ctx.clock.now()

        def work(tx: Tx) -> CaseView:
            handling.hand_over(tx, case, request.user, body.to, now)
            return self._view(tx, request, case)

        return await self._ctx.store.run(work)

    async def draft(self, request: UserRequest, case: int, body: Words) -> CaseView:
        """Write the answer. A confirmation of an earlier answer does not count for it."""
        now, rules = self._ctx.clock.now(), self._ctx.rules.current.cases

        def work(tx: Tx) -> CaseView:
            handling.draft(tx, case, request.user, body.text, rules, now)
            return self._view(tx, request, case)

        return await self._ctx.store.run(work)

    async def confirm(self, request: UserRequest, case: int, body: Words) -> CaseView:
        """Put a second name under the answer; `text` is the answer as it was read."""
        now = self._ctx.clock.now()

        def work(tx: Tx) -> CaseView:
            handling.confirm(tx, case, request.user, body.text, now)
            return self._view(tx, request, case)

        return await self._ctx.store.run(work)

    async def answer(self, request: UserRequest, case: int, body: Reply) -> CaseView:
        """Send the answer, or record that the person has it."""
        now, rules = self._ctx.clock.now(), self._ctx.rules.current.cases

        def work(tx: Tx) -> CaseView:
            handling.answer(tx, case, request.user, body.by, body.to, rules, now, text=body.text)
            return self._view(tx, request, case)

        return await self._ctx.store.run(work)

    async def extend(self, request: UserRequest, case: int, body: Extension) -> CaseView:
        """A later deadline, with a reason that stays in the log."""
        now, rules = self._ctx.clock.now(), self._ctx.rules.current.cases

        def work(tx: Tx) -> CaseView:
            handling.extend(tx, case, request.user, body.until, body.why, rules, now)
            return self._view(tx, request, case)

        return await self._ctx.store.run(work)

    async def close(self, request: UserRequest, case: int, body: Nothing) -> CaseView:
        """Close an answered case."""
        del body
        now = self._ctx.clock.now()

        def work(tx: Tx) -> CaseView:
            handling.close(tx, case, request.user, now)
            return self._view(tx, request, case)

        return await self._ctx.store.run(work)

    async def again(self, request: UserRequest, case: int, message: int, body: Nothing) -> CaseView:
        """Send a message again that was given up, or that may not have arrived."""
        del body
        now = self._ctx.clock.now()

        def work(tx: Tx) -> CaseView:
            handling.send_again(tx, case, message, request.user, now)
            return self._view(tx, request, case)

        return await self._ctx.store.run(work)

    def _view(self, tx: Tx, request: UserRequest, key: int) -> CaseView:
        row: CaseRow = handling.find(tx, key, request.user)
        return presented(tx, row, request, self._ctx.rules.current.cases, self._ctx.clock.now())
