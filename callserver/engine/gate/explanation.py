"""The gate's answer for any number at any instant, without dialing and without writing."""

from dataclasses import dataclass, replace
from datetime import datetime

from callserver.database import contacts
from callserver.database.contacts import Contact
from callserver.domain import hours, permit, phone, subject
from callserver.domain.call import DialPath
from callserver.domain.campaign import Campaign
from callserver.domain.contact_status import ContactStatus
from callserver.domain.permit import Refusal
from callserver.domain.reason import Reason
from callserver.engine.context import Rules
from callserver.engine.gate import gate
from callserver.engine.gate.stored_facts import DialRequest
from callserver.ports import Tx


@dataclass(frozen=True, slots=True)
class Explanation:
    """Whether the number may be called for the campaign: yes if there are no reasons."""

    campaign: str
    at: datetime
    reasons: tuple[Reason, ...]
    next_at: datetime | None
    contact: int | None  # the campaign's contact with this number, if any
    revision: str


def explain(
    tx: Tx, rules: Rules, secret: bytes, number: str, campaign: Campaign, at: datetime
) -> Explanation:
    """Ask the gate about a number as typed. An unreadable number is a reason by itself."""
    parsed = phone.parse(number.strip())
    asked = parsed if isinstance(parsed, str) else number.strip()
    known: Contact | None = None
    if isinstance(parsed, str):
        rows = contacts.by_number(tx, phone.to_int(parsed), campaign.name)
        known = rows[0] if rows else None
    contact = known or stranger(
        _as_number(asked), str(hours.place_of(asked, None)), campaign, "explained"
    )
    answer = of_contact(tx, rules, secret, contact, campaign, at, asked)
    return answer if known is not None else replace(answer, contact=None)


def of_contact(
    tx: Tx,
    rules: Rules,
    secret: bytes,
    contact: Contact,
    campaign: Campaign,
    at: datetime,
    number: str | None = None,
) -> Explanation:
    """Ask the gate about one contact. `number`: to use instead of the contact's number."""
    path = DialPath.CALL_BACK if contact.status == ContactStatus.CALL_BACK else DialPath.EXPLAIN
    facts = gate.collect(tx, rules, secret, DialRequest(contact, campaign, path, None, at))
    facts = replace(facts, number=number or facts.number, phoner_reserved=True)
    answer = permit.decide(facts, "explained")
    return Explanation(
        campaign=campaign.name,
        at=at,
        reasons=answer.reasons if isinstance(answer, Refusal) else (),
        next_at=answer.next_at if isinstance(answer, Refusal) else None,
        contact=contact.id,
        revision=rules.current.revision,
    )


def _as_number(text: str) -> int:
    digits = "".join(filter(str.isdigit, text))
    return int(digits) if digits.isascii() and 0 < len(digits) <= 15 else 0


def stranger(number: int, place: str, campaign: Campaign, source: str) -> Contact:
    """A person on no list, so that the gate can be asked about a number alone."""
    return Contact(
        id=0,
        campaign=campaign.name,
        person=subject.person_key(None, number, None),
        household=subject.household_key(None, number),
        number=number,
        place=place,
        status=ContactStatus.READY,
        reason=None,
        next_at=None,
        callback_for=None,
        callback_phoner=None,
        release_at=None,
        tries=0,
        tries_by_outcome=None,
        ref=None,
        name=None,
        zone=None,
        born=None,
        member=False,
        last_gift=None,
        ended=None,
        source=source,
        fields=None,
    )
