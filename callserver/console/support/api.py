"""Support: a phoner's private box on every page of theirs, and the supervisors' page."""

from collections.abc import Callable, Mapping

from callserver.console.endpoint import Endpoint, Nothing, UserRequest
from callserver.console.support.views import (
    AnswerWords,
    Colleague,
    HardTimeView,
    MyMessage,
    MySupport,
    NewMessage,
    Offer,
    Report,
    Reported,
    SupportMessage,
    SupportView,
    Talked,
    TalkView,
)
from callserver.database import accounts, support
from callserver.database.support import Talk
from callserver.domain.role import Action
from callserver.domain.support import MessageKind, MessageState, break_until
from callserver.engine.context import EngineContext
from callserver.engine.once import once
from callserver.engine.support import messages, talks
from callserver.engine.support.harassment import HarassmentReports
from callserver.ports import Tx


class SupportApi:
    """Phoners write, report and book; supervisors answer, offer and see who needs a talk."""

    def __init__(self, ctx: EngineContext, reports: HarassmentReports) -> None:
        self._ctx = ctx
        self._reports = reports

    def endpoints(self) -> list[Endpoint]:
        ask, give = Action.ASK_SUPPORT, Action.GIVE_SUPPORT
        message, talk = "/support/messages/{message}", "/support/talks/{talk}"
        return [
            Endpoint("GET", "/support/mine", ask, self.mine),
            Endpoint("POST", "/support/messages", ask, self.send, makes=True),
            Endpoint("POST", "/support/harassment", ask, self.report),
            Endpoint("POST", f"{talk}/book", ask, self.book),
            Endpoint("POST", f"{talk}/cancel", ask, self.cancel),
            Endpoint("GET", "/support", give, self.all),
            Endpoint("POST", f"{message}/take", give, self.take),
            Endpoint("POST", f"{message}/answer", give, self.answer),
            Endpoint("POST", f"{message}/close", give, self.close),
            Endpoint("POST", "/support/talks", give, self.offer, makes=True),
            Endpoint("POST", f"{talk}/withdraw", give, self.withdraw),
            Endpoint("POST", f"{talk}/held", give, self.held),
            Endpoint("POST", "/support/talked", give, self.talked),
        ]

    # -- a phoner's ----------------------------------------------------------------------------

    async def mine(self, request: UserRequest) -> MySupport:
        """My messages with their answers, and conversations that I have booked or may book."""
        now, rules = self._ctx.clock.now(), self._ctx.rules.current.organisation.support
        user = request.user

        def look(tx: Tx) -> MySupport:
            written = support.of_phoner(tx, user.id)
            booked = [row for row in support.talks_of(tx, phoner=user.id) if row.at >= now]
            free = support.free_talks(tx, user.department, now)
            people = {row.to for row in written} | {row.taken_by for row in written}
            names = accounts.names(tx, people | {row.supervisor for row in (*booked, *free)})
            reported = support.last_report(tx, user.id)
            ends = None if reported is None else break_until(reported, rules)
            return MySupport(
                now=now,
                in_call=messages.in_call(tx, user),
                supervisors=[
                    Colleague(id=supervisor.id, name=supervisor.name)
                    for supervisor in messages.supervisors_of(tx, user.department)
                ],
                messages=[
                    MyMessage(
                        id=row.id,
                        at=row.at,
                        kind=MessageKind(row.kind),
                        state=MessageState(row.state),
                        to=None if row.to is None else names.get(row.to, ""),
                        words=row.words,
                        taken_by=None if row.taken_by is None else names.get(row.taken_by, ""),
                        answered_at=row.answered_at,
                        answer=row.answer,
                    )
                    for row in written
                ],
                booked=[_talk(row, names, row.supervisor) for row in booked],
                free=[_talk(row, names, row.supervisor) for row in free],
                break_until=ends if ends is not None and ends > now else None,
            )

        return await self._ctx.store.read(look)

    async def send(self, request: UserRequest, body: NewMessage) -> MySupport:
        """Write to my supervisors, or to one of them. Not during a call."""
        now = self._ctx.clock.now()
        user, words, to = request.user, body.words, body.to
        await self._ctx.store.run(
            lambda tx: once(tx, request.sent, now, lambda: messages.send(tx, user, words, to, now))
        )
        return await self.mine(request)

    async def report(self, request: UserRequest, body: Report) -> Reported:
        """Report harassment: the call ends, I have a break, the person is not called again."""
        key = await self._reports.report(request.user, body.attempt, body.words)
        row = await self._ctx.store.read(
            lambda tx: next(
                message
                for message in support.of_phoner(tx, request.user.id, 100)
                if message.id == key
            )
        )
        rules = self._ctx.rules.current.organisation.support
        return Reported(message=key, break_until=break_until(row.at, rules))

    async def book(self, request: UserRequest, talk: int, body: Nothing) -> MySupport:
        """Book a conversation."""
        del body
        now = self._ctx.clock.now()
        await self._ctx.store.run(lambda tx: talks.book(tx, request.user, talk, now))
        return await self.mine(request)

    async def cancel(self, request: UserRequest, talk: int, body: Nothing) -> MySupport:
        """Cancel my booking."""
        del body
        now = self._ctx.clock.now()
        await self._ctx.store.run(lambda tx: talks.cancel(tx, request.user, talk, now))
        return await self.mine(request)

    # -- a supervisor's ------------------------------------------------------------------------

    async def all(self, request: UserRequest) -> SupportView:
        """Messages to me, phoners to talk with, and the conversations that I offer."""
        now, user = self._ctx.clock.now(), request.user

        def look(tx: Tx) -> SupportView:
            names = {account.id: account.name for account in accounts.every(tx)}
            return SupportView(
                now=now,
                messages=[
                    SupportMessage(
                        id=row.id,
                        at=row.at,
                        phoner=row.phoner,
                        name=names.get(row.phoner, ""),
                        kind=MessageKind(row.kind),
                        state=MessageState(row.state),
                        to_me=row.to == user.id,
                        words=row.words,
                        taken_by=None if row.taken_by is None else names.get(row.taken_by, ""),
                        mine=row.taken_by == user.id,
                        answered_at=row.answered_at,
                        answer=row.answer,
                    )
                    for row in support.to_supervisor(tx, user.id, user.department)
                    if row.state != MessageState.CLOSED
                ],
                hard=[
                    HardTimeView(
                        phoner=hard_time.phoner.id,
                        name=hard_time.phoner.name,
                        reasons=list(hard_time.reasons),
                        last_talked=hard_time.last_talked,
                    )
                    for hard_time in talks.hard_times(tx, self._ctx.rules, user, now)
                ],
                talks=[
                    _talk(row, names, row.phoner)
                    for row in support.talks_of(tx, supervisor=user.id)
                ],
            )

        return await self._ctx.store.read(look)

    async def take(self, request: UserRequest, message: int, body: Nothing) -> SupportView:
        """Say that I answer this message."""
        del body
        now = self._ctx.clock.now()
        return await self._after(request, lambda tx: messages.take(tx, request.user, message, now))

    async def answer(self, request: UserRequest, message: int, body: AnswerWords) -> SupportView:
        """Answer a message; the phoner reads it on their page."""
        now = self._ctx.clock.now()
        return await self._after(
            request, lambda tx: messages.answer(tx, request.user, message, body.words, now)
        )

    async def close(self, request: UserRequest, message: int, body: Nothing) -> SupportView:
        """Close an answered message."""
        del body
        now = self._ctx.clock.now()
        return await self._after(request, lambda tx: messages.close(tx, request.user, message, now))

    async def offer(self, request: UserRequest, body: Offer) -> SupportView:
        """Offer a time for a conversation."""
        now = self._ctx.clock.now()

        def work(tx: Tx) -> None:
            user, at, minutes = request.user, body.at, body.minutes
            once(tx, request.sent, now, lambda: talks.offer(tx, user, at, minutes, now))

        return await self._after(request, work)

    async def withdraw(self, request: UserRequest, talk: int, body: Nothing) -> SupportView:
        """Withdraw a conversation that I offer."""
        del body
        now = self._ctx.clock.now()
        return await self._after(request, lambda tx: talks.withdraw(tx, request.user, talk, now))

    async def held(self, request: UserRequest, talk: int, body: Nothing) -> SupportView:
        """A booked conversation took place."""
        del body
        now = self._ctx.clock.now()
        return await self._after(request, lambda tx: talks.held(tx, request.user, talk, now))

    async def talked(self, request: UserRequest, body: Talked) -> SupportView:
        """I have talked with a phoner, without a booking."""
        now = self._ctx.clock.now()
        return await self._after(
            request, lambda tx: talks.talked(tx, request.user, body.phoner, now)
        )

    async def _after(self, request: UserRequest, work: Callable[[Tx], None]) -> SupportView:
        await self._ctx.store.run(work)
        return await self.all(request)


def _talk(row: Talk, names: Mapping[int, str], other: int | None) -> TalkView:
    name = None if other is None else names.get(other, "")
    return TalkView(id=row.id, at=row.at, minutes=row.minutes, with_name=name)
