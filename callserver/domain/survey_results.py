"""What may be shown of a quarter's answers: counts of groups, and words without a group. Pure.

Rule: no sum or difference of what is shown concerns fewer people than the smallest group. So the groups
that are shown are departments with enough answers, and all other answers count in the whole alone, where
they are no fewer either. The answers of one person are not kept together.
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
    counts: Mapping[str, Mapping[str, int]]  # by question and answer


def shown_departments(sizes: Mapping[str | None, int], smallest: int) -> list[str]:
    """The departments whose counts may stand beside those of the whole.

    Who is in none of them are together none, or as many as the smallest group: a department is left out
    for that, the smallest first. `sizes`: answers by department; None: of people without one.
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
    departments = shown_departments(sizes, rules.smallest_group)
    return [
        _result(rules, None, submissions),
        *(
            _result(rules, department, [one for one in submissions if one.department == department])
            for department in departments
        ),
    ]


def words(rules: SurveyRules, submissions: Sequence[Submission]) -> list[tuple[str, str]]:
    """Question and text of every answer in words, in the order of the submissions."""
    return [
        (name, str(submission.given[name]))
        for submission in submissions
        for name, question in rules.questions.items()
        if question.kind is QuestionKind.TEXT and name in submission.given
    ]


def _result(
    rules: SurveyRules, department: str | None, submissions: Sequence[Submission]
) -> GroupResult:
    counts: dict[str, Mapping[str, int]] = {}
    for name, question in rules.questions.items():
        if question.kind is QuestionKind.TEXT:
            continue
        given = Counter(str(one.given.get(name, BLANK)) for one in submissions)
        counts[name] = {answer: given[answer] for answer in (*question.counted, BLANK)}
    return GroupResult(department, len(submissions), counts)
