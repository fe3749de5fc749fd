"""What may be shown of a quarter's answers: counts of groups, and words without a group. Pure.

Rule: no sum or difference of what is shown concerns fewer people than the smallest group. So the groups
that are shown are departments with enough answers, and all other answers count in the whole alone, where
they are no fewer either. The same holds for those who answered a question: where they are fewer, its counts are
left out. The answers of one person are not kept together.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from callserver.domain.survey import BLANK, Given, QuestionKind, SurveyRules


@dataclass(frozen=True, slots=True)
class Submission:
    """What one person answered."""

    department: str | None
    given: Given


@dataclass(frozen=True, slots=True)
class GroupResult:
    """How often each answer was given in a group. `department`: None is the whole organisation."""

    department: str | None
    answers: int
    counts: Mapping[str, Mapping[str, int]]  # by question and answer; without what too few answered


def shown_departments(sizes: Mapping[str | None, int], smallest: int) -> list[str]:
    """The departments whose counts may stand beside those of the whole.

    The people outside them are none, or at least as many as the smallest group; departments are left out
    until this holds, the smallest first. `sizes`: answers by department; None: of people without one.
    """
    shown = sorted(
        (size, department)
        for department, size in sizes.items()
        if department is not None and size >= smallest
    )
    rest = sum(sizes.values()) - sum(size for size, _ in shown)
    while shown and 0 < rest < smallest:
        rest += shown.pop(0)[0]
    return sorted(department for _, department in shown)


def results(rules: SurveyRules, submissions: Sequence[Submission]) -> list[GroupResult]:
    """The whole and the departments that may be shown; empty: there are too few answers."""
    if len(submissions) < rules.smallest_group:
        return []
    sizes = Counter(submission.department for submission in submissions)
    groups = (None, *shown_departments(sizes, rules.smallest_group))
    counted = {
        name: _answered_by_enough(rules, submissions, name)
        for name, question in rules.questions.items()
        if question.kind is not QuestionKind.TEXT
    }
    return [
        _result(
            rules,
            group,
            [submission for submission in submissions if group in (None, submission.department)],
            [name for name, enough in counted.items() if group in enough],
        )
        for group in groups
    ]


def _answered_by_enough(
    rules: SurveyRules, submissions: Sequence[Submission], question: str
) -> frozenset[str | None]:
    """The groups in which enough people answered this question; None: the whole organisation."""
    sizes = Counter(
        submission.department for submission in submissions if question in submission.given
    )
    if sizes.total() < rules.smallest_group:
        return frozenset()
    return frozenset({None, *shown_departments(sizes, rules.smallest_group)})


def words(rules: SurveyRules, submissions: Sequence[Submission]) -> list[tuple[str, str]]:
    """Question and text of every answer in words, in the order of the submissions."""
    return [
        (name, str(submission.given[name]))
        for submission in submissions
        for name, question in rules.questions.items()
        if question.kind is QuestionKind.TEXT and name in submission.given
    ]


def _result(
    rules: SurveyRules,
    department: str | None,
    submissions: Sequence[Submission],
    questions: Sequence[str],
) -> GroupResult:
    counts: dict[str, Mapping[str, int]] = {}
    for name in questions:
        given = Counter(str(submission.given.get(name, BLANK)) for submission in submissions)
        answers = (*rules.questions[name].counted, BLANK)
        counts[name] = {answer: given[answer] for answer in answers}
    return GroupResult(department, len(submissions), counts)
