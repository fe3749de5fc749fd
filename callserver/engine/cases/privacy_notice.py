"""A phoner sends the privacy notice to the person on the line, who has asked for it.

GDPR art. 13 and 14. It is a case that its receipt answers, so that a notice which does not arrive comes back to
member service, and the person's record shows that they got it.
"""

from callserver.database import calls, contacts, seats
from callserver.database.accounts import User
from callserver.domain import phone
from callserver.domain.case import SENT_BY_US, ReplyBy, Source
from callserver.domain.case_rules import CaseKind, CaseRules
from callserver.domain.seat import has_answered_call
from callserver.engine.cases import intake
from callserver.engine.cases.intake import CaseRequest
from callserver.engine.context import EngineContext
from callserver.errors import Impossible
from callserver.ports import Tx


def can_be_sent(rules: CaseRules) -> bool:
    """Whether the organisation has written one (receipts in config/cases.yaml)."""
    return CaseKind.PRIVACY_NOTICE in rules.receipts


def send(
    tx: Tx, ctx: EngineContext, user: User, attempt: str, by: ReplyBy, email: str, language: str
) -> int:
    """Send it by e-mail, or by SMS to the number of the call. Returns the case.

    Raises:
        Impossible: the call is not in the phoner's hand or nobody has answered it, the organisation has no
            notice, the address is not valid, or it is sent in no such way.
    """
    row = seats.of_phoner(tx, user.id)
    in_hand = row is not None and row.call == attempt and has_answered_call(row.seat)
    call = calls.get(tx, attempt) if in_hand else None
    if call is None or call.answered_at is None:
        raise Impossible("this call is not in hand any more", key="privacy_notice_late")
    rules = ctx.rules.current.cases
    if by not in SENT_BY_US or not can_be_sent(rules):
        raise Impossible("there is no privacy notice to send", key="no_privacy_notice")
    contact = None if call.contact is None else contacts.get(tx, call.contact)
    request = CaseRequest(
        kind=CaseKind.PRIVACY_NOTICE,
        source=Source.CALL,
        by=f"user:{user.id}",
        at=ctx.clock.now(),
        number=call.number,
        people=[] if contact is None else [contact],
        language=language,
        reply_by=by,
        reply_to=email if by is ReplyBy.EMAIL else phone.from_int(call.number),
        contact=call.contact,
        call=attempt,
        department=ctx.rules.known(call.campaign).department,
    )
    return intake.open_case(tx, request, rules, ctx.secret).id
