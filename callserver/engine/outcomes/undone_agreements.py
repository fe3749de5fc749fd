"""An agreement was made on wrong information: it is undone, and the project leader looks into the call.

The ethics book: nobody is to be a member on wrong information. The complaint stops all calls at once and is
answered under two names; the export of outcomes tells the organisation's membership system.
"""

from collections.abc import Sequence
from datetime import datetime

from callserver.database import audit, calls, undone_agreements
from callserver.database.calls import CallRow
from callserver.database.cases import CaseRow
from callserver.database.contacts import Contact
from callserver.domain.audit import EntryKind
from callserver.domain.case import Source
from callserver.domain.case_rules import CaseKind
from callserver.engine.cases import intake
from callserver.engine.cases.intake import CaseRequest
from callserver.engine.context import Rules
from callserver.errors import Impossible
from callserver.ports import Tx


def undo(
    tx: Tx,
    rules: Rules,
    secret: bytes,
    known: Sequence[Contact],
    *,
    number: int,
    words: str,
    by: str,
    now: datetime,
) -> CaseRow:
    """Undo the person's latest agreement. Returns the complaint. `known`: the person's rows on the lists.

    Raises:
        Impossible: no agreement of this person is known, or each has been undone.
    """
    agreed = _agreements(tx, rules, known, number)
    undone = undone_agreements.among(tx, [call.attempt for call in agreed])
    standing = [call for call in agreed if call.attempt not in undone]
    if not standing:
        raise Impossible("no agreement of this person stands", key="no_agreement")
    latest = max(standing, key=lambda call: call.permit_at)
    request = CaseRequest(
        kind=CaseKind.COMPLAINT,
        source=Source.TELEPHONE,
        by=by,
        at=now,
        number=number,
        people=known,
        words=words.strip() or None,
        call=latest.attempt,
        department=rules.department(latest.campaign),
    )
    case = intake.open_case(tx, request, rules.current.cases, secret)
    undone_agreements.add(tx, latest.attempt, now, case.id)
    audit.append(tx, now, EntryKind.AGREEMENT_UNDONE, call=latest.attempt, case=case.id, by=by)
    return case


def _agreements(tx: Tx, rules: Rules, known: Sequence[Contact], number: int) -> list[CallRow]:
    """The person's calls that ended in an agreement, locked."""
    numbers = {number, *(contact.number for contact in known)}
    made = calls.of_contacts(tx, [contact.id for contact in known])
    made += calls.of_persons(tx, {contact.person for contact in known}, numbers)
    campaigns = rules.every
    agreed = []
    for call in {call.attempt: call for call in made}.values():
        campaign = campaigns.get(call.campaign)
        given = None if campaign is None else campaign.outcomes.get(call.outcome or "")
        if given is not None and given.agreement and calls.lock(tx, call.attempt) is not None:
            agreed.append(call)
    return agreed
