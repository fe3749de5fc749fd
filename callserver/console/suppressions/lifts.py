"""Lifting opt-outs: one colleague proposes, another decides; an own mistake can be undone at once."""

from datetime import date, datetime

from callserver.console.endpoint import Answer, Done, Endpoint, Nothing, UserRequest
from callserver.console.suppressions.api import SuppressionsApi
from callserver.console.suppressions.views import Lifting, NumberView, Undoing
from callserver.database import accounts, lifts, suppressions
from callserver.database.lifts import Lift
from callserver.domain import phone
from callserver.domain.role import Action
from callserver.engine.context import EngineContext
from callserver.engine.identity import known_at
from callserver.engine.suppressions import lifting, opt_outs
from callserver.errors import NotFound
from callserver.ports import Tx


class LiftView(Answer):
    """A proposal that waits for a second colleague."""

    id: int
    at: datetime
    by: str
    mine: bool  # then another colleague has to decide
    asked_on: date
    channel: str
    why: str
    scopes: list[str]
    numbers: list[str]  # masked, where the opt-out names a number
    opted_out: datetime  # the newest of its rows


class LiftsView(Answer):
    lifts: list[LiftView]


class Lifted(Answer):
    lifted: int


class LiftsApi:
    """Proposes and decides lifts; undoes an opt-out that the same user recorded."""

    def __init__(self, ctx: EngineContext, suppressions_api: SuppressionsApi) -> None:
        self._ctx = ctx
        self._suppressions_api = suppressions_api

    def endpoints(self) -> list[Endpoint]:
        path = "/suppressions/lifts/{lift}"
        return [
            Endpoint("POST", "/suppressions/lift", Action.LIFT, self.propose),
            Endpoint("GET", "/suppressions/lifts", Action.LIFT, self.waiting),
            Endpoint("POST", f"{path}/approve", Action.LIFT, self.approve),
            Endpoint("POST", f"{path}/refuse", Action.LIFT, self.refuse),
            Endpoint("POST", "/suppressions/undo", Action.SUPPRESS, self.undo),
        ]

    async def propose(self, request: UserRequest, body: Lifting) -> NumberView:
        """Propose to lift opt-outs at the person's newer request: by number, or one by its id.

        All suppressions of an opt-out are lifted together. A second colleague approves.
        """
        number, now = phone.to_int(phone.typed(body.number)), self._ctx.clock.now()

        def work(tx: Tx) -> NumberView:
            known = known_at.everybody(tx, number)
            why = opt_outs.check_why(body.why, known_at.contacts_of(known))
            # By the number alone, nothing of people who had it formerly: somebody who has it now asks.
            ids = [
                key
                for key, scope in opt_outs.in_force_at(
                    tx, number, self._ctx.secret, formerly=body.id is not None
                )
                if key == body.id
                or (body.id is None and scope not in opt_outs.NOT_LIFTED_BY_NUMBER)
            ]
            proposed = lifting.propose(
                tx,
                ids,
                request.user,
                asked_on=body.asked_on,
                channel=body.channel,
                why=why,
                now=now,
            )
            shown = self._suppressions_api.view(tx, request, number, known)
            return shown.model_copy(update={"proposed": len(proposed.suppressions)})

        return await self._ctx.store.run(work)

    async def waiting(self, request: UserRequest) -> LiftsView:
        """The undecided proposals."""

        def look(tx: Tx) -> LiftsView:
            names = {user.id: user.name for user in accounts.every(tx)}
            return LiftsView(lifts=[_view(tx, request, lift, names) for lift in lifts.waiting(tx)])

        return await self._ctx.store.read(look)

    async def approve(self, request: UserRequest, lift: int, body: Nothing) -> Lifted:
        """Lift the opt-outs. The account that proposed it cannot; a token counts as its user."""
        del body
        now = self._ctx.clock.now()
        return Lifted(
            lifted=await self._ctx.store.run(
                lambda tx: lifting.approve(tx, lift, request.user, now)
            )
        )

    async def refuse(self, request: UserRequest, lift: int, body: Nothing) -> Done:
        """Keep the opt-outs. The proposer can withdraw a proposal in this way."""
        del body
        now = self._ctx.clock.now()
        await self._ctx.store.run(lambda tx: lifting.refuse(tx, lift, request.user, now))
        return Done()

    async def undo(self, request: UserRequest, body: Undoing) -> NumberView:
        """Undo an opt-out that I recorded by mistake, within ten minutes."""
        number, now = phone.to_int(phone.typed(body.number)), self._ctx.clock.now()

        def work(tx: Tx) -> NumberView:
            secret = self._ctx.secret
            in_force = dict(opt_outs.in_force_at(tx, number, secret, formerly=True))
            if body.id not in in_force:
                raise NotFound("nothing in force that could be undone", key="nothing_lifted")
            undone = lifting.undo(tx, [body.id], request.user, now)
            shown = self._suppressions_api.view(tx, request, number, known_at.everybody(tx, number))
            return shown.model_copy(update={"lifted": undone})

        return await self._ctx.store.run(work)


def _view(tx: Tx, request: UserRequest, lift: Lift, names: dict[int, str]) -> LiftView:
    rows = suppressions.by_id(tx, lift.suppressions)
    numbers = [row.subject.partition(":")[2] for row in rows if row.scope == "number"]
    return LiftView(
        id=lift.id,
        at=lift.at,
        by=names.get(lift.by, str(lift.by)),
        mine=lift.by == request.user.id,
        asked_on=date.fromisoformat(lift.asked_on),
        channel=lift.channel,
        why=lift.why,
        scopes=list(dict.fromkeys(row.scope for row in rows)),
        numbers=[phone.masked(number) for number in numbers],
        opted_out=max(row.at for row in rows),
    )
