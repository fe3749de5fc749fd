"""An agreement was made on wrong information: it is undone, and the project leader looks into the call.

The ethics book: nobody is to be a member on wrong information. The complaint stops all calls at once and is
answered under two names; the export of outcomes tells the organisation's membership system.
"""

from collections.abc import Sequence
from datetime import datetime

from callserver.database import audit, calls, revisions, undone_agreements
from callserver.database.calls import CallRow
from callserver.database.cases import CaseRow
from callserver.database.contacts import Contact
from callserver.domain.audit import EntryKind
from callserver.domain.case import Source
from callserver.domain.case_rules import CaseKind
from callserver.domain.configuration import Configuration, exported, imported
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
    return [
        call
        for call in {call.attempt: call for call in made}.values()
        if _is_agreement(tx, rules, call) and calls.lock(tx, call.attempt) is not None
    ]


def _is_agreement(tx: Tx, rules: Rules, call: CallRow) -> bool:
    """A person may notice long after the campaign or its outcome was removed: then the latest revision with it counts,
    of those that this version can still read."""
    if call.outcome is None:
        return False
    known = rules.every.get(call.campaign)
    if known is not None and call.outcome in known.outcomes:
        return known.outcomes[call.outcome].agreement
    for content in revisions.contents_with(tx, f"campaigns/{call.campaign}.yaml"):
        read = imported(exported(content))
        given = read.campaigns[call.campaign].outcomes if isinstance(read, Configuration) else {}
        if call.outcome in given:
            return given[call.outcome].agreement
    return False
