"""Listening forms, what the phoner is told, mentors, and people who do not want a listener."""

from dataclasses import dataclass

from callserver.database import accounts, audit, calls, listenings, seats
from callserver.database.accounts import User
from callserver.domain import subject
from callserver.domain.audit import EntryKind
from callserver.domain.identity import NOBODY
from callserver.domain.listening import DisclosureTime
from callserver.domain.marks import MarkKind
from callserver.domain.role import Role
from callserver.domain.seat import SeatState
from callserver.engine.context import EngineContext
from callserver.engine.listening import mentors
from callserver.engine.listening.legs import ListenerLegs
from callserver.engine.suppressions import marking
from callserver.errors import Impossible, NotFound
from callserver.ports import Tx


@dataclass(frozen=True, slots=True)
class Form:
    """The assessment of a talk: grades from 1 to 5, and words. No sales figures."""

    respectful: int
    serious: int
    positive: int
    words: str = ""


class ListeningFeedback:
    """Listening forms, what phoners are told, mentors, and people who do not want a listener."""

    def __init__(self, ctx: EngineContext, legs: ListenerLegs) -> None:
        self._ctx = ctx
        self._legs = legs

    async def fill_in(self, user: User, call: str, form: Form) -> int:
        """Save a form for a call that the user heard. A second form replaces the first. Returns its id.

        Raises:
            NotFound: there is no such call, or the user did not hear it.
        """

        def work(tx: Tx) -> int:
            row = calls.get(tx, call)
            if row is None or not listenings.heard_by(tx, call, user.id):
                raise NotFound("you have heard no such call", key="not_heard")
            now = self._ctx.clock.now()
            key = listenings.store_form(
                tx,
                call,
                user.id,
                phoner=row.phoner,
                at=now,
                respectful=form.respectful,
                serious=form.serious,
                positive=form.positive,
                words=form.words,
            )
            audit.append(
                tx, now, EntryKind.FORM, call=call, form=key, phoner=row.phoner, by=user.id
            )
            return key

        return await self._ctx.store.run(work)

    async def comment(self, phoner: User, form: int, comment: str) -> None:
        """Save the phoner's comment on a form about their call. A second comment replaces the first.

        Raises:
            NotFound: there is no such form about a call of theirs.
        """

        def work(tx: Tx) -> None:
            row = listenings.form(tx, form)
            if row is None or row.phoner != phoner.id:
                raise NotFound("there is no such form about a call of yours", key="not_found")
            now = self._ctx.clock.now()
            listenings.comment_form(tx, form, comment, now)
            audit.append(tx, now, EntryKind.FORM_COMMENT, call=row.call, form=form, by=phoner.id)

        await self._ctx.store.run(work)

    @property
    def told_during(self) -> bool:
        """Whether a phoner sees a listening while it lasts; otherwise they see it afterwards."""
        policy = self._ctx.rules.current.organisation.listening
        return policy is not None and policy.phoner_told is DisclosureTime.DURING

    async def tell(self, phoner: int, seen: list[int]) -> None:
        """Record that the phoner has seen who listened to them."""
        now = self._ctx.clock.now()
        await self._ctx.store.run(lambda tx: listenings.set_told(tx, phoner, seen, now))

    async def no_listener(self, user: User, attempt: str | None = None) -> None:
        """Record that the person on the line wants no listener, now and in every later call.

        `attempt`: the call in which it was said, which is accepted also if that call has just ended.

        Raises:
            Impossible: nobody is on the line.
        """

        def work(tx: Tx) -> None:
            row = seats.of_phoner(tx, user.id)
            in_hand = row.call if row is not None and row.state == SeatState.TALKING else None
            key = attempt or in_hand
            call = None if key is None else calls.get(tx, key)
            if (
                row is None
                or call is None
                or call.phoner != user.id
                or call.answered_at is None
                or call.person == NOBODY
            ):
                raise Impossible("nobody is on the line", key="nobody_on_the_line")
            now = self._ctx.clock.now()
            about = subject.of_person(call.person)
            by = f"user:{user.id}"
            fields = marking.mark(tx, about, MarkKind.NO_LISTENER, now, now, by=by)
            audit.append(
                tx, now, EntryKind.NO_LISTENER, contact=call.contact, call=call.attempt, **fields
            )
            self._legs.look_at_seat(tx, row)

        await self._ctx.store.run(work)

    async def bind(self, by: User, trainee: int, mentor: int | None) -> None:
        """Make this phoner the trainee's mentor, whose calls they may hear (None: no mentor).

        Raises:
            NotFound: the trainee is not a phoner of a department that `by` leads.
            Impossible: this colleague cannot be the trainee's mentor (mentors.py).
        """

        def work(tx: Tx) -> None:
            new = self._phoner(tx, by, trainee)
            mentors.check(tx, mentor, trainee=new.id, role=new.role, department=new.department)
            now = self._ctx.clock.now()
            accounts.change(tx, trainee, mentor=mentor)
            listenings.set_due_of_listener(tx, trainee, now)
            audit.append(
                tx,
                now,
                EntryKind.USER,
                user=trainee,
                did="mentor",
                mentor=mentor,
                by=f"user:{by.id}",
            )

        await self._ctx.store.run(work)

    @staticmethod
    def _phoner(tx: Tx, by: User, user: int) -> User:
        account = accounts.user(tx, user)
        if account is None or account.role != Role.PHONER or account.left_at is not None:
            raise NotFound("there is no such phoner", key="not_found")
        if by.department not in (None, account.department):
            raise NotFound("there is no such phoner", key="not_found")
        return account
