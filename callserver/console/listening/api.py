"""Listening: start, change, stop; forms; what the phoner sees of it; mentors."""

from collections.abc import Sequence
from typing import ClassVar

from callserver.console.endpoint import Access, Answer, Done, Endpoint, Nothing, UserRequest
from callserver.console.listening.views import (
    MOST,
    Binding,
    EndedListening,
    FormComment,
    FormGiven,
    FormView,
    InCall,
    ListenedToMe,
    ListeningInterval,
    ListeningToMe,
    ListenTo,
    MentorSeat,
    MyListening,
    OpenListening,
    Phoners,
    PhonerView,
    Seen,
)
from callserver.console.live_sources import Causes, Updates
from callserver.database import accounts, listening_intervals, listenings, seats
from callserver.database.accounts import User
from callserver.database.audit import Entry
from callserver.domain.audit import EntryKind
from callserver.domain.listening import DisclosureTime, ListenReason, Mode
from callserver.domain.role import Action, Role
from callserver.domain.seat import SeatState
from callserver.engine.context import EngineContext
from callserver.engine.listening.feedback import Form, ListeningFeedback
from callserver.engine.listening.placement import Placement
from callserver.engine.listening.sessions import ListeningSessions
from callserver.engine.training import standings
from callserver.ports import Tx

RIGHTS = frozenset({Action.LISTEN, Action.COACH, Action.JOIN, Action.LISTEN_TO_MENTOR})
MODES = {Mode.SILENT: Action.LISTEN, Mode.COACH: Action.COACH, Mode.JOIN: Action.JOIN}
CHANGES = {EntryKind.LISTENING_STARTED, EntryKind.LISTENING_CHANGED, EntryKind.LISTENING_STOPPED}


class ListeningApi:
    """Each method is one engine call or one read."""

    causes: ClassVar[Causes] = {"listening": CHANGES, "listened_to_me": CHANGES}

    def __init__(
        self, ctx: EngineContext, sessions: ListeningSessions, feedback: ListeningFeedback
    ) -> None:
        self._ctx = ctx
        self._sessions = sessions
        self._feedback = feedback

    def endpoints(self) -> list[Endpoint]:
        return [
            # Open to every signed-in user, so that each refusal is decided and logged in one place.
            Endpoint("POST", "/listenings", Access.SIGNED_IN, self.listen, RIGHTS),
            Endpoint("POST", "/listenings/stop", Access.SIGNED_IN, self.stop, RIGHTS),
            Endpoint("GET", "/listenings/mine", Access.SIGNED_IN, self.mine, RIGHTS),
            Endpoint("POST", "/calls/{call}/form", Action.LISTEN, self.form),
            Endpoint("POST", "/forms/{form}/comment", Action.PHONE, self.comment),
            Endpoint("GET", "/listened-to-me", Action.PHONE, self.listened_to_me),
            Endpoint("POST", "/listened-to-me", Action.PHONE, self.seen),
            Endpoint("POST", "/no-listener", Action.PHONE, self.no_listener),
            Endpoint("GET", "/phoners", Action.LEAD_FLOOR, self.phoners),
            Endpoint("POST", "/users/{user}/mentor", Action.LEAD_FLOOR, self.mentor),
        ]

    async def updates(self, request: UserRequest, news: Sequence[Entry]) -> Updates:
        """For a listener what they listen to, for a phoner that somebody listened to them."""
        bodies = [entry.body for entry in news if entry.body["kind"] in CHANGES]
        updates: list[tuple[str, Answer]] = []
        may_listen = request.scopes is None or request.scopes & RIGHTS
        if may_listen and any(body.get("listener") == request.user.id for body in bodies):
            updates.append(("listening", await self.mine(request)))
        if request.may(Action.PHONE) and any(
            body.get("phoner") == request.user.id
            and (self._feedback.told_during or body["kind"] == EntryKind.LISTENING_STOPPED)
            for body in bodies
        ):
            updates.append(("listened_to_me", await self.listened_to_me(request)))
        return updates

    async def listen(self, request: UserRequest, body: ListenTo) -> MyListening:
        """Listen to a seat, coach it or join its call; repeated: in another mode or at another seat."""
        rights = frozenset(right for right in RIGHTS if request.may(right))
        wanted = Placement(body.seat, body.mode, body.why, body.browser)
        await self._sessions.start(request.user, rights, wanted)
        return await self.mine(request)

    async def stop(self, request: UserRequest, body: Nothing) -> MyListening:
        """Stop listening."""
        del body
        await self._sessions.stop(request.user)
        return await self.mine(request)

    async def mine(self, request: UserRequest) -> MyListening:
        """What I listen to now, and what I may."""
        modes = [mode for mode, right in MODES.items() if request.may(right)]
        policy = self._ctx.rules.current.organisation.listening
        today = self._ctx.clock.now().date()

        def look(tx: Tx) -> MyListening:
            return MyListening(
                open=_open(tx, request.user),
                ended=_ended(tx, request.user),
                modes=modes,
                mentor=_mentor(tx, request.user) if request.may(Action.LISTEN_TO_MENTOR) else None,
                opens=None if policy is None else policy.opens,
                allowed=policy is not None and today >= policy.opens,
                phoner_told=DisclosureTime.AFTER if policy is None else policy.phoner_told,
            )

        return await self._ctx.store.read(look)

    async def form(self, request: UserRequest, call: str, body: FormGiven) -> Done:
        """Save a listening form with a call that I listened to; a second one replaces the first."""
        form = Form(body.respectful, body.serious, body.positive, body.words.strip())
        await self._feedback.fill_in(request.user, call, form)
        return Done()

    async def comment(self, request: UserRequest, form: int, body: FormComment) -> ListenedToMe:
        """Save my comment on a form about my call; a second one replaces the first."""
        await self._feedback.comment(request.user, form, body.comment.strip())
        return await self.listened_to_me(request)

    async def listened_to_me(self, request: UserRequest) -> ListenedToMe:
        """Who has listened to me, when and to what, and the forms about my calls."""
        during = self._feedback.told_during
        return await self._ctx.store.read(
            lambda tx: _listened_to(tx, request.user.id, open_too=during)
        )

    async def seen(self, request: UserRequest, body: Seen) -> ListenedToMe:
        """Note that I have seen these listenings."""
        await self._feedback.tell(request.user.id, body.listenings)
        return await self.listened_to_me(request)

    async def no_listener(self, request: UserRequest, body: InCall) -> Done:
        """Note that the person on the line wants no listener, now or later."""
        await self._feedback.no_listener(request.user, body.attempt)
        return Done()

    async def phoners(self, request: UserRequest) -> Phoners:
        """The phoners of my department, and whose trainee each is."""

        rules, now = self._ctx.rules.current.training, self._ctx.clock.now()

        def look(tx: Tx) -> Phoners:
            users = accounts.every(tx, request.user.department)
            working = [user for user in users if user.role == Role.PHONER and user.left_at is None]
            return Phoners(
                phoners=[
                    PhonerView(
                        id=user.id,
                        name=user.name,
                        department=user.department,
                        shift=standings.shown(tx, rules, user, now),
                        mentor=user.mentor,
                    )
                    for user in sorted(working, key=lambda user: user.name)
                ]
            )

        return await self._ctx.store.read(look)

    async def mentor(self, request: UserRequest, user: int, body: Binding) -> Done:
        """Set the mentor to whom a trainee may listen (null: none)."""
        await self._feedback.bind(request.user, user, body.mentor)
        return Done()


