"""The applicants page's API: group interviews, who took part, and the decision about each applicant."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from callserver.console.applicants.presentation import presented
from callserver.console.applicants.views import (
    Accepted,
    ApplicantsView,
    Invitation,
    NewAccountView,
    NewApplicant,
    NewInterview,
    Presence,
    Words,
)
from callserver.console.endpoint import Endpoint, Nothing, UserRequest
from callserver.console.live_sources import Causes, Updates
from callserver.database.audit import Entry
from callserver.domain.audit import EntryKind
from callserver.domain.role import Action
from callserver.engine.applicants import decisions, interviews, reach
from callserver.engine.applicants.decisions import Hiring
from callserver.engine.context import EngineContext
from callserver.engine.once import once
from callserver.ports import Tx

KINDS = (
    EntryKind.APPLICANT,
    EntryKind.INTERVIEW,
    EntryKind.ROLE_PLAY_STARTED,
    EntryKind.ROLE_PLAY_ENDED,
)


class ApplicantsApi:
    """What supervisors and administrators see of applicants, and do."""

    causes: ClassVar[Causes] = {"applicants": KINDS}

    def __init__(self, ctx: EngineContext, hiring: Hiring) -> None:
        self._ctx = ctx
        self._hiring = hiring

    def endpoints(self) -> list[Endpoint]:
        hire = Action.HIRE
        return [
            Endpoint("GET", "/applicants", hire, self.list),
            Endpoint("POST", "/applicants", hire, self.add, makes=True),
            Endpoint("POST", "/applicants/{applicant}/form", hire, self.form),
            Endpoint("POST", "/applicants/{applicant}/accept", hire, self.accept),
            Endpoint("POST", "/applicants/{applicant}/reject", hire, self.reject),
            Endpoint("POST", "/applicants/{applicant}/delete", hire, self.delete),
            Endpoint("POST", "/interviews", hire, self.plan, makes=True),
            Endpoint("POST", "/interviews/{interview}/cancel", hire, self.cancel),
            Endpoint("POST", "/interviews/{interview}/invite", hire, self.invite),
            Endpoint("POST", "/interviews/{interview}/remove", hire, self.remove),
            Endpoint("POST", "/interviews/{interview}/present", hire, self.present),
        ]

    async def updates(self, request: UserRequest, news: Sequence[Entry]) -> Updates:
        """The whole page, whenever an applicant or an interview has changed."""
        if not request.may(Action.HIRE) or not any(entry.body["kind"] in KINDS for entry in news):
            return ()
        return [("applicants", await self.list(request))]

    async def list(self, request: UserRequest) -> ApplicantsView:
        """Applicants and group interviews."""
        return await self._ctx.store.read(lambda tx: presented(tx, self._ctx, request))

    async def add(self, request: UserRequest, body: NewApplicant) -> ApplicantsView:
        """Add an applicant by name."""
        now, rules = self._ctx.clock.now(), self._ctx.rules

        def work(tx: Tx) -> None:
            reach.check_department(rules, request.user, body.department)
            user, name, department = request.user, body.name, body.department
            once(tx, request.sent, now, lambda: decisions.add(tx, user, name, department, now))

        return await self._after(request, work)

    async def form(self, request: UserRequest, applicant: int, body: Words) -> ApplicantsView:
        """Write about an applicant's role-play call, in answer to the configured questions."""
        now, asked = self._ctx.clock.now(), self._ctx.rules.current.organisation.interviews
        return await self._after(
            request,
            lambda tx: decisions.write_form(tx, request.user, applicant, body.answers, asked, now),
        )

    async def accept(self, request: UserRequest, applicant: int, body: Accepted) -> NewAccountView:
        """Accept an applicant: their account, with a password for the first sign-in, shown only once."""
        key, password = await self._hiring.accept(request.user, applicant, body.handle)
        return NewAccountView(id=key, secret=password)

    async def reject(self, request: UserRequest, applicant: int, body: Nothing) -> ApplicantsView:
        """Reject an applicant; what is known of them is deleted after the configured period."""
        del body
        now = self._ctx.clock.now()
        return await self._after(
            request, lambda tx: decisions.reject(tx, request.user, applicant, now)
        )

    async def delete(self, request: UserRequest, applicant: int, body: Nothing) -> ApplicantsView:
        """Delete everything about an applicant at once: they withdraw."""
        del body
        now = self._ctx.clock.now()
        return await self._after(
            request, lambda tx: decisions.withdraw(tx, request.user, applicant, now)
        )

    async def plan(self, request: UserRequest, body: NewInterview) -> ApplicantsView:
        """Plan a group interview."""
        now, rules = self._ctx.clock.now(), self._ctx.rules

        def work(tx: Tx) -> None:
            user, module, at, where = request.user, body.module, body.at, body.department
            once(
                tx,
                request.sent,
                now,
                lambda: interviews.plan(tx, rules, user, module, at, where, now),
            )

        return await self._after(request, work)

    async def cancel(self, request: UserRequest, interview: int, body: Nothing) -> ApplicantsView:
        """Cancel a group interview."""
        del body
        now = self._ctx.clock.now()
        return await self._after(
            request, lambda tx: interviews.cancel(tx, request.user, interview, now)
        )

    async def invite(
        self, request: UserRequest, interview: int, body: Invitation
    ) -> ApplicantsView:
        """Add an applicant to a group interview."""
        now = self._ctx.clock.now()
        return await self._after(
            request,
            lambda tx: interviews.invite(tx, request.user, interview, body.applicant, now),
        )

    async def remove(
        self, request: UserRequest, interview: int, body: Invitation
    ) -> ApplicantsView:
        """Remove an applicant from a group interview."""
        now = self._ctx.clock.now()
        return await self._after(
            request,
            lambda tx: interviews.remove(tx, request.user, interview, body.applicant, now),
        )

    async def present(self, request: UserRequest, interview: int, body: Presence) -> ApplicantsView:
        """Record whether an applicant is present."""
        now, user = self._ctx.clock.now(), request.user
        return await self._after(
            request,
            lambda tx: interviews.note_present(
                tx, user, interview, body.applicant, now, present=body.present
            ),
        )

    async def _after(self, request: UserRequest, work: Callable[[Tx], None]) -> ApplicantsView:
        """Do the work; the page as it is afterwards."""

        def done(tx: Tx) -> ApplicantsView:
            work(tx)
            return presented(tx, self._ctx, request)

        return await self._ctx.store.run(done)
