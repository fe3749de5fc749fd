"""Recording the outcome of a call, and everything that follows from it, in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from callserver.database import accounts, audit, calls, contacts
from callserver.database.accounts import User
from callserver.database.calls import CallRow
from callserver.database.contacts import Contact
from callserver.domain import asking, hours, permit
from callserver.domain import outcome as outcomes
from callserver.domain.asking import Topic
from callserver.domain.audit import EntryKind
from callserver.domain.call import DialPath
from callserver.domain.campaign import Ask, Campaign, Effect, Outcome
from callserver.domain.facts import Relation
from callserver.domain.identity import NOBODY
from callserver.domain.outcome import Consequence
from callserver.domain.reason import Reason
from callserver.engine.context import RecordingContext
from callserver.engine.gate import gate, stored_facts
from callserver.engine.gate.stored_facts import DialRequest
from callserver.engine.identity import people_in_reach
from callserver.engine.outcomes import call_backs, correctable, missing_outcomes, wishes
from callserver.engine.outcomes.wishes import Wishes
from callserver.errors import Impossible, NotFound
from callserver.ports import Tx


@dataclass(frozen=True, slots=True)
class GivenOutcome:
    """An outcome as the phoner gives it."""

    outcome: str
    details: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    outside_hours: bool = False  # confirmed: the person wants to be called at that time

    def is_recorded_for(self, call: CallRow) -> bool:
        """Whether the call has exactly this outcome already: the reply was lost, and it is sent again."""
        details = dict(call.details or {})
        return (call.outcome, details, call.note or "") == (self.outcome, *self.kept_of(call))

    def kept_of(self, call: CallRow) -> tuple[dict[str, Any], str]:
        """Details and note; no words are kept about a person who was erased since the call."""
        if call.number == NOBODY:
            return outcomes.without_words(self.details), ""
        return dict(self.details), self.note


class NotAgreed(Impossible):
    """A call-back that cannot be agreed for that time: it is outside the calling hours, which the phoner may
    confirm, or the gate refuses it even as an agreed call."""

    def __init__(
        self, reasons: tuple[Reason, ...], next_at: datetime | None, *, confirmable: bool
    ) -> None:
        super().__init__(", ".join(reason.value for reason in reasons))
        self.reasons = reasons
        self.next_at = next_at
        self.confirmable = confirmable


def _refuse_after_no(tx: Tx, call: CallRow, campaign: Campaign, *, corrected: bool) -> None:
    """Refuse an agreement after a refusal in the same call: one refusal ends the ask.

    A mistaken outcome may be corrected to an agreement, but not an opt-out or a refusal.
    """
    over = wishes.endings(tx, campaign, call.attempt)
    if over - (asking.CORRECTABLE if corrected else frozenset()):
        raise Impossible("the ask of this call has ended: nothing is agreed", key="ask_ended")


class OutcomeRecord:
    """Records outcomes. Its methods run inside the caller's transaction."""

    def __init__(self, ctx: RecordingContext, wishes: Wishes) -> None:
        self._ctx = ctx
        self._wishes = wishes

    def correct(self, tx: Tx, user: User, attempt: str, given: GivenOutcome) -> None:
        """Replace an outcome given earlier; both stay in the audit log. A supervisor also enters the outcome that
        a phoner who has left did not give.

        Raises:
            NotFound: no such call of this phoner, or of the user's department.
            NotAllowed: it is another phoner's call.
            Impossible: as `record`.
        """
        call = calls.lock(tx, attempt)
        if call is None:
            raise NotFound("there is no call with an outcome to correct", key="not_found")
        campaign = self._ctx.rules.known(call.campaign)
        correctable.check(user, call, campaign)
        corrected = call.outcome is not None
        by, now = f"user:{user.id}", self._ctx.clock.now()
        if not corrected and (user.role == "phoner" or not missing_outcomes.end(tx, call, by, now)):
            raise NotFound("there is no call with an outcome to correct", key="not_found")
        self.record(tx, call, campaign, given, user, corrected=corrected)

    def record(
        self,
        tx: Tx,
        call: CallRow,
        campaign: Campaign,
        given: GivenOutcome,
        user: User,
        *,
        corrected: bool = False,
    ) -> None:
        """Record the outcome and everything that follows from it, in one transaction."""
        now = self._ctx.clock.now()
        chosen = self._chosen(campaign, given)
        contact = None if call.contact is None else contacts.get_locked(tx, call.contact)
        if contact is not None and call.outcome is not None:
            before = campaign.outcomes.get(call.outcome)
            contact = _uncounted(contact, before)
            if before is not None and before.does is Effect.NOT_NOW:
                self._wishes.take_back_not_now(tx, contact, call, by=f"user:{user.id}", now=now)
        if chosen.agreement:
            _refuse_after_no(tx, call, campaign, corrected=corrected)
        self._check_agreed(tx, call, campaign, chosen, given, contact, now)
        # A phoner who has left makes no call-back.
        talked = None if user.id == call.phoner else accounts.user(tx, call.phoner)
        phoner = None if talked is not None and talked.left_at is not None else call.phoner
        called = contact or wishes.removed_contact(call)
        follows = self._follows(tx, call, campaign, chosen, given, called, phoner, now)
        if contact is None:
            follows = _without_row(follows)
        closed = self._outside_hours(tx, campaign, contact, follows, given)
        details, note = given.kept_of(call)
        # Empty and not missing where only the details have words: retention finds both by the note.
        has_words = details != outcomes.without_words(details)
        calls.change(
            tx,
            call.attempt,
            outcome=given.outcome,
            outcome_at=now,
            details=details,
            note=note or ("" if has_words else None),
        )
        audit.append(
            tx,
            now,
            EntryKind.OUTCOME if call.outcome is None else EntryKind.CORRECTED,
            contact=call.contact,
            call=call.attempt,
            outcome=given.outcome,
            does=chosen.does.value,
            before=call.outcome,
            **({} if user.id == call.phoner else {"by": user.id}),  # the call says whose it is
            **({"outside_hours": [reason.value for reason in closed]} if closed else {}),
        )
        if called is not None:
            self._wishes.apply(
                tx, called, campaign, follows, by=f"user:{user.id}", call=call, now=now
            )

    def _check_agreed(
        self,
        tx: Tx,
        call: CallRow,
        campaign: Campaign,
        chosen: Outcome,
        given: GivenOutcome,
        contact: Contact | None,
        now: datetime,
    ) -> None:
        """Purpose, policy and relation decide what can be agreed.

        Raises:
            Impossible: it cannot be agreed; or a single payment is recorded for something that is
            not a donation.
        """
        once = given.details.get(Ask.FREQUENCY.value) == asking.ONCE
        if not chosen.agreement and not once:
            return
        relation, today = Relation(), now.date()
        if contact is not None:
            question = DialRequest(contact, campaign, DialPath.EXPLAIN, None, now)
            facts = gate.collect(tx, self._ctx.rules, self._ctx.secret, question)
            relation = facts.relation
            today = max(hours.local_dates(permit.place_of(facts), now))
        policy = self._ctx.rules.policy_of(campaign)
        guide = asking.guide(campaign, policy, relation, today)
        why = asking.why_no_agreement(campaign.purpose, guide)
        if chosen.agreement and why is not None and given.outcome != call.outcome:
            raise Impossible(f"nothing of this kind is agreed: {why}", key=f"agreed_{why}")
        if once and Topic.GIFT not in guide.may:
            raise Impossible("once: only a gift is given once", key="once_is_a_gift")

    def _follows(
        self,
        tx: Tx,
        call: CallRow,
        campaign: Campaign,
        chosen: Outcome,
        given: GivenOutcome,
        contact: Contact | None,
        phoner: int | None,
        now: datetime,
    ) -> tuple[Consequence, ...]:
        """What follows from the outcome; nothing for a call without a contact."""
        if contact is None:
            return ()
        follows = outcomes.follow(
            chosen,
            outcomes.Given(
                details=given.details,
                phoner=phoner,
                campaign=campaign,
                tries=contact.tries + 1,
                tries_by_outcome=contact.tries_by_outcome or {},
                key=given.outcome,
            ),
            now,
        )
        if calls.last_of_contact(tx, contact.id) != call.attempt:
            # An older call is corrected: what the person said counts, but the contact's status does not
            # change.
            return tuple(
                consequence for consequence in follows if isinstance(consequence, outcomes.SAID)
            )
        return follows

    def _outside_hours(
        self,
        tx: Tx,
        campaign: Campaign,
        contact: Contact | None,
        follows: tuple[Consequence, ...],
        given: GivenOutcome,
    ) -> tuple[Reason, ...]:
        """Why an agreed call-back lies outside the hours on the person's clock; none: it does not.

        Raises:
            NotAgreed: it does, and this was not confirmed; or the gate would refuse it then.
            Impossible: the campaign was removed, so nobody would make the call.
        """
        policy = self._ctx.rules.policy_of(campaign)
        agreed = next(
            (
                consequence
                for consequence in follows
                if isinstance(consequence, outcomes.CallBackAt)
            ),
            None,
        )
        if agreed is None or contact is None:
            return ()
        if policy is None or campaign.name not in self._ctx.rules.current.campaigns:
            raise Impossible(
                "the campaign was removed, so nobody would make the call", key="no_more_calls"
            )
        refused = call_backs.decided(tx, self._ctx, contact, campaign, agreed.at)
        if refused is not None:
            raise NotAgreed(refused.reasons, refused.next_at, confirmable=False)
        place = stored_facts.place_of(contact, people_in_reach.of(tx, contact))
        closed = hours.problems(policy, place, agreed.at)
        if closed and not given.outside_hours:
            raise NotAgreed(closed, hours.next_open(policy, place, agreed.at), confirmable=True)
        return closed

    def _chosen(self, campaign: Campaign, given: GivenOutcome) -> Outcome:
        if given.outcome not in campaign.outcomes:
            known = ", ".join(campaign.outcomes)
            raise NotFound(
                f"the campaign has no outcome {given.outcome!r}; it has {known}", key="no_outcome"
            )
        chosen = campaign.outcomes[given.outcome]
        missing = outcomes.missing(chosen, given.details, campaign, self._ctx.clock.now())
        if missing:
            asks = [ask.partition(":")[0] for ask in missing]
            key = f"asks_{asks[0]}" if asks[0] in set(Ask) else "asks_nothing_more"
            raise Impossible("; ".join(missing), key=key)
        return chosen


def _without_row(follows: tuple[Consequence, ...]) -> tuple[Consequence, ...]:
    """What follows where the contact has been removed from its list: what was said is about the person.

    Raises:
        Impossible: a call-back was agreed, which nobody would make.
    """
    if any(isinstance(consequence, outcomes.CallBackAt) for consequence in follows):
        raise Impossible(
            "the person is not on the list any more, so nobody would make the call",
            key="off_the_list",
        )
    return tuple(consequence for consequence in follows if isinstance(consequence, outcomes.SAID))


def _uncounted(contact: Contact, before: Outcome | None) -> Contact:
    """The contact before the outcome that is corrected now: its dial is not counted twice."""
    cause = None if before is None else outcomes.cause_of(before)
    tried = contact.tries_by_outcome
    if cause is not None:
        tried = outcomes.counted(tried, cause, -1)
    return contact._replace(tries=max(contact.tries - 1, 0), tries_by_outcome=tried)
