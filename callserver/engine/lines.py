"""Which telephone a phoner sits at: her browser, the line of her account, or one typed once.

A line that is typed is rung without asking the gate, for it is a colleague's: so it may not be the
number of anybody on a list, of anybody who said no, or one that costs more than a call at home (I11).
"""

import re
from typing import Literal

from callserver.database import accounts, audit, contacts, suppressions
from callserver.database.accounts import User
from callserver.domain import audit as words
from callserver.domain import phone, subject
from callserver.domain.campaign import Campaign
from callserver.engine.house import House
from callserver.errors import Impossible, NotAllowed
from callserver.ports import Tx

_SIP = re.compile(
    r"sip:(telephone_[1-9][0-9]{0,17}|[A-Za-z0-9_.+-]{1,64}@[A-Za-z0-9.-]{1,100}(:\d{1,5})?)",
    re.ASCII,
)
"""A telephone of our own exchange by its name alone (docs/asterisk.md), or a SIP address."""

_OWN = re.compile(r"sip:telephone_(\d+)(@.*)?", re.ASCII)


def browser(user: User) -> str:
    """The line of the user's own browser."""
    return f"client:phoner_{user.id}"


Kind = Literal["browser", "sip", "telephone"]


def kind(line: str) -> Kind:
    """What rings at this line."""
    if line.startswith("client:"):
        return "browser"
    return "sip" if line.startswith("sip:") else "telephone"


def choose(tx: Tx, ours: House, user: User, campaign: Campaign, line: str | None) -> str:
    """The line to ring; one that is new is remembered in the account.

    Raises:
        NotAllowed: it is somebody else's browser, or a number that nobody may be rung at like this.
        Impossible: it is no line at all.
    """
    if line is None:
        return user.line or browser(user)
    if line in (user.line, browser(user)):
        return line
    own = _OWN.fullmatch(line)
    if line.startswith("client:") or (own and own[1] != str(user.id)):
        raise NotAllowed("this line is somebody else's", key="line_not_yours")
    chosen = line if line.startswith("sip:") else _number(tx, ours, campaign, line)
    if chosen.startswith("sip:"):
        if not _SIP.fullmatch(chosen):
            raise Impossible("a SIP line looks like sip:name@example.org", key="line_unreadable")
        behind = phone.parse(chosen.removeprefix("sip:").partition("@")[0])
        if isinstance(behind, str):  # no softphone's name, but somebody's telephone
            _refuse_known(tx, ours, behind)
    if chosen != user.line:
        accounts.change(tx, user.id, line=chosen)
        audit.append(
            tx, ours.clock.now(), words.Kind.USER, user=user.id, did="line", by=f"user:{user.id}"
        )
    return chosen


def _number(tx: Tx, ours: House, campaign: Campaign, line: str) -> str:
    number = phone.parse(line)
    if not isinstance(number, str) or phone.kind(number) is not phone.Kind.ORDINARY:
        raise Impossible("this is no ordinary telephone number", key="line_unreadable")
    policy = ours.rules.current.policies[campaign.policy]
    if phone.country(number) not in policy.numbers.regions:
        raise Impossible("this is no number at home", key="line_unreadable")
    _refuse_known(tx, ours, number)
    return number


def known(tx: Tx, ours: House, number: str) -> bool:
    """Whether the number is ours, on a list, or has said no: then nobody's line may be there (I11)."""
    key = phone.to_int(number)
    about = (subject.of_number(key), subject.of_hash(key, ours.secret))
    return bool(
        number in ours.rules.own_numbers
        or suppressions.for_subjects(tx, about)
        or contacts.by_number(tx, key)
    )


def _refuse_known(tx: Tx, ours: House, number: str) -> None:
    if known(tx, ours, number):
        raise NotAllowed("this number cannot be a line of yours", key="line_refused")
