"""The phone page's answers about seat and call: only what this call needs, numbers masked."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from functools import partial

from callserver.console.endpoint import Answer
from callserver.database import seats
from callserver.database.calls import CallRow
from callserver.database.seats import SeatRow
from callserver.domain import asking, phone
from callserver.domain.asking import AskEnd
from callserver.domain.campaign import Ask, Campaign, Effect, Outcome
from callserver.domain.facts import Scope
from callserver.domain.label import Label
from callserver.domain.line import LineKind
from callserver.domain.line import kind as line_kind
from callserver.domain.reason import Reason
from callserver.engine.context import Rules
from callserver.engine.gate import availability
from callserver.engine.outcomes import contact_card, wishes
from callserver.ports import Tx


class OutcomeView(Answer):
    """One outcome that may be given."""

    label: Label
    does: Effect
    asks: tuple[Ask, ...]
    frequencies: tuple[str, ...]  # the choices where `asks` has FREQUENCY
    agreement: bool
    read: Label | None  # the agreement as it is read back to the person
    wish: str | None  # the wish as which it takes effect during the call


class Correctable(Answer):
    """The outcomes to which calls of one campaign may be corrected."""

    title: Label
    most_days_ahead: int
    outcomes: Mapping[str, OutcomeView]


class CallView(Answer):
    """The call in hand. The person is on the card only, whose opening is logged."""

    attempt: str
    state: str
    campaign: str
    path: str
    number: str
    answered_at: datetime | None
    ended_at: datetime | None
    outcome: str | None
    contact: int | None
    wishes: tuple[str, ...]  # stated in this call, in force
    ask_ended: AskEnd | None
    outcomes: Mapping[str, OutcomeView]
    purpose: str | None = None
    why: Label | None = None


class SeatView(Answer):
    """A seat's state."""

    id: int | None
    state: str
    reason: str = ""
    since: datetime | None = None
    until: datetime | None = None
    wants: str = "off"
    connected: bool = False
    outcome_owed: bool = False
    campaign: str | None = None
    call: CallView | None = None


class MySeat(SeatView):
    """The phoner's own seat, with its telephone and the server's time."""

    now: datetime
    line: LineKind | None = None
    exchange: str = ""  # at which its telephone signs in, where there are several
    hand_at: datetime | None = None
    outcome_given: bool = False
    campaign_title: Label | None = None
    said: str = ""  # why the campaign is paused, for a seat that waits


def seat(tx: Tx, rules: Rules, phoner: int, now: datetime) -> MySeat:
    """The phoner's own seat, with the call in hand and what its outcome asks for."""
    return own_seats(tx, rules, [phoner], now)[phoner]()


def own_seats(
    tx: Tx, rules: Rules, phoners: Collection[int], now: datetime
) -> Mapping[int, Callable[[], MySeat]]:
    """The same of each of these phoners: everything is read, and the views are made when they are called."""
    found = seats.with_calls(tx, phoners)
    calls = [call for _, call in found.values() if call is not None]
    # Before somebody has answered nothing was stated (PhonerActions.wish).
    stated = wishes.heard(tx, [call.attempt for call in calls if call.answered_at is not None])
    return {
        phoner: _own_seat(tx, rules, *found[phoner], stated, now)
        if phoner in found
        else partial(MySeat, id=None, state="off", now=now)
        for phoner in phoners
    }


def _own_seat(
    tx: Tx,
    rules: Rules,
    row: SeatRow,
    call: CallRow | None,
    stated: Mapping[str, tuple[str, ...]],
    now: datetime,
) -> Callable[[], MySeat]:
    campaign = rules.current.campaigns.get(row.campaign or "")
    said = ""
    if campaign is not None and row.reason == Reason.CAMP_PAUSED:
        said = availability.paused(tx, campaign.name)[1]
    in_call = () if call is None else stated.get(call.attempt, ())
    return partial(_my_seat, row, call, campaign, now, said, in_call, rules)


def _my_seat(
    row: SeatRow,
    call: CallRow | None,
    campaign: Campaign | None,
    now: datetime,
    said: str,
    stated: tuple[str, ...],
    rules: Rules,
) -> MySeat:
    return MySeat(
        **dict(_seat(row)) | {"call": None if call is None else _call(rules, call, stated)},
        now=now,
        line=None if row.line is None else line_kind(row.line),
        exchange=row.exchange,
        hand_at=row.hand_at,
        outcome_given=row.outcome_given,
        campaign_title=None if campaign is None else campaign.title,
        said=said,
    )


def _seat(row: SeatRow) -> SeatView:
    return SeatView(
        id=row.id,
        state=row.state,
        reason=row.reason,
        since=row.since,
        until=row.until,
        wants=row.wants,
        connected=row.connected,
        outcome_owed=row.outcome_owed,
        campaign=row.campaign,
    )


def _call(rules: Rules, call: CallRow, stated: tuple[str, ...]) -> CallView:
    campaign = rules.every.get(call.campaign)
    ask_end = contact_card.ended(rules, call, stated)
    return CallView(
        attempt=call.attempt,
        state=call.state,
        campaign=call.campaign,
        path=call.path,
        number=phone.masked(phone.from_int(call.number)),
        answered_at=call.answered_at,
        ended_at=call.ended_at,
        outcome=call.outcome,
        contact=call.contact,
        wishes=stated,
        ask_ended=ask_end,
        outcomes={} if campaign is None else outcomes(campaign, agreements=ask_end is None),
        purpose=None if campaign is None else campaign.purpose.value,
        why=None if campaign is None else campaign.why,
    )


_made: dict[tuple[int, bool], tuple[Campaign, Mapping[str, OutcomeView]]] = {}
_MOST_MADE = 200


def outcomes(campaign: Campaign, *, agreements: bool = True) -> Mapping[str, OutcomeView]:
    """The outcomes that may be saved; without agreements once the ask has ended.

    Made once for each campaign, which is frozen: every live update of a seat asks.
    """
    known = _made.get((id(campaign), agreements))
    if known is not None and known[0] is campaign:
        return known[1]
    views = _outcomes(campaign, agreements=agreements)
    if len(_made) >= _MOST_MADE:
        _made.clear()
    _made[id(campaign), agreements] = campaign, views
    return views


def _outcomes(campaign: Campaign, *, agreements: bool) -> Mapping[str, OutcomeView]:
    return {
        key: OutcomeView(
            label=outcome.label,
            does=outcome.does,
            asks=outcome.asks,
            frequencies=asking.frequencies(campaign.purpose),
            agreement=outcome.agreement,
            read=outcome.read,
            wish=_wish(outcome),
        )
        for key, outcome in campaign.outcomes.items()
        if agreements or not outcome.agreement
    }


def correctable(campaign: Campaign) -> Correctable:
    return Correctable(
        title=campaign.title,
        most_days_ahead=campaign.call_backs.most_days_ahead,
        outcomes=outcomes(campaign),
    )


_WISHES = {scopes[0]: wish for wish, scopes in wishes.NO.items()}


def _wish(outcome: Outcome) -> str | None:
    if outcome.does is Effect.VULNERABLE:
        return wishes.VULNERABLE
    return _WISHES.get(outcome.scope or Scope.PERSON) if outcome.does is Effect.SUPPRESS else None
