"""Silences ringing telephones when a public register forbids the call, as decided by the gate."""

from datetime import datetime

from callserver.database import calls, contacts, suppressions
from callserver.database.calls import CallRow
from callserver.domain import subject
from callserver.domain.configuration import Configuration
from callserver.domain.reason import Reason
from callserver.engine import user_lines
from callserver.engine.context import Rules
from callserver.engine.gate import explanation
from callserver.ports import Tx

FORBIDS = frozenset({Reason.SUP_EXTERNAL, Reason.SUP_EXTERNAL_UNSURE})


def silence(tx: Tx, rules: Configuration, now: datetime) -> int:
    """Silence unanswered open calls that a register forbids now. Returns how many.

    Whether a register counts for a person is the policy's answer, so a call to a member goes on where
    the policy excepts members.
    """
    user_lines.silence(tx, now)
    ringing = [row for row in calls.every_open(tx) if row.answered_at is None]
    forbidden = [row for row in ringing if _is_forbidden(tx, rules, row, now)]
    return suppressions.want_stopped(tx, [subject.of_person(row.person) for row in forbidden], now)


def _is_forbidden(tx: Tx, rules: Configuration, row: CallRow, now: datetime) -> bool:
    contact = None if row.contact is None else contacts.get(tx, row.contact)
    campaign = rules.campaigns.get(row.campaign)
    if contact is None or campaign is None:
        return False
    answer = explanation.of_contact(tx, Rules(rules), b"", contact, campaign, now)
    return not FORBIDS.isdisjoint(answer.reasons)
