"""The catalogues of everything that people read and hear, in Danish and English.

One folder per language, one file per area; a key is in one file only, and in both languages with the
same {names} (a test checks this). A text whose wording depends on a number has both
forms: `{days, plural, one {# day} other {# days}}`, as in ICU messages.
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from callserver.texts import formats

LANGUAGES = ("da", "en")

_PLURAL = re.compile(r"\{(\w+), plural, one \{([^{}]*)\} other \{([^{}]*)\}\}")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C one is ten times as fast
_NAME = re.compile(r"\{(\w+)\}")


@cache
def catalogue(language: str) -> dict[str, str]:
    """Every text of one language, by key.

    Raises:
        ValueError: a key is in two files.
    """
    merged: dict[str, str] = {}
    folder = files(__package__).joinpath(language)
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".yaml"):
            continue
        texts = _texts(file.read_text("utf-8"))
        if duplicates := merged.keys() & texts.keys():
            raise ValueError(f"{file.name}: {', '.join(sorted(duplicates))} are in two files")
        merged |= texts
    return merged


def _texts(raw: str) -> dict[str, str]:
    """A file's texts. It holds nothing but keys and texts: reading these takes half as long as a document."""
    scalars = [
        event.value for event in yaml.parse(raw, _LOADER) if isinstance(event, yaml.ScalarEvent)
    ]
    return dict(zip(scalars[::2], scalars[1::2], strict=True))


def say(language: str, key: str, /, **values: Any) -> str:
    """One text with its values filled in.

    Raises:
        KeyError: there is no such text, or a value that it names is missing.
    """

    def form(match: re.Match[str]) -> str:
        name, one, other = match.groups()
        shown = formats.number(values[name], language)
        return (one if formats.is_one(values[name], language) else other).replace("#", shown)

    return _PLURAL.sub(form, catalogue(language)[key]).format_map(values)


def names(text: str) -> set[str]:
    """The values that a text needs."""
    plurals = {name for name, _, _ in _PLURAL.findall(text)}
    return plurals | set(_NAME.findall(_PLURAL.sub("", text)))


@dataclass(frozen=True, slots=True, order=True)
class Sentence:
    """A text of the catalogues with its values, independent of the reader's language."""

    key: str
    values: tuple[tuple[str, str | int | float], ...] = ()

    def in_language(self, language: str) -> str:
        return say(language, self.key, **dict(self.values))

    def __str__(self) -> str:
        return self.in_language("en")


class InvalidInput(ValueError):  # noqa: N818
    """A value that a user wrote or sent is not valid: `wrong.<key>` says why. `str()` is English."""

    def __init__(self, key: str, /, **values: str | float) -> None:
        self.sentence = Sentence(f"wrong.{key}", tuple(values.items()))
        super().__init__(str(self.sentence))
