"""The who-called API: who called this number and why, and an immediate opt-out."""

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, Field

from callserver.console.endpoint import Answer, Body, Endpoint, UserRequest
from callserver.database import cases, contacts
from callserver.domain import phone
from callserver.domain.case import ReplyBy, Source
from callserver.domain.case_rules import CaseKind
from callserver.domain.facts import Scope
from callserver.domain.label import Label
from callserver.domain.role import Action
from callserver.engine.cases import intake
from callserver.engine.cases.intake import CaseRequest
from callserver.engine.context import EngineContext
from callserver.engine.identity import known_at
from callserver.engine.once import once
from callserver.engine.rate_limits import RateLimited, RateLimits
from callserver.engine.reporting import call_history, person_record
from callserver.engine.reporting.call_history_text import when, words
from callserver.engine.reporting.person_record import PersonRecord
from callserver.ports import Tx
from callserver.texts import say


class CallHistoryQuery(Body):
    number: str = Field(min_length=1, max_length=40)


class Sentence(Answer):
    text: str
    at: AwareDatetime | None


class Person(Answer):
    """A person known at the number, with one of their contacts."""

    contact: int
    name: str | None
    campaign: Label
    formerly: bool  # had the number, and has another one now


class WhoCalled(Answer):
    """What is known about calls to this number, in words that can be read out."""

    number: str
    said: list[Sentence]
    suppressed: bool
    elsewhere: int  # calls of departments that the user does not see
    people: list[Person]  # for users who may record facts about them


class OptOut(Body):
    number: str = Field(min_length=1, max_length=40)
    reach: Literal["never", "number", "household"]


class OptOutConfirmation(Answer):
    """A confirmation of the opt-out, to be read to the person."""

    text: str
    at: AwareDatetime


REACH = {
    "never": (Scope.NUMBER, Scope.PERSON),
    "number": (Scope.NUMBER,),
    "household": (Scope.NUMBER, Scope.HOUSEHOLD),
}
"""The scopes of each reach; the number itself always."""


class WhoCalledApi:
    """Looks numbers up. Each look-up is logged, so that people can be told who looked."""

    def __init__(self, ctx: EngineContext, pacing: RateLimits) -> None:
        self._ctx = ctx
        self._pacing = pacing

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("POST", "/who-called", Action.LOOK_UP, self.look_up),
            Endpoint("POST", "/who-called/opt-out", Action.SUPPRESS, self.opt_out, makes=True),
        ]

    async def look_up(self, request: UserRequest, body: CallHistoryQuery) -> WhoCalled:
        """Who called this number, and why? The look-up is logged."""
        number, rules = phone.typed(body.number), self._ctx.rules
        await self._pacing.step(RateLimited.LOOK_UP, request.user.id)
        secret, now = self._ctx.secret, self._ctx.clock.now()

        def look(tx: Tx) -> tuple[PersonRecord, list[Person]]:
            record = person_record.look_up(tx, phone.to_int(number), secret, request.by, now)
            return record, self._people(tx, request, number, now)

        record, people = await self._ctx.store.run(look)
        history = record.history
        visible = call_history.seen_by(history, rules, request.user.department)
        elsewhere = history.count - visible.count
        return WhoCalled(
            number=phone.spoken(number),
            said=[
                Sentence(text=sentence.text, at=sentence.at)
                for sentence in words(visible, rules, request.language, elsewhere=elsewhere)
            ],
            suppressed=bool(history.suppressed),
            elsewhere=elsewhere,
            people=people,
        )

    def _people(self, tx: Tx, request: UserRequest, number: str, at: datetime) -> list[Person]:
        """Each person once, also who had the number formerly; only persons on lists that the user sees."""
        if not request.may(Action.SUPPRESS):
            return []
        rules = self._ctx.rules
        key = phone.to_int(number)
        now = contacts.by_number(tx, key)
        formerly = known_at.contacts_of(known_at.formerly(tx, key, now))
        here = {contact.person for contact in now}
        people = {
            contact.person: Person(
                contact=contact.id,
                name=contact.name,
                campaign=rules.title(contact.campaign),
                formerly=contact.person not in here,
            )
            for contact in (*now, *formerly)
            if request.sees(rules.department(contact.campaign))
        }
        if shown := [person.contact for person in people.values() if person.formerly]:
            person_record.record_who_called(tx, shown, request.by, at)
        return list(people.values())

    async def opt_out(self, request: UserRequest, body: OptOut) -> OptOutConfirmation:
        """Record an opt-out: it is in force before the answer."""
        number = phone.typed(body.number)
        key, now = phone.to_int(number), self._ctx.clock.now()

        def work(tx: Tx) -> OptOutConfirmation:
            known = known_at.everybody(tx, key)
            # Where nobody is known only the number is stopped: more is not promised.
            sentence = body.reach if known or body.reach == "number" else "unknown"
            text = say(
                request.language,
                f"who_called.receipt_{sentence}",
                number=phone.spoken(number),
                when=when(now, request.language),
            )
            opt_out = CaseRequest(
                kind=CaseKind.OPT_OUT,
                source=Source.TELEPHONE,
                by=request.by,
                at=now,
                number=key,
                people=known,
                language=request.language,
                reply_by=ReplyBy.SPOKEN,
                told=text,
                scopes=REACH[body.reach] if known else (Scope.NUMBER,),
            )
            rules, secret = self._ctx.rules.current.cases, self._ctx.secret
            made = once(
                tx, request.sent, now, lambda: intake.open_case(tx, opt_out, rules, secret).id
            )
            row = cases.find(tx, made)
            assert row is not None  # noqa: S101 - it was written just now, or a moment ago
            return OptOutConfirmation(text=row.draft or text, at=row.opened_at)

        return await self._ctx.store.run(work)
