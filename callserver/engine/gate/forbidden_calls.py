"""Silences ringing telephones for which the gate would not permit a call any more."""

from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime

from callserver.database import calls, contacts, pseudonymous_keys, suppressions
from callserver.database.calls import CallRow
from callserver.domain import permit, subject
from callserver.domain.call import DialPath
from callserver.domain.configuration import Configuration
from callserver.domain.reason import Reason
from callserver.engine import user_lines
from callserver.engine.context import Rules
from callserver.engine.gate import gate
from callserver.engine.gate.stored_facts import DialRequest
from callserver.ports import Tx

PASSING = permit.TRANSIENT | (permit.TIMED - {Reason.FREQ_REFUSAL, Reason.FREQ_NOT_NOW})
"""Reasons that silence nobody: they concern the server or the moment, or count the call itself as an attempt. "No, thank
you" and "not now" end with time too, but are the person's own word."""


def silence(
    tx: Tx, rules: Configuration, now: datetime, *, but_for: AbstractSet[Reason] = frozenset()
) -> int:
    """Silence unanswered open calls that the gate would refuse for something about the person. Returns how many.

    What the policy excepts goes on, such as a call to a member where a register does not count for members.
    `but_for`: reasons that silence nobody.
    """
    user_lines.silence(tx, now)
    ringing = [row for row in calls.every_open(tx) if row.answered_at is None]
    forbidden = [row for row in ringing if _reasons(tx, rules, row, now) - but_for]
    return suppressions.want_stopped(tx, [subject.of_person(row.person) for row in forbidden], now)


def _reasons(tx: Tx, rules: Configuration, row: CallRow, now: datetime) -> set[Reason]:
    """Why the call would not be permitted again, but for passing reasons."""
    contact = None if row.contact is None else contacts.get(tx, row.contact)
    campaign = rules.campaigns.get(row.campaign)
    if contact is None or campaign is None:
        return set()
    asked = DialRequest(contact, campaign, DialPath(row.path), None, now)
    facts = gate.collect(tx, Rules(rules), pseudonymous_keys.secret_of(tx), asked)
    lasting = set(permit.reasons_against(facts)) - PASSING
    # The hours were open when it was dialed, and their end has a deadline of its own (engine/calls/ring_end.py).
    at_the_dial = permit.reasons_against(replace(facts, now=row.permit_at))
    return lasting | {reason for reason in at_the_dial if reason.startswith("TIME_")}
