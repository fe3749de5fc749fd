"""One contact, and everybody who shares its number, person or household: when they may be called again.

A permit names the bounds of its policy (the rest between two calls, the most a day), and the spacing is counted
from the permits that the log has. An agreed call-back is exempt from the spacing, around its instant.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from callserver.domain.behaviour.call import Call
from callserver.domain.behaviour.entry import Breach, Entry

AROUND = timedelta(minutes=15)
"""A call this near to the agreed instant is the agreed one."""

ONE_DAY = timedelta(hours=10)
"""Calls within this time are on one day in every time zone: the night between two calling days is longer."""

CHOSEN_FROM_LIST = frozenset({"list", "call_back"})
"""Paths on which the server chooses the contact; by hand, a phoner does."""

FINISHES = frozenset(
    {"done", "refused", "suppress", "wrong_number", "deceased", "vulnerable", "complaint", "left"}
)
"""What an outcome does, when it finishes the contact: one refusal ends the ask."""

GOES_ON = frozenset({"retry", "call_back", "not_now"})
"""What an outcome does, when the contact is called again."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact according to the log."""

    campaign: str = ""
    finished: bool = False
    agreed_at: datetime | None = None  # the latest agreed call-back


def permitted(contact: Contact, call: Call) -> tuple[Contact, list[Breach]]:
    """A permit for this contact."""
    breaches = []
    if contact.campaign and contact.campaign != call.campaign:
        breaches.append(
            Breach("own-campaign", f"a contact of {contact.campaign} is called for {call.campaign}")
        )
    if contact.finished and call.path in CHOSEN_FROM_LIST:
        breaches.append(Breach("finished", "the contact is finished, and is called again"))
    if call.path == "call_back" and (contact.agreed_at is None or call.at < contact.agreed_at):
        breaches.append(Breach("agreed-time", "no call-back was agreed for this time"))
    return replace(contact, campaign=contact.campaign or call.campaign), breaches


def spacing(entry: Entry, contact: Contact, earlier: list[Call]) -> list[Breach]:
    """A permit against the calls that its number, person or household had before."""
    if contact.agreed_at is not None and abs(entry.at - contact.agreed_at) <= AROUND:
        return []
    reached = [call for call in earlier if call.counts]
    gap = timedelta(minutes=entry.whole("gap_minutes"))
    breaches = []
    if any(entry.at - call.at < gap for call in reached):
        breaches.append(Breach("gap", f"called again within {entry.whole('gap_minutes')} minutes"))
    most = entry.whole("per_day")
    if most and sum(entry.at - call.at < ONE_DAY for call in reached) >= most:
        breaches.append(Breach("per-day", f"called more than {most} times on one day"))
    return breaches


def one_at_a_time(earlier: list[Call]) -> list[Breach]:
    """At most one open call for a number, person or household (I3): also one that is silent (I7)."""
    return [
        Breach("one-open-call", f"the call {other.name} to the same person is {other.state}")
        for other in earlier
        if other.is_open
    ]


def outcome(contact: Contact, entry: Entry) -> Contact:
    """An outcome finishes the contact, or it is called again."""
    does = entry.text("does")
    finished = does in FINISHES or (contact.finished and does not in GOES_ON)
    return replace(contact, finished=finished, agreed_at=None)


def called_back(contact: Contact, entry: Entry) -> Contact:
    """A call-back was agreed."""
    return replace(contact, finished=False, agreed_at=entry.instant("at_time"))


def reopened(contact: Contact) -> Contact:
    """Something new may have brought the contact back to its list: an import, a correction, a consent."""
    return replace(contact, finished=False)
