"""Which telephone may be called as a user's own, without a dial permit; every other call needs one.

Only this file constructs an OwnLine (a test checks this). Telephony calls a user's telephone only with
an OwnLine, so no order reaches a trunk without this decision.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from callserver.domain import phone
from callserver.domain.role_play import Player, softphone

UNANSWERED_IN_A_ROW = 4
"""Unanswered calls before the line rests: after two minutes of ringing nobody is there."""

REST = timedelta(minutes=15)

UNANSWERED_A_DAY = 8
"""Unanswered calls in a row before the line rests for a day: it is probably a wrong telephone."""

DAY = timedelta(hours=24)

CHANGES_A_DAY = 3
"""Lines that may be entered for one user in a day: a new telephone and two typing errors."""

HOURS_MARGIN = timedelta(hours=1)
"""A number is also called this long before and after the calling hours: a shift begins before the first
call and ends after the last one."""

CONFIRMS = "line"
"""The prefix of the attempt's id of a call that confirms a line."""

CODE_DIGITS = 6
CODE_TRIES = 3
"""Attempts to enter one code: a chance of about one in 300,000 per call, which the gate limits."""

CODE_LASTS = timedelta(minutes=10)


class LineKind(StrEnum):
    """The kind of telephone at a line."""

    BROWSER = "browser"
    SIP = "sip"
    TELEPHONE = "telephone"


class LineProblem(StrEnum):
    """Why a line may not be called, or not now; also the key of its text."""

    UNREADABLE = "line_unreadable"
    NOT_YOURS = "line_not_yours"
    NOT_ENTERED = "line_not_entered"  # no administrator has entered it in the account
    HOST = "line_host"  # a SIP host that the settings do not allow
    NOT_REGISTERED = "line_not_registered"  # this telephone has no credentials at the exchange
    NUMBER = "line_number"  # not an ordinary number in a country that the policies allow
    REFUSED = "line_refused"  # suppressed, on a list, in a register, or the organisation's own
    UNCONFIRMED = "line_unconfirmed"
    CLOSED = "line_closed"  # far outside the calling hours
    UNANSWERED = "line_unanswered"  # called too often without an answer


@dataclass(frozen=True, slots=True)
class OwnLine:
    """A user's own telephone that may be called now."""

    address: str


_CLIENT = re.compile(r"client:(?:phoner|listener)_([1-9][0-9]{0,17})", re.ASCII)
_REGISTERED = re.compile(r"sip:telephone_([1-9][0-9]{0,17})", re.ASCII)
_SIP = re.compile(
    r"sip:([A-Za-z][A-Za-z0-9_.-]{0,63})@([A-Za-z0-9.-]{1,100})(?::[0-9]{1,5})?", re.ASCII
)
DIGITS_IN_A_NAME = 4
"""A SIP user name begins with a letter and has at most this many digits: it is never a number."""
_NAMES_OF_THE_EXCHANGE = re.compile(
    r"(?:phoner|listener|telephone|applicant|interviewer)_.*", re.ASCII | re.IGNORECASE
)


def browser(user: int) -> str:
    """The line of the user's own browser as a phoner."""
    return f"client:phoner_{user}"


def listening_browser(user: int) -> str:
    """The line of the user's own browser as a listener, which differs from the phoner's."""
    return f"client:listener_{user}"


def registered(user: int) -> str:
    """The line of the user's own SIP telephone at the exchange."""
    return f"sip:telephone_{user}"


def of_role_play(role_play: int, player: Player) -> OwnLine:
    """The softphone of a participant of a role-play call: a browser, never a number."""
    return OwnLine(f"client:{softphone(role_play, player)}")


def kind(address: str) -> LineKind:
    """The kind of telephone at this address."""
    if address.startswith("client:"):
        return LineKind.BROWSER
    return LineKind.SIP if address.startswith("sip:") else LineKind.TELEPHONE


def shown(address: str) -> str:
    """The address for display and for the audit log; a number is masked."""
    telephone = kind(address) is LineKind.TELEPHONE
    return phone.masked(address) if telephone else address.partition(":")[2]


@dataclass(frozen=True, slots=True)
class NumberFacts:
    """What is known about a number that would be called as a user's own. The defaults refuse."""

    regions: frozenset[str] = frozenset()  # that every policy of the user's campaigns allows
    known: bool = True  # suppressed, on a list, in a register, or the organisation's own
    confirmed: bool = False
    hours_near: bool = False  # within the calling hours or their HOURS_MARGIN


@dataclass(frozen=True, slots=True)
class LineFacts:
    """Everything that the decision depends on."""

    now: datetime
    user: int
    address: str
    hosts: frozenset[str]  # SIP hosts that the settings allow
    has_telephone: bool = False  # the user's own SIP telephone has credentials at the exchange
    number: NumberFacts = NumberFacts()
    unanswered: int = 0  # unanswered calls in a row
    rang_at: datetime | None = None


def problem(facts: LineFacts) -> LineProblem | None:
    """Why this cannot be a line of the user; checked when it is entered and at every call."""
    address = facts.address
    if match := _CLIENT.fullmatch(address) or _REGISTERED.fullmatch(address):
        return None if int(match[1]) == facts.user else LineProblem.NOT_YOURS
    if address.startswith("client:"):
        return LineProblem.NOT_YOURS
    if address.startswith("sip:"):
        return _sip_problem(address, facts.hosts)
    return _number_problem(address, facts.number)


def decide(facts: LineFacts) -> OwnLine | LineProblem:
    """May this telephone be called now as the user's own?"""
    permanent_problem = problem(facts)
    if permanent_problem is not None:
        return permanent_problem
    if _REGISTERED.fullmatch(facts.address) and not facts.has_telephone:
        return LineProblem.NOT_REGISTERED
    if kind(facts.address) is LineKind.TELEPHONE:
        if not facts.number.confirmed:
            return LineProblem.UNCONFIRMED
        if not facts.number.hours_near:
            return LineProblem.CLOSED
    if rests_until(facts.unanswered, facts.rang_at, facts.now) is not None:
        return LineProblem.UNANSWERED
    return OwnLine(facts.address)


def rests_until(unanswered: int, rang_at: datetime | None, now: datetime) -> datetime | None:
    """Until when an unanswered line is not called; None: it may be called."""
    if rang_at is None or unanswered < UNANSWERED_IN_A_ROW:
        return None
    until = None
    if unanswered >= UNANSWERED_A_DAY:
        until = rang_at + DAY
    elif unanswered % UNANSWERED_IN_A_ROW == 0:
        until = rang_at + REST
    return until if until is not None and until > now else None


def _sip_problem(address: str, hosts: frozenset[str]) -> LineProblem | None:
    match = _SIP.fullmatch(address)
    if match is None:
        return LineProblem.UNREADABLE
    name, host = match[1], match[2].lower()
    if host not in hosts:
        return LineProblem.HOST
    if _NAMES_OF_THE_EXCHANGE.fullmatch(name):
        return LineProblem.NOT_YOURS
    digits = sum(character.isdigit() for character in name)
    return None if digits <= DIGITS_IN_A_NAME else LineProblem.UNREADABLE


def _number_problem(address: str, number: NumberFacts) -> LineProblem | None:
    parsed = phone.parse(address)
    if parsed != address:  # E.164, exactly as it is dialed
        return LineProblem.UNREADABLE
    if phone.kind(address) is not phone.NumberKind.ORDINARY:
        return LineProblem.NUMBER
    if phone.country(address) not in number.regions:
        return LineProblem.NUMBER
    return LineProblem.REFUSED if number.known else None
