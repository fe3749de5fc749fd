"""The facts of one dial, from the stored data about the contact and everybody in its reach."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from callserver.database.contacts import Contact
from callserver.database.marks import Mark
from callserver.database.seats import SeatRow
from callserver.domain import facts as f
from callserver.domain import hours, phone, subject
from callserver.domain.addresses import is_placeholder
from callserver.domain.asking import TOPICS
from callserver.domain.call import DialPath
from callserver.domain.campaign import Campaign, Effect
from callserver.domain.contact_status import ContactStatus
from callserver.domain.hours import Place
from callserver.domain.identity import InReach, KnownRow, Match
from callserver.domain.marks import MarkKind
from callserver.domain.reach import (
    ATTEMPTS,
    BORN,
    ENDED,
    MARKS,
    NOT_NOW,
    PERMISSIVE,
    SCOPES,
    ZONE,
    Reach,
)
from callserver.engine.context import Rules


@dataclass(frozen=True, slots=True)
class DialRequest:
    """A request for one dial."""

    contact: Contact
    campaign: Campaign
    path: DialPath
    seat: SeatRow | None  # None: only explained, or a line confirmation, in which no phoner talks
    now: datetime

    @property
    def may_dial(self) -> bool:
        """Whether a call follows if it is permitted."""
        return self.seat is not None or self.path is DialPath.CONFIRMATION


@dataclass(frozen=True, slots=True)
class StoredFacts:
    """The stored data about one contact and its campaign that `facts_from` needs."""

    marks: Sequence[Mark]  # in order of writing
    suppressions: Sequence[tuple[str, f.Suppression]]  # each with its subject
    register: f.Register
    attempts: tuple[datetime, ...]
    active_call: bool
    phoner: f.Phoner
    campaign: f.CampaignState
    number_refused: bool  # by the carrier
    reach: InReach


def subjects_of(contact: Contact, secret: bytes, reach: InReach) -> list[str]:
    """The subjects of marks and suppressions that concern this contact."""
    subjects = [
        subject.of_number(contact.number),
        subject.of_person(contact.person),
        subject.of_household(contact.household),
        subject.of_hash(contact.number, secret),
    ]
    if reach.keys or reach.households:
        subjects += map(subject.of_person, sorted(reach.keys))
        subjects += map(subject.of_household, sorted(reach.households))
    # An erased person has no number any more that would link them: only its hash.
    subjects += (subject.of_hash(number, secret) for number in sorted(reach.numbers))
    return subjects


def attempts_reach(reach: InReach) -> tuple[Collection[int], Collection[int]]:
    """The other persons and households whose attempts count."""
    persons = reach.keys if ATTEMPTS.reach >= Reach.UNSURE else reach.same
    return persons, reach.households


def facts_from(rules: Rules, request: DialRequest, known: StoredFacts, skew_ms: int = 0) -> f.Facts:
    """The facts for `permit.decide`, from the stored data."""
    contact, campaign = request.contact, request.campaign
    number = phone.from_int(contact.number)
    if request.may_dial:
        known = _not_in_the_future(known, request.now)
    reach, own = known.reach, subject.of_person(contact.person)
    reaching = [mark for mark in known.marks if _reaches(mark, own, reach)]
    latest = _latest(reaching)
    return f.Facts(
        now=request.now,
        number=number,
        policy=rules.policy_of(campaign),
        segment=campaign.segment,
        purpose=campaign.purpose,
        person=f.Person(
            zone=_own_zones(contact)[0],
            other_zones=_other_zones(contact, reach),
            born=_born(contact, reach),
            deceased_at=_earliest(reaching, MarkKind.DECEASED),
            guardian=MarkKind.GUARDIAN in latest,
            vulnerable=MarkKind.VULNERABLE in latest,
            erased=MarkKind.ERASED in latest,
            in_crowd=reach.is_crowd,
            outcome_missing=MarkKind.OUTCOME_MISSING in latest,
        ),
        relation=f.Relation(
            member=contact.member and MarkKind.LEFT not in latest and not _has_ended(reach),
            last_gift=_last_gift(contact, reach, request.now),
            ended=_date(contact.ended),
        ),
        consents=tuple(_consent(mark, own) for mark in reaching if mark.kind in _CONSENTS),
        suppressions=tuple(
            one
            for about, suppression in known.suppressions
            if _extends(SCOPES[suppression.scope].reach, about, own, reach)
            for one in _for_purpose(suppression, campaign.purpose)
        ),
        register=known.register,
        attempts=known.attempts,
        refused_at=latest.get(MarkKind.REFUSED),
        not_now_until=_not_now_until(contact, reach, reaching),
        abandoned_at=latest.get(MarkKind.ABANDONED),
        callback_for=contact.callback_for if request.path is DialPath.CALL_BACK else None,
        call_back_tolerance_minutes=campaign.call_backs.tolerance_minutes,
        reassigned_at=_latest_of(latest.get(MarkKind.REASSIGNED), reach.replaced_at),
        bad_number=MarkKind.BAD_NUMBER in latest,
        number_refused=known.number_refused,
        active_call=known.active_call,
        source_known=not is_placeholder(contact.source or ""),
        row_refused=bool(contact.row_refused),
        own_number=number in rules.own_numbers,
        phoner_reserved=request.seat is not None
        or request.path in (DialPath.EXPLAIN, DialPath.CONFIRMATION),
        phoner=known.phoner,
        campaign=known.campaign,
        caller_id=campaign.caller_id,
        system=f.System(clock_skew_ms=skew_ms),
        revision=rules.current.revision,
        ring_seconds=campaign.ring_seconds,
    )


def _reaches(mark: Mark, own: str, reach: InReach) -> bool:
    """Whether a mark about one of the subjects reaches the contact (domain/reach.py)."""
    if mark.kind in PERMISSIVE and not mark.subject.startswith("person:"):
        return False  # a number is not a person and cannot consent
    return _extends(MARKS[mark.kind].reach, mark.subject, own, reach)


def _extends(extent: Reach, about: str, own: str, reach: InReach) -> bool:
    """Whether a fact about a subject reaches the contact. Numbers and households are always its own."""
    kind, _, key = about.partition(":")
    if kind != "person" or about == own:
        return True
    return extent >= (Reach.SAME if int(key) in reach.same else Reach.UNSURE)


def _for_purpose(suppression: f.Suppression, asked: f.Purpose) -> Iterator[f.Suppression]:
    """The opt-out, and once more about the asked purpose if that asks for the same: gifts alone, or beside membership.

    It is one more fact, rather than another rule: earlier decisions are judged again by these rules.
    """
    yield suppression
    said = suppression.purpose
    if said is not None and said != asked and not set(TOPICS[said]).isdisjoint(TOPICS[asked]):
        yield replace(suppression, purpose=asked)


def _of_rows(extent: Reach, reach: InReach) -> Iterator[KnownRow]:
    """The contacts on other lists whose facts of that extent reach this one."""
    for match, row in reach.rows:
        if extent >= (Reach.SAME if match is Match.SAME else Reach.UNSURE):
            yield row


def _has_ended(reach: InReach) -> bool:
    return any(row.ended and not row.member for row in _of_rows(ENDED.reach, reach))


def _born(contact: Contact, reach: InReach) -> date | None:
    """The latest known date of birth: in doubt the person is a child."""
    dates = [contact.born, *(row.born for row in _of_rows(BORN.reach, reach))]
    return _date(max(filter(None, dates), default=None))


def _own_zones(contact: Contact) -> Sequence[str | None]:
    """Several, where rows of one list contradicted each other."""
    return contact.zone.split(",") if contact.zone else [None]


def _other_zones(contact: Contact, reach: InReach) -> tuple[str, ...]:
    """More time zones that lists know of, each of which must be open as well: none replaces another."""
    first, *others = _own_zones(contact)
    zones = {zone for zone in others if zone}
    for row in _of_rows(ZONE.reach, reach):
        zones |= set(row.zone.split(",")) if row.zone else set()
    return tuple(sorted(zones - {first}))


def place_of(contact: Contact, reach: InReach) -> Place:
    """Where the contact's telephone rings, with every zone in which the person may be."""
    return hours.with_others(Place.parse(contact.place), _other_zones(contact, reach))


