"""The lines of users: which telephone is called for a shift or a listening, and which may be entered.

The rules are in domain/line.py. `to_ring` is asked in the transaction before each order, so that a
number that was suppressed or put on a list since is not called again.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from callserver.database import (
    accounts,
    audit,
    bulk_facts,
    contacts,
    legs_to_end,
    softphones,
    suppressions,
)
from callserver.database import user_lines as table
from callserver.database.accounts import User
from callserver.domain import hours, line, phone, subject
from callserver.domain.audit import EntryKind
from callserver.domain.campaign import Campaign
from callserver.domain.line import LineFacts, LineProblem, NumberFacts, OwnLine
from callserver.engine.context import EngineContext, LineContext, Rules
from callserver.errors import Impossible, NotAllowed
from callserver.ports import Tx


class LineRefused(NotAllowed):
    """This telephone may not be called as the user's own, or not now."""

    def __init__(self, problem: LineProblem) -> None:
        super().__init__(f"this line may not be called: {problem.value}", key=problem.value)


def campaigns_of(rules: Rules, department: str | None) -> list[Campaign]:
    """The campaigns that somebody of this department works for; by name."""
    every = sorted(rules.current.campaigns.values(), key=lambda campaign: campaign.name)
    return [campaign for campaign in every if department in (None, campaign.department)]


def known(tx: Tx, terms: LineContext, number: str) -> bool:
    """Whether the number is a displayed one, on a list, in a register, or has opted out."""
    key = phone.to_int(number)
    about = (subject.of_number(key), subject.of_hash(key, terms.secret))
    return bool(
        number in terms.rules.own_numbers
        or suppressions.for_subjects(tx, about)
        or contacts.by_number(tx, key)
        or bulk_facts.listed(tx, [key])
    )


def is_refused(tx: Tx, terms: LineContext, address: str | None) -> bool:
    """Whether this is an ordinary telephone whose number has become known since it was ordered to ring."""
    is_number = address is not None and line.kind(address) is line.LineKind.TELEPHONE
    return is_number and known(tx, terms, address or "")


def silence(tx: Tx, now: datetime, numbers: Collection[int] = ()) -> None:
    """End users' own telephones that ring and may not: these numbers, and those on a list or in a register."""

    def may_not(address: str) -> bool:
        key = phone.to_int(address)
        known = key in numbers or contacts.by_number(tx, key) or bulk_facts.listed(tx, [key])
        return bool(known)

    for leg, address in table.ringing(tx):
        if may_not(address):
            legs_to_end.end(tx, leg, now, timedelta())
    unconfirmed = [
        phone.to_int(address) for address in table.being_confirmed(tx) if may_not(address)
    ]
    suppressions.want_stopped(tx, [subject.of_number(key) for key in unconfirmed], now)


def facts(tx: Tx, terms: LineContext, user: User, address: str, now: datetime) -> LineFacts:
    """The facts about one line of a user, without the calling hours."""
    row = table.current(tx, user.id, address)
    number = NumberFacts()
    if isinstance(phone.parse(address), str):
        campaigns = campaigns_of(terms.rules, user.department)
        policies = [terms.rules.current.policies[campaign.policy] for campaign in campaigns]
        regions = [frozenset(policy.numbers.regions) for policy in policies]
        number = NumberFacts(
            regions=frozenset.intersection(*regions) if regions else frozenset(),
            known=known(tx, terms, address),
            confirmed=row is not None and row.confirmed_at is not None,
        )
    return LineFacts(
        now=now,
        user=user.id,
        address=address,
        hosts=terms.sip_hosts,
        has_telephone=softphones.has(tx, f"telephone_{user.id}"),
        number=number,
        unanswered=0 if row is None else row.unanswered,
        rang_at=None if row is None else row.rang_at,
    )


def decide(
    tx: Tx, terms: LineContext, user: User, address: str, campaign: Campaign, now: datetime
) -> OwnLine | LineProblem:
    """May this telephone be called now, for a user who works for the campaign?"""
    known_facts = facts(tx, terms, user, address, now)
    if line.kind(address) is line.LineKind.TELEPHONE:
        near = _hours_near(terms, campaign, address, now)
        known_facts = replace(known_facts, number=replace(known_facts.number, hours_near=near))
    return line.decide(known_facts)


def choices(
    tx: Tx, terms: LineContext, user: User, now: datetime
) -> list[tuple[str, LineProblem | None]]:
    """The lines that a phoner may choose among, and why one cannot be called at any hour."""
    addresses = [line.browser(user.id)]
    if softphones.has(tx, f"telephone_{user.id}"):
        addresses.append(line.registered(user.id))
    if user.line is not None and user.line not in addresses:
        addresses.append(user.line)
    lines = []
    for address in addresses:
        asked = facts(tx, terms, user, address, now)
        asked = replace(asked, number=replace(asked.number, hours_near=True))
        answer = line.decide(asked)
        lines.append((address, answer if isinstance(answer, LineProblem) else None))
    return lines


def ready(tx: Tx, user: User) -> bool:
    """Whether the account's line is confirmed, or needs no confirmation."""
    if user.line is None or line.kind(user.line) is not line.LineKind.TELEPHONE:
        return True
    row = table.current(tx, user.id, user.line)
    return row is not None and row.confirmed_at is not None


