"""What a phoner signs and attends at each level, and which version of a document is in force."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from callserver.domain.book import Book, Pdf
from callserver.domain.training_rules import Level, TrainingRules, versions

TITLE = {"da": "A", "en": "A"}
RULES = TrainingRules.model_validate(
    {
        "activities": {"pair": TITLE, "talk": TITLE},
        "levels": {
            "first": {"title": TITLE, "read": ["ethics", "law"]},
            "third": {"title": TITLE, "read": ["law", "isobro"], "attend": ["pair"]},
            "trained": {"title": TITLE, "attend": ["talk"]},
        },
        "colleagues": ["confidentiality"],
    }
)


def test_the_levels_follow_each_other() -> None:
    assert [level.number for level in Level] == [1, 2, 3, 4]
    of_shift = [Level.of(shift) for shift in range(-1, 7)]
    first, second, third, trained = Level
    assert of_shift == [first, first, first, second, third, trained, trained, trained]


def test_a_level_needs_what_the_earlier_ones_needed() -> None:
    assert [RULES.documents_of(level) for level in Level] == [
        ("ethics", "law"),
        ("ethics", "law"),
        ("ethics", "law", "isobro"),
        ("ethics", "law", "isobro"),
    ]
    assert [set(RULES.activities_of(level)) for level in Level] == [
        set(),
        set(),
        {"pair"},
        {"pair", "talk"},
    ]
    assert RULES.named == {"ethics", "law", "isobro", "confidentiality"}


def test_without_rules_every_book_but_the_values_is_signed_first() -> None:
    rules = TrainingRules.of_books(["ethics", "values", "law"])
    assert [rules.documents_of(level) for level in Level] == [("ethics", "law")] * 4
    assert rules.colleagues == ()


def test_what_names_nothing_is_named_by_its_place() -> None:
    keys = ["ethics", "law", "isobro", "confidentiality"]
    assert list(RULES.wrong(keys)) == []
    wrong = [key for key, _ in RULES.wrong(["ethics", "isobro"])]
    assert wrong == [
        ("colleagues", 0),
        ("levels", "first", "read", 1),
        ("levels", "third", "read", 0),
    ]
    problems = [str(problem) for _, problem in RULES.wrong(["ethics", "isobro"])]
    assert all("ethics, isobro" in problem for problem in problems)
    assert "-" in str(next(RULES.wrong([]))[1])
    less = RULES.model_copy(update={"activities": {}})
    assert [key for key, _ in less.wrong(keys)] == [
        ("levels", "third", "attend", 0),
        ("levels", "trained", "attend", 0),
    ]
    unread = RULES.model_copy(update={"sign_again_days": {"law": 365, "it": 365}})
    assert [key for key, _ in unread.wrong(keys)] == [("sign_again_days", "it")]


@pytest.mark.parametrize(
    ("key", "least", "most", "usual"),
    [
        ("grace_days", 0, 60, 7),
        ("shift_minutes", 30, 600, 60),
        ("mentor_minutes", 0, 240, 15),
        ("listening_minutes", 5, 240, 10),
    ],
)
def test_each_limit_has_its_bounds(key: str, least: int, most: int, usual: int) -> None:
    assert getattr(TrainingRules(), key) == usual
    for value in (least, most):
        assert getattr(TrainingRules.model_validate({key: value}), key) == value
    for value in (least - 1, most + 1):
        with pytest.raises(ValidationError):
            TrainingRules.model_validate({key: value})


def book(name: str = "ethics.da", **change: Any) -> Book:
    known = {"title": "Etik", "reviewed": date(2026, 5, 1), "by": "Leder", "text": "Tekst"}
    return Book.model_validate({"name": name, **known, **change})


@pytest.mark.parametrize(
    ("books", "same"),
    [
        ([book("ethics.en"), book()], True),  # in any order
        ([book(reviewed=date(2026, 6, 1)), book("ethics.en")], True),
        ([book()], False),
        ([book(text="Anden tekst"), book("ethics.en")], False),
        ([book(), book("ethics.en", title="Ethics")], False),
        ([book(pdf=Pdf(file="a.pdf", sha256="0" * 64)), book("ethics.en")], False),
    ],
)
def test_another_text_is_another_version(books: list[Book], *, same: bool) -> None:
    known = versions([book(), book("ethics.en")])
    assert list(known) == ["ethics"]
    assert len(known["ethics"]) == 16
    assert (versions(books) == known) == same
    files = [book(pdf=Pdf(file="a.pdf", sha256=sign * 64)) for sign in "01"]
    assert versions(files[:1]) != versions(files[1:])
