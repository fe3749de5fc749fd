"""The survey's questions, its periods, and what may be shown of its answers."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callserver.adapters import yaml_files
from callserver.adapters.config_folder import load
from callserver.domain import survey, survey_results
from callserver.domain.configuration import Configuration, compose
from callserver.domain.survey import Given, SurveyRules
from callserver.domain.survey_results import Submission
from callserver.errors import Impossible

CONFIG = Path(__file__).parents[2] / "config"
RULES = load(CONFIG).survey
DEPARTMENTS = ("nord", "syd", "vest", None)


def problems(text: str) -> list[str]:
    raw = yaml_files.read_folder(CONFIG)
    composed = compose(yaml_files.parse({**raw, "survey.yaml": text.encode()}))
    return [] if isinstance(composed, Configuration) else [str(problem) for problem in composed]


LABEL = "{da: Ja, en: Yes}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            f"questions:\n  a:\n    kind: scale\n    text: {LABEL}\n",
            "survey.yaml:2: questions.a: a scale says in low and high what 1 and 5 mean",
        ),
        (
            f"questions:\n  a:\n    kind: choice\n    text: {LABEL}\n    options: {{x: {LABEL}}}\n",
            "survey.yaml:2: questions.a: a choice has at least two options",
        ),
        (
            f"questions:\n  a:\n    kind: text\n    text: {LABEL}\n    low: {LABEL}\n",
            "survey.yaml:5: questions.a.low: belongs to questions of the kind scale",
        ),
        (
            f"questions:\n  a:\n    kind: text\n    text: {LABEL}\n    options: {{x: {LABEL}}}\n",
            "survey.yaml:5: questions.a.options: belongs to questions of the kind choice",
        ),
        (
            "questions:\n" + "".join(f"  t{n}: {{kind: text, text: {LABEL}}}\n" for n in range(4)),
            "survey.yaml:5: questions.t3: at most 3 questions are answered in words",
        ),
        (
            "questions:\n  a: {kind: stars, text: {da: Ja, en: Yes}}\n",
            "survey.yaml:2: questions.a.kind: 'stars' is not one of 'scale', 'choice', 'text'",
        ),
        (
            "questions:\n  a: {kind: text, text: {da: Ja}}\n",
            "survey.yaml:2: questions.a.text.en: is missing",
        ),
        (
            "smallest_group: 3\n",
            "survey.yaml:1: smallest_group: should be at least 5, not 3",
        ),
        (
            "open_dayz: 9\n",
            "survey.yaml:1: open_dayz: is not a known key; did you mean 'open_days'?",
        ),
    ],
)
def test_a_problem_has_its_place(text: str, said: str) -> None:
    assert problems(text) == [said]


def test_other_questions_are_another_revision() -> None:
    raw = yaml_files.read_folder(CONFIG)
    changed = {**raw, "survey.yaml": f"questions:\n  a: {{kind: text, text: {LABEL}}}\n".encode()}
    before, after = (compose(yaml_files.parse(files)) for files in (raw, changed))
    assert isinstance(before, Configuration)
    assert isinstance(after, Configuration)
    assert before.revision != after.revision


@given(
    hours=st.integers(0, 14 * 365 * 24),
    month=st.integers(1, 3),
    first=st.integers(1, 28),
    days=st.integers(5, 45),
)
def test_a_period_contains_the_instant_and_periods_do_not_overlap(
    hours: int, month: int, first: int, days: int
) -> None:
    day = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    rules = RULES.model_copy(
        update={"opens": survey.Opening(month=month, day=first), "open_days": days}
    )
    within = survey.due(rules, day)
    if within is not None:
        assert within.opens_at <= day < within.closes_at
        assert survey.period(rules, within.quarter) == within
        after = survey.due(rules, within.closes_at)
        assert after is None or after.quarter != within.quarter
    quarter = survey.quarter_of(day.date())
    assert survey.due(rules, survey.period(rules, quarter).opens_at) is not None


def test_without_questions_there_is_no_survey() -> None:
    assert survey.due(SurveyRules(), datetime(2026, 5, 12, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    "given_answers",
    [
        {},
        {"change": "  "},
        {"respect": 0},
        {"respect": 6},
        {"respect": "5"},
        {"pressure": "always"},
        {"pressure": ""},
        {"change": 3},
        {"nothing": 1},
        {"change": "x" * 1001},
    ],
)
def test_what_is_no_answer_is_refused(given_answers: dict[str, int | str]) -> None:
    with pytest.raises(Impossible):
        survey.checked(RULES, given_answers)


SIZES = st.lists(st.integers(0, 14), min_size=4, max_size=4)


@given(sizes=SIZES, smallest=st.integers(5, 8))
def test_no_sum_or_difference_concerns_fewer_than_the_smallest_group(
    sizes: list[int], smallest: int
) -> None:
    """Every set of people that can be told apart by adding and subtracting what is shown."""
    people = [
        (department, number)
        for department, size in zip(DEPARTMENTS, sizes, strict=True)
        for number in range(size)
    ]
    rules = RULES.model_copy(update={"smallest_group": smallest})
    submissions = [Submission(department, {"respect": 3}) for department, _ in people]
    shown = survey_results.results(rules, submissions)
    if len(people) < smallest:
        assert shown == []
        return
    sets = [
        {person for person in people if result.department in (None, person[0])} for result in shown
    ]
    assert [len(group) for group in sets] == [result.answers for result in shown]
    for signs in product((-1, 0, 1), repeat=len(sets)):
        times = Counter(
            {
                person: sum(
                    sign for sign, group in zip(signs, sets, strict=True) if person in group
                )
                for person in people
            }
        )
        for value in set(times.values()) - {0}:
            alone = {person for person, count in times.items() if count == value}
            assert len(alone) >= smallest


def test_a_single_small_department_takes_another_with_it() -> None:
    sizes: dict[str | None, int] = {"nord": 9, "syd": 6, "vest": 2}
    assert survey_results.shown_departments(sizes, 5) == ["nord"]
    assert survey_results.shown_departments({"nord": 9, "syd": 6}, 5) == ["nord", "syd"]
    assert survey_results.shown_departments({"nord": 9, None: 1}, 5) == []
    assert survey_results.shown_departments({"nord": 9, "syd": 2, "vest": 3}, 5) == ["nord"]


def test_open_questions_are_counted_so_that_every_group_stays_whole() -> None:
    answers: list[Given] = [{"respect": 5}, {"pressure": "never"}, *[{"respect": 1}] * 4]  # 5 of 6
    submissions = [Submission("nord", given_answers) for given_answers in answers]
    whole, nord = survey_results.results(RULES, submissions)
    assert (whole.department, nord.department) == (None, "nord")
    for result in (whole, nord):
        assert result.counts["respect"] == {"1": 4, "2": 0, "3": 0, "4": 0, "5": 1, "": 1}
        assert "pressure" not in result.counts  # one answered, and the other five know it


@given(sizes=SIZES, smallest=st.integers(5, 8), left_open=SIZES)
def test_no_question_tells_of_fewer_answers_than_the_smallest_group(
    sizes: list[int], smallest: int, left_open: list[int]
) -> None:
    """Neither in a group, nor in what is left when the departments are subtracted from the whole."""
    rules = RULES.model_copy(update={"smallest_group": smallest})
    submissions = [
        Submission(department, {"pressure": "never", **({} if number < blank else {"respect": 3})})
        for department, size, blank in zip(DEPARTMENTS, sizes, left_open, strict=True)
        for number in range(size)
    ]
    answered = {
        result.department: result.answers - result.counts["respect"][survey.BLANK]
        for result in survey_results.results(rules, submissions)
        if "respect" in result.counts
    }
    assert all(count >= smallest for count in answered.values())
    rest = answered.get(None, 0) - sum(n for group, n in answered.items() if group is not None)
    assert rest == 0 or rest >= smallest


def test_the_answers_of_one_person_are_not_kept_together() -> None:
    """Two quarters in which the same answers were paired differently have the same result."""
    apart = [{"respect": 1, "heard": 5}, {"respect": 5, "heard": 1}, *[{"respect": 3}] * 3]
    other = [{"respect": 1, "heard": 1}, {"respect": 5, "heard": 5}, *[{"respect": 3}] * 3]
    shown = [
        survey_results.results(RULES, [Submission(None, dict(answer)) for answer in answers])
        for answers in (apart, other)
    ]
    assert shown[0] == shown[1]


def test_the_period_ends_at_midnight_in_denmark() -> None:
    within = survey.period(RULES, "2026-Q2")
    assert within.opens_at == datetime(2026, 4, 30, 22, tzinfo=UTC)
    assert within.closes_at - within.opens_at == timedelta(days=28)
