"""The contact's card and call-backs: what a phoner sees of the person on the line."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Literal

from pydantic import Field

from callserver import texts
from callserver.console import markup
from callserver.console.endpoint import Answer, Body, Done, Endpoint, Nothing, UserRequest
from callserver.database.calls import CallRow
from callserver.domain import subject
from callserver.domain.asking import AskEnd, ClosedReason, Topic
from callserver.domain.case import ReplyBy
from callserver.domain.facts import Purpose, Segment
from callserver.domain.label import Label
from callserver.domain.role import Action
from callserver.engine.cases import privacy_notice
from callserver.engine.context import EngineContext, Rules
from callserver.engine.once import once
from callserver.engine.outcomes import call_backs, contact_card
from callserver.engine.outcomes.contact_card import HAVE_LEFT, ContactCard
from callserver.ports import Tx

CITY = ("city", "by", "town", "postby")
"""Headings of the column that scripts name {city}."""

_GIFT_PURPOSES = frozenset({Purpose.GIFT, Purpose.RECRUIT_GIFT})


class Closed(Answer):
    """What may not be requested, and why."""

    topic: Topic
    why: ClosedReason


class Question(Answer):
    """A frequent question, and the honest answer."""

    question: str
    answer: str


class Earlier(Answer):
    """An earlier call to this person."""

    at: datetime
    campaign: Label | None
    outcome: Label | None
    cause: str | None


class Promised(Answer):
    """The call-back that was agreed."""

    at: datetime | None
    mine: bool
    note: str | None


class CardView(Answer):
    """Who the call is with, why we call, and what may be asked for."""

    attempt: str
    name: str | None
    number: str
    segment: Segment
    member: bool
    last_gift: str | None
    ended: str | None
    left_at: datetime | None  # when somebody who has left told us so in a call
    left_why: str | None  # and the reason they gave
    source: str | None
    facts: Mapping[str, str]
    why: Label
    path: str
    context: Label | None
    promised: Promised | None
    earlier: list[Earlier]
    may: list[Topic]
    may_not: list[Closed]
    ask_ended: AskEnd | None
    script: str  # HTML
    script_open: bool
    questions: list[Question]
    privacy_notice: bool  # the organisation has one, which the person can be sent


class NoticeWanted(Body):
    """The person on the line asks for the privacy notice. `email`: where it goes by e-mail."""

    attempt: str
    reply_by: Literal[ReplyBy.EMAIL, ReplyBy.SMS]
    email: str = Field(default="", max_length=254)
    language: Literal["da", "en"] = "da"


class AtTime(Body):
    """A time on the person's clock; without it the answer holds only the limits."""

    at: str | None = Field(default=None, max_length=20)


class CallBackView(Answer):
    """Which call-backs may be agreed. `closed` and `refused` hold sentences."""

    zone: str
    now: datetime
    latest: datetime
    personal: bool
    at: datetime | None
    closed: list[str]
    needs_confirmation: bool  # outside the calling hours: the outcome must confirm it
    opens: datetime | None
    refused: list[str]


class CardApi:
    """The card of the call in hand."""

    def __init__(self, ctx: EngineContext) -> None:
        self._ctx = ctx

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("POST", "/card", Action.PHONE, self.card),
            Endpoint("POST", "/privacy-notice", Action.PHONE, self.send_notice, makes=True),
            Endpoint("GET", "/call-back", Action.PHONE, self.call_back),
            Endpoint("GET", "/calls/{call}/call-back", Action.CORRECT, self.corrected_call_back),
        ]

    async def card(self, request: UserRequest, body: Nothing) -> CardView:
        """Open the card of my call in hand; the opening is logged."""
        del body
        ctx = self._ctx
        opened = await ctx.store.run(lambda tx: contact_card.open_card(tx, ctx, request.user))
        return _view(opened, ctx.rules, request)

    async def send_notice(self, request: UserRequest, body: NoticeWanted) -> Done:
        """Send the privacy notice to the person on the line: by e-mail, or by SMS to the number called."""
        ctx = self._ctx

        def work(tx: Tx) -> None:
            wanted = body.attempt, body.reply_by, body.email, body.language
            make = partial(privacy_notice.send, tx, ctx, request.user, *wanted)
            once(tx, request.sent, ctx.clock.now(), make)

        await ctx.store.run(work)
        return Done()

    async def call_back(self, request: UserRequest, query: AtTime) -> CallBackView:
        """The limits of a call-back to this person, and what the rules say about one time."""
        return await self._look(request, query)

    async def corrected_call_back(
        self, request: UserRequest, call: str, query: AtTime
    ) -> CallBackView:
        """The same for the person of an earlier call, whose outcome I may correct."""
        return await self._look(request, query, call)

    async def _look(
        self, request: UserRequest, query: AtTime, attempt: str | None = None
    ) -> CallBackView:
        answer = await self._ctx.store.read(
            lambda tx: call_backs.look(tx, self._ctx, request.user, query.at, attempt)
        )

        def sentences(reasons: tuple[str, ...]) -> list[str]:
            return [texts.say(request.language, f"reason.{reason}") for reason in reasons]

        return CallBackView(
            zone=answer.zone,
            now=answer.now,
            latest=answer.latest,
            personal=answer.personal,
            at=answer.at,
            closed=sentences(answer.closed),
            needs_confirmation=bool(answer.closed),
            opens=answer.opens,
            refused=sentences(answer.refused),
        )


