"""What people read and hear, in Danish and English: catalogues beside this file, no text in code."""

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

LANGUAGES = ("da", "en")


@cache
def catalogue(language: str) -> dict[str, str]:
    """Every text of one language, by key."""
    text = files(__package__).joinpath(f"{language}.yaml").read_text("utf-8")
    found: dict[str, str] = yaml.safe_load(text)
    return found


def say(language: str, key: str, **values: Any) -> str:
    """One text with its values filled in.

    Raises:
        KeyError: no such text, or a value it names is missing.
    """
    return catalogue(language)[key].format_map(values)
