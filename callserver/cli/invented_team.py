"""What an invented team has before a demonstration: last quarter's survey, the case of the month, a talk."""

import random
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from callserver.assemble import Server
from callserver.cli.invented_data import FIRST_VISITOR, NAMES
from callserver.database import accounts, surveys
from callserver.domain import survey
from callserver.domain.notice import Notice, NoticeKind
from callserver.domain.role import Role
from callserver.domain.survey import Period, QuestionKind
from callserver.domain.survey_results import Submission
from callserver.engine.notices import board
from callserver.engine.surveys import envelopes, follow_up
from callserver.engine.surveys.envelopes import PrivateKeys
from callserver.engine.surveys.quarters import SurveyQuarters
from callserver.ports import Tx
from callserver.settings import survey_keys

LEADER = FIRST_VISITOR + list(NAMES).index(Role.LEADER)
ANSWERS = 17
WORDS = (
    "Lidt længere pause efter en svær samtale.",
    "Det er rart, at man altid må sige det, som det er.",
    "Flere oplæg om sagerne, så vi kan svare på spørgsmål.",
)
DECISION = (
    "Vi begynder hver torsdag med et kvarters oplæg om en sag, og pusterum må tages uden at spørge."
)

CASE = (
    "Journalisten i havnebyen",
    """Amal Prøve skrev om affald i havnen og blev dømt for det. Lysværk følger sagen.

- Hvad skete der: en artikel, en anholdelse, en dom på to år
- Hvad vi beder om: en ny rettergang
- Hvad du kan sige i en samtale: det, der står her, og ikke mere
""",
)
TALK = (
    "Sådan arbejder vi med en sag",
    "Tyve minutter om, hvordan en sag bliver undersøgt, og ti minutter til jeres spørgsmål.",
)


def add_notices(tx: Tx, server: Server) -> None:
    """The case of the month, and a talk in two days."""
    leader, now = accounts.user(tx, LEADER), server.clock.now()
    if leader is None:
        return
    day = now.astimezone(ZoneInfo("Europe/Copenhagen")).replace(minute=0, second=0, microsecond=0)
    for kind, (title, text), at, expert in (
        (NoticeKind.CASE, CASE, day.replace(day=1, hour=0), None),
        (NoticeKind.TALK, TALK, day.replace(hour=15) + timedelta(days=2), "Ebbe Prøve"),
    ):
        notice = Notice(kind, title, text, at, expert=expert)
        board.write(tx, server.ctx.rules, leader, notice, now, has_no_number=True)


async def add_survey(server: Server, seed: int) -> None:
    """Last quarter's survey, answered, counted and followed up."""
    rules, now = server.ctx.rules.current.survey, server.clock.now()
    if not rules.questions:
        return
    first_day = date(now.year, (now.month - 1) // 3 * 3 + 1, 1)
    period = survey.period(rules, survey.quarter_of(first_day - timedelta(days=1)))
    if period.closes_at > now:
        return
    quarters = SurveyQuarters(server.ctx, PrivateKeys(survey_keys(server.settings)))
    await quarters.run(period.opens_at)
    await server.store.run(lambda tx: _answer(tx, server, period, seed))
    await quarters.run(period.closes_at)
    await server.store.run(lambda tx: _follow_up(tx, period))


def _answer(tx: Tx, server: Server, period: Period, seed: int) -> None:
    """Envelopes of colleagues who need no accounts."""
    row, chance = surveys.find(tx, period.quarter), random.Random(seed)  # noqa: S311 - invented answers
    departments = sorted(server.ctx.rules.current.departments)
    if row is None:
        return
    for number in range(ANSWERS):
        given: dict[str, int | str] = {}
        for name, question in row.rules.questions.items():
            if question.kind is QuestionKind.SCALE:
                given[name] = min(5, max(1, round(chance.gauss(3.9, 1))))
            elif question.kind is QuestionKind.CHOICE:
                given[name] = min(chance.choices(question.counted, k=2), key=question.counted.index)
            elif number < len(WORDS):
                given[name] = WORDS[number]
        submission = Submission(departments[number % len(departments)], given)
        sealed = envelopes.seal(row.public_key, period.quarter, submission)
        surveys.add_envelope(tx, period.quarter, sealed)


def _follow_up(tx: Tx, period: Period) -> None:
    leader = accounts.user(tx, LEADER)
    if leader is None:
        return
    decided_at = period.closes_at + timedelta(days=7)
    for text in surveys.texts(tx, undecided=True):
        follow_up.decide_text(tx, leader, text.id, decided_at, shown=True)
    follow_up.add_decision(tx, leader, period.quarter, DECISION, decided_at)