def _view(card: ContactCard, rules: Rules, request: UserRequest) -> CardView:
    contact, campaign = card.contact, card.campaign
    unknown = texts.say(request.language, "phone.unknown")
    values = merge_values(card, request)
    danish = request.language == "da"

    def filled(label: Label) -> str:
        return markup.filled(label.da if danish else label.en, values, unknown)

    return CardView(
        attempt=card.call.attempt,
        name=contact.name,
        number=card.number,
        segment=campaign.segment,
        member=card.relation.member,
        last_gift=contact.last_gift if campaign.purpose in _GIFT_PURPOSES else None,
        ended=contact.ended if campaign.segment in HAVE_LEFT else None,
        left_at=None if card.departure is None else card.departure.at,
        left_why=None if card.departure is None else card.departure.why,
        source=subject.told_source(contact.source),
        facts=_facts(card),
        why=campaign.why,
        path=card.call.path,
        context=card.context,
        promised=None
        if card.promise is None
        else Promised(at=card.promise.at, mine=card.promise.mine, note=card.promise.note),
        earlier=[_earlier(item, rules) for item in card.earlier],
        may=list(card.guide.may),
        may_not=[Closed(topic=topic, why=why) for topic, why in card.guide.may_not],
        ask_ended=card.guide.ended,
        script=markup.merged(rules.current.scripts.get(campaign.script, ""), values, unknown),
        script_open=request.user.trained_at is None,
        questions=[
            Question(question=filled(item.question), answer=filled(item.answer))
            for item in campaign.cards
        ],
        privacy_notice=privacy_notice.can_be_sent(rules.current.cases),
    )


def merge_values(card: ContactCard, request: UserRequest) -> dict[str, str]:
    """The values that scripts and answers may name in braces."""
    contact = card.contact
    fields = {key: str(value) for key, value in (contact.fields or {}).items()}
    folded = {key.casefold(): value for key, value in fields.items()}
    city = next((folded[name] for name in CITY if name in folded), "")
    return {column: fields.get(column, "") for column in card.campaign.columns} | {
        "name": contact.name or "",
        "phoner": request.user.name.partition(" ")[0],
        "organisation": card.campaign.organisation,
        "ref": contact.ref or "",
        "city": city,
        "source": subject.told_source(contact.source)
        or texts.say(request.language, "phone.source_unknown"),
        "member_since": folded.get("member_since", "") or folded.get("medlem_siden", ""),
    }


def _facts(card: ContactCard) -> dict[str, str]:
    """The columns of the list that the campaign declares, and no others."""
    fields = card.contact.fields or {}
    return {column: str(fields[column]) for column in card.campaign.columns if fields.get(column)}


def _earlier(call: CallRow, rules: Rules) -> Earlier:
    campaign = rules.every.get(call.campaign)
    outcome = None if campaign is None else campaign.outcomes.get(call.outcome or "")
    return Earlier(
        at=call.answered_at or call.permit_at,
        campaign=None if campaign is None else campaign.title,
        outcome=None if outcome is None else outcome.label,
        cause=call.cause,
    )
