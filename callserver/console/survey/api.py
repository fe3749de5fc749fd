"""The survey page's API: answering, the results of closed surveys, and the decisions that followed.

A user who has answered no longer gets the form; nobody else learns of it.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from callserver.console.endpoint import Access, Done, Endpoint, UserRequest
from callserver.console.live_sources import Causes, Updates
from callserver.console.survey.views import (
    Answers,
    DecisionView,
    NewDecision,
    OpenSurvey,
    PointView,
    QuarterView,
    SeriesView,
    SurveyNow,
    SurveyView,
    TextDecision,
    TextView,
)
from callserver.database import accounts, surveys
from callserver.database.audit import Entry
from callserver.database.surveys import SurveyRow
from callserver.domain import numbers_in_text
from callserver.domain.audit import EntryKind
from callserver.domain.label import Label
from callserver.domain.role import Action
from callserver.domain.survey import QuestionKind, SurveyState
from callserver.domain.survey_results import GroupResult
from callserver.engine.context import EngineContext
from callserver.engine.once import once
from callserver.engine.surveys import answers, follow_up
from callserver.ports import Tx


class SurveyApi:
    """Phoners answer; everybody reads the results."""

    causes: ClassVar[Causes] = {"survey": {EntryKind.SURVEY}}

    def __init__(self, ctx: EngineContext) -> None:
        self._ctx = ctx

    def endpoints(self) -> list[Endpoint]:
        lead = Action.LEAD_SURVEY
        return [
            Endpoint("GET", "/survey", Access.SIGNED_IN, self.all),
            Endpoint("GET", "/survey/open", Access.SIGNED_IN, self.open),
            Endpoint("POST", "/survey/answers", Action.ANSWER_SURVEY, self.answer),
            Endpoint("POST", "/survey/texts/{text}", lead, self.decide_text),
            Endpoint("POST", "/survey/decisions", lead, self.add_decision, makes=True),
        ]

    async def updates(self, request: UserRequest, news: Sequence[Entry]) -> Updates:
        """The whole page, whenever a survey was opened, closed or followed up."""
        if not any(entry.body["kind"] == EntryKind.SURVEY for entry in news):
            return ()
        return [("survey", await self.all(request))]

    async def open(self, request: UserRequest) -> SurveyNow:
        """The survey that I may answer now."""
        return await self._ctx.store.read(lambda tx: self._now(tx, request))

    async def all(self, request: UserRequest) -> SurveyView:
        """The open survey, the results of earlier ones, and the decisions that followed."""
        return await self._ctx.store.read(lambda tx: self._view(tx, request))

    async def answer(self, request: UserRequest, body: Answers) -> Done:
        """Answer the open survey, once. Nobody can tell which answers are mine."""
        now = self._ctx.clock.now()
        await self._ctx.store.run(
            lambda tx: answers.answer(tx, request.user, body.quarter, body.answers, now)
        )
        return Done()

    async def decide_text(self, request: UserRequest, text: str, body: TextDecision) -> SurveyView:
        """Show an answer in words to all, or withhold it."""
        now = self._ctx.clock.now()

        def work(tx: Tx) -> SurveyView:
            follow_up.decide_text(tx, request.user, text, now, shown=body.shown)
            return self._view(tx, request)

        return await self._ctx.store.run(work)

    async def add_decision(self, request: UserRequest, body: NewDecision) -> SurveyView:
        """Write down what was decided after a survey; everybody reads it."""
        now = self._ctx.clock.now()

        def work(tx: Tx) -> SurveyView:
            user, quarter, text = request.user, body.quarter, body.text
            once(
                tx, request.sent, now, lambda: follow_up.add_decision(tx, user, quarter, text, now)
            )
            return self._view(tx, request)

        return await self._ctx.store.run(work)

    def _now(self, tx: Tx, request: UserRequest) -> SurveyNow:
        now = self._ctx.clock.now()
        current, mine = surveys.open_now(tx), answers.answerable(tx, request.user, now)
        is_open = current is not None and current.opens_at <= now < current.closes_at
        return SurveyNow(
            open=None if mine is None or not request.may(Action.ANSWER_SURVEY) else _open(mine),
            quarter=current.quarter if current is not None and is_open else None,
            closes_at=current.closes_at if current is not None and is_open else None,
        )

    def _view(self, tx: Tx, request: UserRequest) -> SurveyView:
        leads = request.may(Action.LEAD_SURVEY)
        rows, results, withheld = surveys.every(tx), surveys.results(tx), surveys.withheld(tx)
        seen = {
            quarter: [
                result
                for result in groups
                if result.department is None or request.sees(result.department)
            ]
            for quarter, groups in results.items()
        }
        names = {user.id: user.name for user in accounts.every(tx)}
        departments = {group.department for groups in seen.values() for group in groups}
        return SurveyView(
            **dict(self._now(tx, request)),
            quarters=[
                _quarter(row, seen.get(row.quarter, []), withheld.get(row.quarter, 0))
                for row in rows
                if row.state != SurveyState.OPEN
            ],
            departments={name: self._title(name) for name in sorted(filter(None, departments))},
            series=_series(rows, seen),
            texts=[
                TextView(
                    id=text.id,
                    quarter=text.quarter,
                    question=_question(rows, text.quarter, text.question),
                    text=text.text,
                    decided=text.shown is not None,
                    numbers=leads and numbers_in_text.may_hold_number(text.text),
                )
                for text in surveys.texts(tx, undecided=leads)
            ],
            decisions=[
                DecisionView(
                    quarter=decision.quarter,
                    at=decision.at,
                    by=names.get(decision.by, ""),
                    text=decision.text,
                )
                for decision in surveys.decisions(tx)
            ],
            may_lead=leads,
        )

    def _title(self, department: str) -> Label:
        known = self._ctx.rules.current.departments.get(department)
        return Label(da=department, en=department) if known is None else known.title


def _open(row: SurveyRow) -> OpenSurvey:
    return OpenSurvey(
        quarter=row.quarter,
        closes_at=row.closes_at,
        smallest_group=row.rules.smallest_group,
        introduction=row.rules.introduction,
        questions=row.rules.questions,
    )


def _quarter(row: SurveyRow, groups: Sequence[GroupResult], withheld: int) -> QuarterView:
    return QuarterView(
        quarter=row.quarter,
        state=SurveyState(row.state),
        answers=next((group.answers for group in groups if group.department is None), None),
        smallest_group=row.rules.smallest_group,
        withheld=withheld,
    )


def _question(rows: Sequence[SurveyRow], quarter: str, question: str) -> Label:
    return next(row.rules.questions[question].text for row in rows if row.quarter == quarter)


def _series(
    rows: Sequence[SurveyRow], results: Mapping[str, Sequence[GroupResult]]
) -> list[SeriesView]:
    """Every question that is counted, the latest survey's first."""
    series: dict[tuple[str, QuestionKind], SeriesView] = {}
    for row in rows:
        for name, question in row.rules.questions.items():
            groups = results.get(row.quarter, ())
            if question.kind is QuestionKind.TEXT or not groups:
                continue
            key = name, question.kind
            if key not in series:
                series[key] = SeriesView(
                    question=name,
                    **question.model_dump(),
                    points=[],
                )
            series[key].points.extend(
                PointView(
                    quarter=row.quarter,
                    department=group.department,
                    answers=group.answers,
                    counts=group.counts.get(name),
                )
                for group in groups
            )
            missing = {
                option: label
                for option, label in question.options.items()
                if option not in series[key].options
            }
            if missing:  # an option of an earlier quarter
                options = {**series[key].options, **missing}
                series[key] = series[key].model_copy(update={"options": options})
    return list(series.values())
