"""The applicants page as a user of a department sees it."""

from datetime import timedelta

from callserver.console.applicants.views import (
    AnswerView,
    ApplicantsView,
    ApplicantView,
    CampaignView,
    InterviewView,
    OpenRolePlay,
    ParticipantView,
)
from callserver.console.endpoint import UserRequest
from callserver.database import accounts, applicants, role_plays
from callserver.domain.applicant import PRESENT_FROM, ApplicantState, Module
from callserver.domain.retention import RetentionClass
from callserver.domain.role_play import JOIN_WITHIN
from callserver.engine.context import EngineContext
from callserver.ports import Tx

SHOWN_FOR = timedelta(days=30)
"""An interview without participants is shown this long."""


def presented(tx: Tx, ctx: EngineContext, request: UserRequest) -> ApplicantsView:
    """Everything on the page."""
    now, rules = ctx.clock.now(), ctx.rules.current
    department = request.user.department
    rows = applicants.every(tx, department)
    interviews = applicants.listed_interviews(tx, department, now - SHOWN_FOR)
    participants = applicants.participants_of(tx, [interview.id for interview in interviews])
    names = {user.id: user.name for user in accounts.every(tx)}
    period = timedelta(days=rules.organisation.retention.period(RetentionClass.APPLICANTS).days)
    return ApplicantsView(
        now=now,
        kept_days=period.days,
        applicants=[
            ApplicantView(
                id=row.id,
                name=row.name,
                department=row.department,
                state=ApplicantState(row.state),
                missing=list(applicants.progress(tx, row).missing),
                form=[AnswerView.model_validate(answer) for answer in row.form or ()],
                form_at=row.form_at,
                form_by=None if row.form_by is None else names.get(row.form_by),
                decided_at=row.decided_at,
                deleted_from=row.kept_from + period,
            )
            for row in rows
        ],
        interviews=[
            InterviewView(
                id=interview.id,
                module=Module(interview.module),
                at=interview.at,
                department=interview.department,
                begun=now >= interview.at - PRESENT_FROM,
                participants=[
                    ParticipantView(applicant=participant.applicant, present=participant.present)
                    for participant in participants
                    if participant.interview == interview.id
                ],
            )
            for interview in interviews
        ],
        departments={
            name: known.title for name, known in rules.departments.items() if request.sees(name)
        },
        questions=list(rules.organisation.interviews.questions),
        campaigns=[
            CampaignView(name=name, title=campaign.title)
            for name, campaign in rules.campaigns.items()
            if request.sees(campaign.department)
        ],
        role_play=_open(tx, ctx, request),
    )


def _open(tx: Tx, ctx: EngineContext, request: UserRequest) -> OpenRolePlay | None:
    row = role_plays.of_interviewer(tx, request.user.id)
    applicant = None if row is None else applicants.find(tx, row.applicant)
    if row is None or applicant is None:
        return None
    return OpenRolePlay(
        id=row.id,
        applicant=applicant.id,
        name=applicant.name,
        campaign=ctx.rules.known(row.campaign).title,
        joined=row.joined_at is not None,
        started=row.started_at is not None,
        code_until=row.created_at + JOIN_WITHIN,
    )
