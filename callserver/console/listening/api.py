"""The room of listening: start, change, stop; forms; what the phoner sees of it; mentors."""

from collections.abc import Sequence

from callserver.console.endpoint import Answer, Asked, Done, Endpoint, Footing, Nothing
from callserver.console.listening.views import (
    MOST,
    Binding,
    EndedListening,
    FormGiven,
    FormView,
    HeardInterval,
    HeardOnce,
    HeardView,
    ListenTo,
    MentorSeat,
    MyListening,
    OpenListening,
    Phoners,
    PhonerView,
    Seen,
)
from callserver.console.live import Told
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
from callserver.ports import Tx

RIGHTS = frozenset({Action.LISTEN, Action.COACH, Action.JOIN, Action.LISTEN_TO_MENTOR})
MODES = {Mode.SILENT: Action.LISTEN, Mode.COACH: Action.COACH, Mode.JOIN: Action.JOIN}
CHANGES = {EntryKind.LISTENING_STARTED, EntryKind.LISTENING_CHANGED, EntryKind.LISTENING_STOPPED}


class ListeningApi:
    """Each method is one engine call, or one look."""

    def __init__(
        self, ctx: EngineContext, listening: ListeningSessions, feedback: ListeningFeedback
    ) -> None:
        self._ctx = ctx
        self._listening = listening
        self._feedback = feedback

    def endpoints(self) -> list[Endpoint]:
        return [
            # Open to every signed-in user, so that each refusal is decided and logged in one place.
            Endpoint("POST", "/listenings", Footing.IN, self.listen, RIGHTS),
            Endpoint("POST", "/listenings/stop", Footing.IN, self.stop, RIGHTS),
            Endpoint("GET", "/listenings/mine", Footing.IN, self.mine, RIGHTS),
            Endpoint("POST", "/calls/{call}/form", Action.LISTEN, self.form),
            Endpoint("GET", "/heard", Action.PHONE, self.heard),
            Endpoint("POST", "/heard", Action.PHONE, self.seen),
            Endpoint("POST", "/no-listener", Action.PHONE, self.no_listener),
            Endpoint("GET", "/phoners", Action.LEAD_FLOOR, self.phoners),
            Endpoint("POST", "/users/{user}/mentor", Action.LEAD_FLOOR, self.mentor),
        ]

    async def tell(self, asked: Asked, news: Sequence[Entry]) -> Told:
        """To a listener what they hear, to a phoner that they were heard."""
        about = [entry.body for entry in news if entry.body["kind"] in CHANGES]
        told: list[tuple[str, Answer]] = []
        mine = asked.scopes is None or asked.scopes & RIGHTS
        if mine and any(entry_body.get("listener") == asked.user.id for entry_body in about):
            told.append(("listening", await self.mine(asked)))
        if asked.may(Action.PHONE) and any(
            entry_body.get("phoner") == asked.user.id
            and (self._feedback.told_during or entry_body["kind"] == EntryKind.LISTENING_STOPPED)
            for entry_body in about
        ):
            told.append(("heard", await self.heard(asked)))
        return told

    async def listen(self, asked: Asked, body: ListenTo) -> MyListening:
        """Listen to a seat, coach it or join its talk; again: in another mode, or another seat."""
        rights = frozenset(right for right in RIGHTS if asked.may(right))
        wanted = Placement(body.seat, body.mode, body.why, body.browser)
        await self._listening.start(asked.user, rights, wanted)
        return await self.mine(asked)

    async def stop(self, asked: Asked, body: Nothing) -> MyListening:
        """Listen no more."""
        del body
        await self._listening.stop(asked.user)
        return await self.mine(asked)

    async def mine(self, asked: Asked) -> MyListening:
        """What I listen to just now, and what I may."""
        modes = [mode for mode, right in MODES.items() if asked.may(right)]
        policy = self._ctx.rules.current.organisation.listening
        today = self._ctx.clock.now().date()

        def look(tx: Tx) -> MyListening:
            return MyListening(
                open=_open(tx, asked.user),
                ended=_ended(tx, asked.user),
                modes=modes,
                mentor=_mentor(tx, asked.user) if asked.may(Action.LISTEN_TO_MENTOR) else None,
                opens=None if policy is None else policy.opens,
                allowed=policy is not None and today >= policy.opens,
                phoner_told=DisclosureTime.AFTER if policy is None else policy.phoner_told,
            )

        return await self._ctx.store.read(look)

    async def form(self, asked: Asked, call: str, body: FormGiven) -> Done:
        """Save a listening form with a call that I heard; a second one replaces the first."""
        form = Form(body.respectful, body.serious, body.positive, body.words.strip())
        await self._feedback.fill_in(asked.user, call, form)
        return Done()

    async def heard(self, asked: Asked) -> HeardView:
        """Who has listened to me, when and to what, and the forms about my calls."""
        during = self._feedback.told_during
        return await self._ctx.store.read(lambda tx: _heard(tx, asked.user.id, open_too=during))

    async def seen(self, asked: Asked, body: Seen) -> HeardView:
        """I have seen these."""
        await self._feedback.tell(asked.user.id, body.listenings)
        return await self.heard(asked)

    async def no_listener(self, asked: Asked, body: Nothing) -> Done:
        """The person on the line does not want anybody to listen, now or later."""
        del body
        await self._feedback.no_listener(asked.user)
        return Done()

    async def phoners(self, asked: Asked) -> Phoners:
        """The phoners of my department, and whose trainee each is."""

        def look(tx: Tx) -> Phoners:
            everybody = accounts.every(tx, asked.user.department)
            working = [
                user for user in everybody if user.role == Role.PHONER and user.left_at is None
            ]
            return Phoners(
                phoners=[
                    PhonerView(
                        id=user.id,
                        name=user.name,
                        department=user.department,
                        shifts=user.shifts,
                        mentor=user.mentor,
                    )
                    for user in sorted(working, key=lambda user: user.name)
                ]
            )

        return await self._ctx.store.read(look)

    async def mentor(self, asked: Asked, user: int, body: Binding) -> Done:
        """Let a trainee listen to this colleague's calls (null: to nobody's any more)."""
        await self._feedback.bind(asked.user, user, body.mentor)
        return Done()


