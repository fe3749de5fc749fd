"""The suppressions' API: look-ups by number and new opt-outs.

A number comes in the body of a POST, never in an address, and every look-up is logged.
"""

from collections.abc import Sequence
from datetime import datetime

from callserver.console.endpoint import Endpoint, UserRequest
from callserver.console.suppressions.views import (
    KnownView,
    NewSuppression,
    NumberQuery,
    NumberView,
    SuppressionView,
)
from callserver.database import accounts, lifts, registers, suppressions
from callserver.domain import phone, subject
from callserver.domain.case import Source
from callserver.domain.case_rules import CaseKind
from callserver.domain.facts import Scope
from callserver.domain.role import Action
from callserver.engine.cases import intake
from callserver.engine.cases.intake import CaseRequest
from callserver.engine.context import EngineContext
from callserver.engine.identity import known_at
from callserver.engine.identity.known_at import Someone
from callserver.engine.once import once
from callserver.engine.rate_limits import RateLimited, RateLimits
from callserver.engine.suppressions import lifting, opt_outs
from callserver.engine.suppressions.opt_outs import Origin
from callserver.ports import Tx


class SuppressionsApi:
    """Finds and records opt-outs."""

    def __init__(self, ctx: EngineContext, pacing: RateLimits) -> None:
        self._ctx = ctx
        self._pacing = pacing

    def endpoints(self) -> list[Endpoint]:
        suppress = Action.SUPPRESS
        return [
            Endpoint("POST", "/suppressions/search", suppress, self.search),
            Endpoint("POST", "/suppressions", suppress, self.add, makes=True),
        ]

    async def search(self, request: UserRequest, body: NumberQuery) -> NumberView:
        """What is stored about a number. The look-up is logged."""
        number, now = phone.to_int(phone.typed(body.number)), self._ctx.clock.now()
        await self._pacing.step(RateLimited.LOOK_UP, request.user.id)

        def work(tx: Tx) -> NumberView:
            known = known_at.everybody(tx, number)
            opt_outs.record_look_up(tx, known_at.contacts_of(known), request.by, now)
            return self.view(tx, request, number, known)

        return await self._ctx.store.run(work)

    async def add(self, request: UserRequest, body: NewSuppression) -> NumberView:
        """Record an opt-out: it is in force before the answer, and a ringing telephone is silenced."""
        number, scope, now = (
            phone.to_int(phone.typed(body.number)),
            Scope(body.scope),
            self._ctx.clock.now(),
        )

        def work(tx: Tx) -> NumberView:
            known = known_at.everybody(tx, number)

            def make() -> int:
                if scope is Scope.COMPLAINT:
                    return self._complain(tx, request, body, number, known, now)
                origin = Origin(by=request.by, at=now, received_by=body.received_by)
                secret = self._ctx.secret
                return len(
                    opt_outs.add(tx, [scope], number, known, secret, origin, purpose=body.purpose)
                )

            added = once(tx, request.sent, now, make)
            return self.view(tx, request, number, known).model_copy(update={"added": added})

        return await self._ctx.store.run(work)

    def _complain(
        self,
        tx: Tx,
        request: UserRequest,
        body: NewSuppression,
        number: int,
        known: Sequence[Someone],
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

    def view(
        self, tx: Tx, request: UserRequest, number: int, known: Sequence[Someone]
    ) -> NumberView:
        """What is stored about the number and the persons known at it, now or formerly."""
        about = subject.everyone_at(number, known, self._ctx.secret)
        rules = self._ctx.rules
        names = {f"user:{user.id}": user.name for user in accounts.every(tx)}
        proposed = {key for lift in lifts.waiting(tx) for key in lift.suppressions}
        now = self._ctx.clock.now()
        listed = known_at.contacts_of(known)
        visible = [
            contact for contact in listed if request.sees(rules.department(contact.campaign))
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
                    received_by=suppression.received_by,
                    by_id_only=suppression.scope in opt_outs.NOT_LIFTED_BY_NUMBER,
                    undoable=suppression.lifted_at is None
                    and lifting.may_undo(suppression.by, suppression.at, request.user.id, now),
                    waits=suppression.id in proposed,
                )
                for suppression in suppressions.on_record(tx, about)
            ],
            known=[
                KnownView(
                    contact=row.id,
                    campaign=row.campaign,
                    title=rules.title(row.campaign),
                    name=row.name,
                    ref=row.ref,
                    formerly=row.number != number,
                )
                for row in visible
            ],
            others=len(listed) - len(visible),
            registers=registers.listed_on(tx, number),
        )
