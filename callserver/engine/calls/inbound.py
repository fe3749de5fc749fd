"""Answers calls to a displayed number: says who called, and accepts a wish by a key.

9 = never call me again (effective before the next dial anywhere), 1 = please call me again, which is offered
only if the gate would permit that call. The reason for the call is not said: it could reveal a membership to
others in the household.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from callserver import texts
from callserver.database import audit, calls, contacts
from callserver.database.contacts import Contact
from callserver.database.unavailable import UNAVAILABLE
from callserver.domain import phone
from callserver.domain.audit import EntryKind, stamp
from callserver.domain.campaign import Campaign
from callserver.domain.case import ReplyBy, Source
from callserver.domain.case_rules import CaseKind
from callserver.domain.contact_status import FINISHED, ContactStatus
from callserver.domain.instruction import AskKey, Instruction, Say
from callserver.engine.cases import intake
from callserver.engine.cases.intake import CaseRequest
from callserver.engine.context import EngineContext
from callserver.engine.identity import known_at
from callserver.engine.outcomes import call_backs
from callserver.engine.outcomes.wishes import Wishes
from callserver.ports import Tx

log = structlog.get_logger(__name__)

NEVER_KEY = "9"
CALL_ME_KEY = "1"

PATIENCE_S = 5.0
"""A caller hears a sentence within this time, even if the database does not answer."""


class Inbound:
    """Answers people who call back."""

    def __init__(self, ctx: EngineContext, wishes: Wishes) -> None:
        self._ctx = ctx
        self._wishes = wishes

    async def greet(self, caller: str, called: str, leg: str) -> Instruction:
        """Say who called, if this number was called."""

        def work(tx: Tx) -> Instruction:
            contact, campaign = self._known(tx, caller, called)
            audit.append(
                tx,
                self._ctx.clock.now(),
                EntryKind.INBOUND,
                contact=None if contact is None else contact.id,
                leg=leg,
                known=contact is not None,
            )
            if campaign is None:
                return Say("inbound_stranger")
            values = {"organisation": campaign.organisation}
            if not isinstance(phone.parse(caller), str):
                return Say("inbound_withheld", values)
            if contact is None:
                return AskKey("inbound_unknown", values)
            when = self._when(tx, caller, contact, campaign, self._ctx.clock.now())
            return AskKey("inbound_who" if when else "inbound_no_calls", values)

        return await self._in_time(work)

    async def pressed(self, caller: str, called: str, leg: str, key: str) -> Instruction:
        """A key was pressed. The wish is durable before the answer is spoken."""

        def work(tx: Tx) -> Instruction:
            contact, campaign = self._known(tx, caller, called)
            now = self._ctx.clock.now()
            audit.append(
                tx,
                now,
                EntryKind.INBOUND,
                contact=None if contact is None else contact.id,
                leg=leg,
                key=key if key in (NEVER_KEY, CALL_ME_KEY) else "other",
            )
            if key == NEVER_KEY:
                noted = self._never(tx, caller, contact, campaign)
                return Say("inbound_never_done" if noted else "inbound_not_noted")
            if key == CALL_ME_KEY and contact is not None and campaign is not None:
                promised = self._call_me(tx, caller, contact, campaign, now)
                return Say("inbound_call_me_done" if promised else "inbound_call_me_refused")
            return Say("inbound_goodbye")

        return await self._in_time(work)

    async def _in_time(self, work: Callable[[Tx], Instruction]) -> Instruction:
        """The answer if it is ready in time, else an apology: a caller must not wait."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self._ctx.store.run(work)
        except UNAVAILABLE as error:
            log.warning("caller_not_served", error=type(error).__name__)
            return Say("inbound_busy")

    def _when(
        self, tx: Tx, caller: str, contact: Contact, campaign: Campaign, now: datetime
    ) -> datetime | None:
        """When the caller can be called as they ask; None: the gate would refuse, the campaign was removed, or a list
        has given the person another number since, so that somebody else may be calling."""
        if contact.campaign not in self._ctx.rules.current.campaigns:
            return None
        if phone.from_int(contact.number) != phone.parse(caller):
            return None
        return call_backs.on_request(tx, self._ctx, contact, campaign, now)

    def _call_me(
        self, tx: Tx, caller: str, contact: Contact, campaign: Campaign, now: datetime
    ) -> bool:
        """Book the call: at once, or when the calling hours begin, because the caller has named no time. It
        ends the person's earlier "no, thank you". False: it cannot be promised."""
        at = self._when(tx, caller, contact, campaign, now)
        if at is None:
            return False
        self._wishes.asks_for_call(tx, contact, now)
        contacts.set_status(
            tx,
            contact.id,
            ContactStatus.CALL_BACK,
            next_at=at,
            callback_for=at,
            callback_phoner=None,
            release_at=at,
        )
        audit.append(
            tx, now, EntryKind.CALL_BACK, contact=contact.id, at_time=stamp(at), phoner=None
        )
        return True

    def _never(
        self, tx: Tx, caller: str, contact: Contact | None, campaign: Campaign | None
    ) -> bool:
        """Record the opt-out. False: the number is withheld, so nothing can be recorded."""
        number = phone.parse(caller)
        if not isinstance(number, str):
            return False
        key = phone.to_int(number)
        request = CaseRequest(
            kind=CaseKind.OPT_OUT,
            source=Source.INBOUND,
            by="inbound",
            at=self._ctx.clock.now(),
            number=key,
            people=known_at.everybody(tx, key) if contact is None else [contact],
            reply_by=ReplyBy.SPOKEN,
            told=texts.say("da", "inbound_never_done"),
            contact=None if contact is None else contact.id,
            department=None if campaign is None else campaign.department,
            wish=None if contact is None else "never",
        )
        intake.open_case(tx, request, self._ctx.rules.current.cases, self._ctx.secret)
        if contact is not None and contact.status not in FINISHED:
            contacts.set_status(tx, contact.id, ContactStatus.CLOSED, reason="SUP_PERSON")
        return True

    def _known(self, tx: Tx, caller: str, called: str) -> tuple[Contact | None, Campaign | None]:
        """The contact last called at this number, and the campaign whose number the caller dialed. It may have been
        removed since: people ring back for days."""
        number, rules = phone.parse(caller), self._ctx.rules
        shown = next((c for c in rules.rung_back if c.caller_id == called), None)
        if not isinstance(number, str):
            return None, shown
        for call in reversed(calls.of_number(tx, phone.to_int(number))):
            if call.contact is not None:
                return contacts.get(tx, call.contact), rules.every.get(call.campaign, shown)
        return None, shown