def _last_gift(contact: Contact, reach: InReach, now: datetime) -> date | None:
    """The date of the last gift; a date in the future is ignored.

    It is left out of the facts, and not ignored by the rules: earlier versions counted it, and their decisions
    are judged again by these rules.
    """
    gift = _date(contact.last_gift)
    if gift is None or gift < now.date():  # no zone is more than a day behind
        return gift
    return gift if gift <= max(hours.local_dates(place_of(contact, reach), now)) else None


def _not_now_until(contact: Contact, reach: InReach, marks: Sequence[Mark]) -> datetime | None:
    """Until when the person asked not to be called. A later request for a call ends it."""
    own = contact.next_at if _asked_for_later(contact) else None
    said: list[datetime] = []
    for mark in marks:
        if mark.kind == MarkKind.REQUESTED:
            said.clear()
        elif mark.kind == MarkKind.NOT_NOW and mark.detail:
            said.append(datetime.fromisoformat(mark.detail["until"]))
    return _latest_of(own, *said, *(row.not_now_until for row in _of_rows(NOT_NOW.reach, reach)))


def _latest_of(*instants: datetime | None) -> datetime | None:
    return max(filter(None, instants), default=None)


def _latest(marks: Sequence[Mark]) -> dict[str, datetime]:
    """The latest instant of each kind of mark. A later request for a call removes a refusal."""
    latest: dict[str, datetime] = {}
    for mark in marks:
        latest[mark.kind] = max(mark.at, latest.get(mark.kind, mark.at))
        if mark.kind == MarkKind.REQUESTED:
            latest.pop(MarkKind.REFUSED, None)
    return latest