def _hours_near(terms: LineContext, campaign: Campaign, number: str, now: datetime) -> bool:
    current = terms.rules.current
    if campaign.policy not in current.policies:
        return False
    policy, place = current.policy_of(campaign), hours.place_of(number, None)
    beside = (now - line.HOURS_MARGIN, now, now + line.HOURS_MARGIN)
    return any(hours.is_open(policy, place, at) for at in beside)


def choose(
    tx: Tx, ctx: EngineContext, user: User, campaign: Campaign, asked: str | None
) -> str | LineProblem:
    """The line of a shift: the user's own browser or SIP telephone, or the account's line. Never another."""
    now = ctx.clock.now()
    address = asked or user.line or line.browser(user.id)
    own = {line.browser(user.id), line.registered(user.id), user.line}
    if address not in own:
        exchange = address.startswith(("client:", "sip:telephone_"))
        answer: OwnLine | LineProblem = (
            LineProblem.NOT_YOURS if exchange else LineProblem.NOT_ENTERED
        )
    else:
        answer = decide(tx, ctx.terms, user, address, campaign, now)
    if isinstance(answer, LineProblem):
        refused(tx, user, address, answer, now)
        return answer
    return address


def to_ring(
    tx: Tx, ctx: EngineContext, user: User | None, address: str, campaign: Campaign, **about: Any
) -> OwnLine | LineProblem:
    """Decide about one call to a line, count it, and log it. `about`: seat or listening.

    The call counts as unanswered until `answered`; `not_rung` takes it back.
    """
    now = ctx.clock.now()
    suppressions.before_deciding(tx)
    if user is None or user.left_at is not None:
        return LineProblem.NOT_YOURS
    answer = decide(tx, ctx.terms, user, address, campaign, now)
    row = table.current(tx, user.id, address)
    if isinstance(answer, LineProblem):
        refused(tx, user, address, answer, now, **about)
    elif row is not None and line.kind(address) is not line.LineKind.BROWSER:
        table.change(tx, row.id, unanswered=_recent(row, now) + 1, rang_at=now)
        _note(tx, now, user, address, "rung", **about)
    return answer


def _recent(row: table.LineRow, now: datetime) -> int:
    """Consecutive unanswered calls; those of an earlier day do not count."""
    return 0 if row.rang_at is None or now - row.rang_at >= line.DAY else row.unanswered


def answered(tx: Tx, user: int, address: str | None) -> None:
    """The line was answered: earlier calls do not count any more."""
    row = None if address is None else table.current(tx, user, address)
    if row is not None and row.unanswered:
        table.change(tx, row.id, unanswered=0)


def not_rung(tx: Tx, user: int, address: str | None) -> None:
    """The provider declined the order: nothing rang."""
    row = None if address is None else table.current(tx, user, address)
    if row is not None and row.unanswered:
        table.change(tx, row.id, unanswered=row.unanswered - 1)


def enter(
    tx: Tx, terms: LineContext, key: int, address: str | None, now: datetime, by: str
) -> None:
    """Set or remove an account's line. Every change goes through here.

    Raises:
        NotAllowed: it cannot be this user's line.
        Impossible: too many lines were entered today.
    """
    user = accounts.user(tx, key)
    if user is None:
        raise NotAllowed(f"there is no user {key}", key="not_found")
    if address is not None:
        problem = line.problem(facts(tx, terms, user, address, now))
        if problem is not None:
            raise LineRefused(problem)
        if table.entered_since(tx, key, now - line.DAY) >= line.CHANGES_A_DAY:
            raise Impossible("too many lines were entered today", key="line_changes")
    _set(tx, user, address, now, by)


def remove(tx: Tx, user: User, now: datetime, by: str) -> None:
    """Remove the account's line, if it has one: its telephone is not one of ours any more."""
    if user.line is not None:
        _set(tx, user, None, now, by)


def _set(tx: Tx, user: User, address: str | None, now: datetime, by: str) -> None:
    accounts.change(tx, user.id, line=address)
    table.enter(tx, user.id, address, now, by)
    _note(tx, now, user, address, "entered", by=by)


def confirmed(tx: Tx, user: User, address: str, now: datetime, by: str) -> None:
    """Record that the code of a confirmation call was entered."""
    _note(tx, now, user, address, "confirmed", by=by)


def refused(
    tx: Tx, user: User, address: str, problem: LineProblem, now: datetime, **about: Any
) -> None:
    """Log that a line was not called or not accepted, and why."""
    _note(tx, now, user, address, "refused", reason=problem.value, **about)


def _note(tx: Tx, now: datetime, user: User, address: str | None, did: str, **about: Any) -> None:
    row = None if address is None else table.current(tx, user.id, address)
    audit.append(
        tx,
        now,
        EntryKind.LINE,
        user=user.id,
        did=did,
        line=None if row is None else row.id,
        telephone=None if address is None else line.kind(address).value,
        shown=None if address is None else _masked(address),
        **about,
    )


def _masked(address: str) -> str:
    """A line as logged: a number's last two digits, and never text that a user typed."""
    if line.kind(address) is line.LineKind.TELEPHONE:
        number = phone.parse(address)
        return phone.masked(number) if isinstance(number, str) else ""
    return ""
