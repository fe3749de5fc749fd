"""The training page's API for supervisors: who has signed what, which shift each phoner is on, and records."""

from collections.abc import Mapping
from datetime import date, datetime

from pydantic import Field

from callserver.console.endpoint import Answer, Body, Done, Endpoint, UserRequest
from callserver.console.fields import Id
from callserver.console.training.views import DocumentView, SessionView, document_views
from callserver.database import accounts, training, training_sessions, worked_shifts
from callserver.database.accounts import User
from callserver.domain.label import Label
from callserver.domain.role import Action, Role
from callserver.domain.training import Signature, Version
from callserver.engine.context import EngineContext
from callserver.engine.once import once
from callserver.engine.training import sessions, standings, talks
from callserver.ports import Tx


class CreditView(Answer):
    at: datetime
    shifts: int
    reason: str


class MemberView(Answer):
    """A colleague. `shift`: of a phoner who is not trained yet; the talk is the one on the third shift."""

    id: int
    name: str
    role: str
    shift: int | None
    talk_owed: bool
    heard: bool  # a supervisor has listened long enough
    talked_by_phoner: datetime | None
    talked_by_supervisor: datetime | None
    documents: list[DocumentView]
    credits: list[CreditView]


class TeamView(Answer):
    """The colleagues of my department by name, the exercises and courses, and the kinds of these."""

    members: list[MemberView]
    sessions: list[SessionView]
    activities: Mapping[str, Label]
    may_credit: bool


class TalkGiven(Body):
    words: str = Field(default="", max_length=2000)


class CreditGiven(Body):
    shifts: int = Field(ge=1, le=3)
    reason: str = Field(min_length=1, max_length=500)


class NewSession(Body):
    activity: str = Field(min_length=1, max_length=60)
    day: date
    phoners: list[Id] = Field(min_length=1, max_length=200)


class Attendance(Body):
    phoner: Id
    attended: bool


class TrainingTeamApi:
    """What supervisors see and record."""

    def __init__(self, ctx: EngineContext) -> None:
        self._ctx = ctx

    def endpoints(self) -> list[Endpoint]:
        lead, user = Action.LEAD_FLOOR, "/training/phoners/{user}"
        return [
            Endpoint("GET", "/training/team", lead, self.team),
            Endpoint("POST", f"{user}/talk", lead, self.talk),
            Endpoint("POST", f"{user}/credit", Action.ACCOUNTS, self.credit),
            Endpoint("POST", "/training/sessions", lead, self.plan, makes=True),
            Endpoint("POST", "/training/sessions/{session}/attendance", lead, self.attendance),
        ]

    async def team(self, request: UserRequest) -> TeamView:
        """Who has signed what, and how far each phoner is."""
        rules = self._ctx.rules.current

        def look(tx: Tx) -> TeamView:
            everybody = accounts.every(tx, request.user.department)
            working = [user for user in everybody if user.left_at is None]
            versions, signed = training.versions(tx), training.every_signature(tx)
            rows = training_sessions.latest(tx, request.user.department)
            people = training_sessions.participants(tx, [row.id for row in rows])
            return TeamView(
                members=[
                    self._member(tx, request, user, versions, signed.get(user.id, []))
                    for user in sorted(working, key=lambda user: user.name)
                ],
                sessions=[SessionView.of(row, people.get(row.id, {})) for row in rows],
                activities=rules.training.activities,
                may_credit=request.may(Action.ACCOUNTS),
            )

        return await self._ctx.store.read(look)

    def _member(
        self,
        tx: Tx,
        request: UserRequest,
        user: User,
        versions: list[Version],
        signatures: list[Signature],
    ) -> MemberView:
        now, rules = self._ctx.clock.now(), self._ctx.rules.current
        where = standings.of_user(tx, rules.training, user, now)
        is_new = user.role == Role.PHONER and not where.trained
        talk = worked_shifts.talk(tx, user.id) if is_new else None
        return MemberView(
            id=user.id,
            name=user.name,
            role=user.role,
            shift=where.shift if is_new else None,
            talk_owed=where.talk_owed,
            heard=is_new and standings.was_heard(tx, rules.training, user.id),
            talked_by_phoner=None if talk is None else talk.phoner_at,
            talked_by_supervisor=None if talk is None else talk.supervisor_at,
            documents=document_views(
                rules, user, where.level, versions, signatures, now, request.language
            ),
            credits=[
                CreditView(at=credit.at, shifts=credit.shifts, reason=credit.reason)
                for credit in (worked_shifts.credits_of(tx, user.id) if user.credited else ())
            ],
        )

    async def talk(self, request: UserRequest, user: int, body: TalkGiven) -> Done:
        """Record that I have had the conversation on the third shift; the words are for both of us."""
        now, rules = self._ctx.clock.now(), self._ctx.rules.current.training
        await self._ctx.store.run(
            lambda tx: talks.record_as_supervisor(tx, rules, request.user, user, body.words, now)
        )
        return Done()

    async def credit(self, request: UserRequest, user: int, body: CreditGiven) -> Done:
        """Credit a phoner with shifts that they have worked before. The reason is kept."""
        now, rules = self._ctx.clock.now(), self._ctx.rules.current.training

        def work(tx: Tx) -> None:
            phoner = talks.reach(tx, request.user, user)
            standings.credit(tx, rules, phoner, body.shifts, body.reason, now, request.by)

        await self._ctx.store.run(work)
        return Done()

    async def plan(self, request: UserRequest, body: NewSession) -> Done:
        """Plan an exercise or a course, with its day and participants."""
        now, rules = self._ctx.clock.now(), self._ctx.rules.current.training

        def make(tx: Tx) -> int:
            user, phoners = request.user, body.phoners
            return sessions.plan(tx, rules, user, body.activity, body.day, phoners, now)

        await self._ctx.store.run(lambda tx: once(tx, request.sent, now, lambda: make(tx)))
        return Done()

    async def attendance(self, request: UserRequest, session: int, body: Attendance) -> Done:
        """Record whether a participant attended."""
        now, rules = self._ctx.clock.now(), self._ctx.rules.current.training
        await self._ctx.store.run(
            lambda tx: sessions.record(
                tx, rules, request.user, session, body.phoner, now, attended=body.attended
            )
        )
        return Done()
