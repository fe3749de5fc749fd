"""What a new phoner reads and signs, level by level (config/training.yaml).

A document is a book of config/books/. Its version is the hash of its titles, texts and PDF files in every
language, so that any change of them is a new version.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import StrEnum
from functools import cached_property
from typing import Annotated

from pydantic import Field

from callserver.domain.book import VALUES, Book
from callserver.domain.document import Document, Key
from callserver.domain.label import Label
from callserver.texts import InvalidInput


class Level(StrEnum):
    """How far a phoner is, in order: the shift that they are on, or trained."""

    FIRST = "first"
    SECOND = "second"
    THIRD = "third"
    TRAINED = "trained"

    @property
    def number(self) -> int:
        return list(Level).index(self) + 1

    @classmethod
    def of(cls, shift: int) -> "Level":
        """The level of a phoner on this shift."""
        return list(cls)[min(max(shift, 1), len(cls)) - 1]


class LevelRules(Document):
    title: Label
    read: tuple[str, ...] = ()  # documents, by the names of their books
    attend: tuple[str, ...] = ()  # activities, before the level


class TrainingRules(Document):
    grace_days: Annotated[int, Field(ge=0, le=60)] = 7
    sign_again_days: dict[str, Annotated[int, Field(ge=30, le=3650)]] = Field(default_factory=dict)
    shift_minutes: Annotated[int, Field(ge=30, le=600)] = 60
    mentor_minutes: Annotated[int, Field(ge=0, le=240)] = 15
    listening_minutes: Annotated[int, Field(ge=5, le=240)] = 10
    activities: dict[str, Label] = Field(default_factory=dict)
    levels: dict[Level, LevelRules] = Field(default_factory=dict)
    colleagues: tuple[str, ...] = ()  # what users of the other roles sign

    def documents_of(self, level: Level) -> tuple[str, ...]:
        """What a phoner of this level has to sign, the earlier levels' documents first."""
        return self.documents_by_level[level]

    @cached_property
    def documents_by_level(self) -> Mapping[Level, tuple[str, ...]]:
        """For each level what `documents_of` tells: the gate asks at every dial."""
        so_far: dict[str, None] = {}
        by_level: dict[Level, tuple[str, ...]] = {}
        for level in Level:
            if level in self.levels:
                so_far.update(dict.fromkeys(self.levels[level].read))
            by_level[level] = tuple(so_far)
        return by_level

    def activities_of(self, level: Level) -> frozenset[str]:
        """What a phoner has attended before they reach this level."""
        so_far = [rules for name, rules in self.levels.items() if name.number <= level.number]
        return frozenset(name for rules in so_far for name in rules.attend)

    @property
    def named(self) -> frozenset[str]:
        """Every document that somebody signs."""
        return frozenset({*self.documents_of(Level.TRAINED), *self.colleagues})

    @classmethod
    def of_books(cls, keys: Iterable[str]) -> "TrainingRules":
        """Without config/training.yaml: a phoner signs every book but the values."""
        read = tuple(key for key in keys if key != VALUES)
        title = Label(da="Første vagt", en="First shift")
        return cls(levels={Level.FIRST: LevelRules(title=title, read=read)})

    def wrong(self, keys: Collection[str]) -> Iterator[tuple[Key, InvalidInput]]:
        """What names no book, and where. `keys`: of the books that there are."""
        places: list[tuple[Key, tuple[str, ...]]] = [(("colleagues",), self.colleagues)]
        places += [(("levels", name, "read"), level.read) for name, level in self.levels.items()]
        for key, names in places:
            yield from _unknown(key, names, keys, "no_document")
        for name in self.sign_again_days:
            for _, wrong in _unknown((), (name,), self.named, "no_document"):
                yield ("sign_again_days", name), wrong
        for name, level in self.levels.items():
            yield from _unknown(
                ("levels", name, "attend"), level.attend, self.activities, "no_activity"
            )


def _unknown(
    key: Key, names: Iterable[str], known: Collection[str], text: str
) -> Iterator[tuple[Key, InvalidInput]]:
    for position, name in enumerate(names):
        if name not in known:
            wrong = InvalidInput(text, name=repr(name), known=", ".join(known) or "-")
            yield (*key, position), wrong


def versions(books: Iterable[Book]) -> Mapping[str, str]:
    """The version of each document."""
    texts: dict[str, list[tuple[str, ...]]] = {}
    for book in books:
        file = () if book.pdf is None else (book.pdf.sha256,)
        texts.setdefault(book.key, []).append((book.language, book.title, book.text, *file))
    return {
        key: hashlib.sha256(repr((key, sorted(parts))).encode()).hexdigest()[:16]
        for key, parts in texts.items()
    }