def _earliest(marks: Sequence[Mark], kind: MarkKind) -> datetime | None:
    return min((mark.at for mark in marks if mark.kind == kind), default=None)


def _not_in_the_future(known: StoredFacts, now: datetime) -> StoredFacts:
    """Let every mark, suppression and change of a number count, even if another server's clock was ahead.

    Only a consent and the end of an opt-out wait until this server's clock reaches their time.
    """
    instants = [mark.at for mark in known.marks] + [
        suppression.at for _, suppression in known.suppressions
    ]
    reach = known.reach
    if reach.replaced_at is not None and reach.replaced_at > now:
        reach = replace(reach, replaced_at=now)
    if reach is known.reach and max(instants, default=now) <= now:
        return known
    return replace(
        known,
        reach=reach,
        marks=[
            mark if mark.kind == MarkKind.CONSENT_GIVEN else replace(mark, at=min(mark.at, now))
            for mark in known.marks
        ],
        suppressions=[
            (about, replace(suppression, at=min(suppression.at, now)))
            for about, suppression in known.suppressions
        ],
    )


_CONSENTS = {
    MarkKind.CONSENT_GIVEN: f.ConsentEvent.GIVEN,
    MarkKind.CONSENT_REVOKED: f.ConsentEvent.REVOKED,
}


def _consent(mark: Mark, own: str) -> f.Consent:
    detail = mark.detail or {}
    return f.Consent(
        event=_CONSENTS[mark.kind],
        at=mark.at,
        phone=bool(detail.get("phone", True)),
        proof=bool(detail.get("proof", False)),
        is_own=mark.subject == own,
    )


def _asked_for_later(contact: Contact) -> bool:
    """Whether the contact waits because the person asked for it. Manual dials wait too."""
    return contact.status == ContactStatus.WAITING and contact.reason == Effect.NOT_NOW.value


def _date(text: str | None) -> date | None:
    return None if not text else date.fromisoformat(text)