def _open(tx: Tx, user: User) -> OpenListening | None:
    row = listenings.of_listener(tx, user.id)
    phoner = None if row is None else accounts.user(tx, row.phoner)
    seat = None if row is None else seats.peek(tx, row.phoner)
    if row is None or phoner is None or seat is None:
        return None
    places = {(stay.room, stay.mode) for stay in listening_intervals.of_leg(tx, row.leg)}
    return OpenListening(
        id=row.id,
        seat=row.seat,
        name=phoner.name,
        mode=Mode(row.mode),
        why=ListenReason(row.why),
        since=row.started_at,
        in_room=(seat.room, row.mode) in places,
    )


def _ended(tx: Tx, user: User) -> EndedListening | None:
    row = listenings.last_of(tx, user.id)
    phoner = None if row is None else accounts.user(tx, row.phoner)
    if row is None or row.ended_because is None or phoner is None:
        return None
    return EndedListening(id=row.id, name=phoner.name, because=row.ended_because)


def _mentor(tx: Tx, user: User) -> MentorSeat | None:
    seat = None if user.mentor is None else seats.peek(tx, user.mentor)
    mentor = None if user.mentor is None else accounts.user(tx, user.mentor)
    if seat is None or mentor is None:
        return None
    return MentorSeat(
        seat=seat.id, name=mentor.name, state=SeatState(seat.state), connected=seat.connected
    )


def _listened_to(tx: Tx, phoner: int, *, open_too: bool) -> ListenedToMe:
    rows = listenings.of_phoner(tx, phoner, MOST)
    keys = [row.id for row, _ in rows]
    calls_of = listenings.calls_in(tx, keys)
    intervals = listening_intervals.of_listenings(tx, keys)
    shown = [
        ListeningToMe(
            id=row.id,
            by=name,
            why=ListenReason(row.why),
            since=row.started_at,
            until=row.ended_at,
            intervals=[
                ListeningInterval(
                    mode=Mode(interval.mode), since=interval.since, until=interval.until
                )
                for interval in intervals.get(row.id, ())
            ],
            calls=calls_of.get(row.id, []),
            told_at=row.told_at,
        )
        for row, name in rows
        # A listener whose telephone was not answered has heard nothing.
        if (open_too if row.ended_at is None else row.id in intervals)
    ]
    return ListenedToMe(
        listenings=shown,
        forms=forms_of(tx, phoner),
        untold=sum(listening.told_at is None for listening in shown),
    )


def forms_of(tx: Tx, phoner: int) -> list[FormView]:
    """The forms about a phoner's calls."""
    return [
        FormView(
            id=row.id,
            call=row.call,
            at=row.at,
            by=name,
            respectful=row.respectful,
            serious=row.serious,
            positive=row.positive,
            words=row.words,
            comment=row.comment,
            commented_at=row.commented_at,
        )
        for row, name in listenings.forms_of(tx, phoner, MOST)
    ]