def _open(tx: Tx, user: User) -> OpenListening | None:
    row = listenings.of_listener(tx, user.id)
    phoner = None if row is None else accounts.user(tx, row.phoner)
    if row is None or phoner is None:
        return None
    return OpenListening(
        id=row.id,
        seat=row.seat,
        name=phoner.name,
        mode=Mode(row.mode),
        why=ListenReason(row.why),
        since=row.started_at,
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


def _heard(tx: Tx, phoner: int, *, open_too: bool) -> HeardView:
    rows = listenings.of_phoner(tx, phoner, MOST)
    keys = [row.id for row, _ in rows]
    heard, stays = listenings.calls_in(tx, keys), listening_intervals.of_listenings(tx, keys)
    found = [
        HeardOnce(
            id=row.id,
            by=name,
            why=ListenReason(row.why),
            since=row.started_at,
            until=row.ended_at,
            intervals=[
                HeardInterval(mode=Mode(stay.mode), since=stay.since, until=stay.until)
                for stay in stays.get(row.id, ())
            ],
            calls=heard.get(row.id, []),
            told_at=row.told_at,
        )
        for row, name in rows
        if (
            open_too if row.ended_at is None else row.id in stays
        )  # whose telephone was not answered
    ]
    return HeardView(
        listenings=found,
        forms=forms_of(tx, phoner),
        untold=sum(one.told_at is None for one in found),
    )


def forms_of(tx: Tx, phoner: int) -> list[FormView]:
    """The forms about a phoner's calls."""
    return [
        FormView(
            call=row.call,
            at=row.at,
            by=name,
            respectful=row.respectful,
            serious=row.serious,
            positive=row.positive,
            words=row.words,
        )
        for row, name in listenings.forms_of(tx, phoner, MOST)
    ]
