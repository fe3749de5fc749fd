"""A contact's card: what a phoner needs to know for the call in hand, and nothing else.

Opening a card is logged: by whom, whose card, and for which call.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from callserver.database import audit, calls, contacts, marks, seats
from callserver.database.accounts import User
from callserver.database.calls import CallRow
from callserver.database.contacts import Contact
from callserver.domain import asking, hours, permit, phone, subject
from callserver.domain.asking import Guide
from callserver.domain.audit import EntryKind
from callserver.domain.call import DialPath
from callserver.domain.campaign import Ask, Campaign, Effect
from callserver.domain.facts import Relation, Segment
from callserver.domain.label import Label
from callserver.domain.marks import MarkKind
from callserver.domain.seat import SeatState
from callserver.engine.context import EngineContext, Rules
from callserver.engine.gate import gate
from callserver.engine.gate.stored_facts import DialRequest
from callserver.engine.outcomes import wishes
from callserver.errors import NotFound
from callserver.ports import Tx

MOST_EARLIER = 8

HAVE_LEFT = frozenset({Segment.LAPSED, Segment.AFMELDTE})

IN_CALL = frozenset({SeatState.RESERVED.value, SeatState.RINGING.value, SeatState.TALKING.value})


@dataclass(frozen=True, slots=True)
class Promise:
    """The agreed call-back: for when, by whom, and the note made then."""

    at: datetime | None
    mine: bool
    note: str | None


@dataclass(frozen=True, slots=True)
class Departure:
    """When a former member said that they leave, and the reason that they gave."""

    at: datetime | None
    why: str | None


@dataclass(frozen=True, slots=True)
class ContactCard:
    call: CallRow
    contact: Contact
    campaign: Campaign
    relation: Relation
    guide: Guide
    context: Label | None
    promise: Promise | None
    departure: Departure | None  # of somebody who has left
    earlier: list[CallRow]  # our calls to this person, the latest first
    number: str  # whole while the call needs it


def in_hand(tx: Tx, user: User) -> tuple[CallRow, Contact]:
    """The call in the phoner's hand, and its contact.

    Raises:
        NotFound: there is no call in hand.
    """
    row = seats.peek(tx, user.id)
    call = None if row is None or row.call is None else calls.get(tx, row.call)
    contact = None if call is None or call.contact is None else contacts.get(tx, call.contact)
    if call is None or contact is None:
        raise NotFound("there is no call in hand", key="no_call_in_hand")
    return call, contact


def open_card(tx: Tx, ctx: EngineContext, user: User) -> ContactCard:
    """The card of the call in hand; logs that it was opened.

    Raises:
        NotFound: there is no call in hand.
    """
    now = ctx.clock.now()
    call, contact = in_hand(tx, user)
    campaign = ctx.rules.known(call.campaign)
    facts = gate.collect(
        tx, ctx.rules, ctx.secret, DialRequest(contact, campaign, DialPath.EXPLAIN, None, now)
    )
    today = max(hours.local_dates(permit.place_of(facts), now))
    context = campaign.contexts.get(contact.source or "")
    if context is not None and context.until is not None and today > context.until:
        context = None
    audit.append(
        tx, now, EntryKind.CARD, contact=contact.id, call=call.attempt, by=f"user:{user.id}"
    )
    earlier = calls.of_person(tx, call.number, call.person, MOST_EARLIER + 1)
    earlier = [row for row in earlier if row.attempt != call.attempt][:MOST_EARLIER]
    number = phone.from_int(call.number)
    return ContactCard(
        call=call,
        contact=contact,
        campaign=campaign,
        relation=facts.relation,
        guide=asking.guide(
            campaign,
            facts.policy,
            facts.relation,
            today,
            ended(ctx.rules, call, wishes.heard(tx, [call.attempt])[call.attempt]),
        ),
        context=None if context is None else context.text,
        promise=_promise(call, contact, user, earlier),
        departure=_departure(tx, ctx.rules, campaign, contact, earlier),
        earlier=earlier,
        number=number if call.ended_at is None else phone.masked(number),
    )


def ended(rules: Rules, call: CallRow, heard: Sequence[str]) -> asking.AskEnd | None:
    """What has ended the ask of this call, if anything: its outcome, or a wish stated in it."""
    campaign = rules.every.get(call.campaign)
    given = None if campaign is None else campaign.outcomes.get(call.outcome or "")
    return asking.ask_end(None if given is None else given.does, heard)


def _departure(
    tx: Tx, rules: Rules, campaign: Campaign, contact: Contact, earlier: list[CallRow]
) -> Departure | None:
    """For campaigns to people who have left: what an earlier call learned about it."""
    if campaign.segment not in HAVE_LEFT:
        return None
    stored = marks.marks_of(tx, (subject.of_person(contact.person),))
    left = [mark.at for mark in stored if mark.kind == MarkKind.LEFT]
    given = [call for call in earlier if (call.details or {}).get(Ask.REASON.value)]
    known = [call for call in earlier if _effect(rules, call) is Effect.LEFT]
    at = max([*left, *(call.permit_at for call in known)], default=None)
    why = str((given[0].details or {})[Ask.REASON.value]) if given else None
    return None if at is None and why is None else Departure(at, why)


def _effect(rules: Rules, call: CallRow) -> Effect | None:
    campaign = rules.every.get(call.campaign)
    given = None if campaign is None else campaign.outcomes.get(call.outcome or "")
    return None if given is None else given.does


def _promise(call: CallRow, contact: Contact, user: User, earlier: list[CallRow]) -> Promise | None:
    if call.path != DialPath.CALL_BACK:
        return None
    made = next((row for row in earlier if row.outcome is not None), None)
    return Promise(
        at=contact.callback_for,
        mine=made is not None and made.phoner == user.id,
        note=None if made is None else made.note,
    )
