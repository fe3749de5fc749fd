"""The who-called API: who called this number and why, and an immediate opt-out."""

from typing import Literal

from pydantic import AwareDatetime, Field

from callserver.console.endpoint import Answer, Asked, Body, Endpoint
from callserver.database import contacts
from callserver.domain import phone
from callserver.domain.campaign import Label
from callserver.domain.facts import Scope
from callserver.domain.phone import NumberProblem
from callserver.domain.role import Action
from callserver.engine.context import EngineContext
from callserver.engine.rate_limits import RateLimited, RateLimits
from callserver.engine.reporting.call_history import CallHistory as Known
from callserver.engine.reporting.call_history import why
from callserver.engine.reporting.call_history_text import when, words
from callserver.engine.suppressions import opt_outs
from callserver.engine.suppressions.opt_outs import Origin
from callserver.errors import Impossible
from callserver.ports import Tx
from callserver.texts import say


class Asking(Body):
    number: str = Field(min_length=1, max_length=40)


class Sentence(Answer):
    text: str
    at: AwareDatetime | None


class Person(Answer):
    """Somebody known at the number: one of their contacts stands for them."""

    contact: int
    name: str | None
    campaign: Label


class WhoCalled(Answer):
    """What is known about calls to this number, in words that can be read out."""

    number: str
    said: list[Sentence]
    suppressed: bool
    elsewhere: int  # calls by departments that the asker does not see
    people: list[Person]  # for who may record something about them


class OptOut(Body):
    number: str = Field(min_length=1, max_length=40)
    reach: Literal["never", "number", "household"]


class Receipt(Answer):
    """What was stopped, to be read out to the person."""

    text: str
    at: AwareDatetime


REACH = {
    "never": (Scope.NUMBER, Scope.PERSON),
    "number": (Scope.NUMBER,),
    "household": (Scope.NUMBER, Scope.HOUSEHOLD),
}
"""The number itself always; the people or the household known at it as well."""


class WhoCalledApi:
    """Looks numbers up. Each look-up is an audit entry: people may ask who looked."""

    def __init__(self, ctx: EngineContext, pacing: RateLimits) -> None:
        self._ctx = ctx
        self._pacing = pacing

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("POST", "/who-called", Action.LOOK_UP, self.look_up),
            Endpoint("POST", "/who-called/opt-out", Action.SUPPRESS, self.opt_out),
        ]

    async def look_up(self, asked: Asked, body: Asking) -> WhoCalled:
        """Who called this number, and why? The look-up is logged."""
        number, rules = _number(body.number), self._ctx.rules
        await self._pacing.step(RateLimited.LOOK_UP, asked.user.id)
        secret, now = self._ctx.secret, self._ctx.clock.now()

        def look(tx: Tx) -> tuple[Known, list[Person]]:
            return why(tx, number, secret, asked.by, now), self._people(tx, asked, number)

        whole, people = await self._ctx.store.run(look)
        visible = self._visible(asked, whole)
        hidden = len(whole.calls) + len(whole.refused) - len(visible.calls) - len(visible.refused)
        return WhoCalled(
            number=phone.spoken(number),
            said=[
                Sentence(text=sentence.text, at=sentence.at)
                for sentence in words(visible, rules, asked.language)
            ],
            suppressed=bool(whole.suppressed),
            elsewhere=hidden,
            people=people,
        )

    def _people(self, tx: Tx, asked: Asked, number: str) -> list[Person]:
        """Each person once; only those on lists that the asker sees."""
        if not asked.may(Action.SUPPRESS):
            return []
        campaigns = self._ctx.rules.current.campaigns
        people = {
            contact.person: Person(
                contact=contact.id, name=contact.name, campaign=campaigns[contact.campaign].title
            )
            for contact in contacts.by_number(tx, phone.to_int(number))
            if contact.campaign in campaigns and asked.sees(campaigns[contact.campaign].department)
        }
        return list(people.values())

    async def opt_out(self, asked: Asked, body: OptOut) -> Receipt:
        """No more calls, at once: before this answers, nobody may ring there any more."""
        number = _number(body.number)
        key, now = phone.to_int(number), self._ctx.clock.now()

        def work(tx: Tx) -> bool:
            known = contacts.by_number(tx, key)
            # Where nobody is known, the number is all there is to stop.
            scopes = REACH[body.reach] if known else (Scope.NUMBER,)
            origin = Origin(by=asked.by, at=now)
            opt_outs.add(tx, scopes, key, known, self._ctx.secret, origin)
            return bool(known)

        known = await self._ctx.store.run(work)
        # Where nobody is known only the number is stopped: more is not promised.
        receipt = body.reach if known or body.reach == "number" else "unknown"
        text = say(
            asked.language,
            f"who_called.receipt_{receipt}",
            number=phone.spoken(number),
            when=when(now, asked.language),
        )
        return Receipt(text=text, at=now)

    def _visible(self, asked: Asked, whole: Known) -> Known:
        """What the user's department did; everything for a user without a department."""
        if asked.user.department is None:
            return whole
        visible_campaigns = {
            name
            for name, campaign in self._ctx.rules.current.campaigns.items()
            if asked.sees(campaign.department)
        }
        return Known(
            calls=tuple(call for call in whole.calls if call.campaign in visible_campaigns),
            refused=tuple(row for row in whole.refused if row.campaign in visible_campaigns),
            sources=tuple(
                source for source in whole.sources if source.campaign in visible_campaigns
            ),
            suppressed=whole.suppressed,
        )


def _number(text: str) -> str:
    number = phone.parse(text.strip())
    if isinstance(number, NumberProblem):
        raise Impossible(
            f"this is no telephone number: {number.value}", key=f"number_{number.value}"
        )
    return number
