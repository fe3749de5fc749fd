"""Which passwords a user may choose: long ones that are hard to guess."""

import re
from functools import cache
from importlib.resources import files
from itertools import pairwise

from callserver.errors import Impossible

SHORTEST, LONGEST = 12, 128

FEWEST_CHARACTERS = 6
"""Distinct characters."""

LEAST_OWN = 8
"""Characters left after the names of product, role and person are removed."""

HOUSE_WORDS = (
    *("callserver", "phoner", "supervisor", "administrator", "projektleder", "projectleader"),
    *("leader", "medlemsservice", "memberservice", "telemarketing", "password", "adgangskode"),
)


def check(password: str, *own: str) -> None:
    """Check a password for the user with `own` (handle, name, department).

    Raises:
        Impossible: the password breaks a rule. The message names the rule, never the password.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise Impossible(
            f"a password has {SHORTEST} to {LONGEST} characters",
            key="password_length",
            least=SHORTEST,
            most=LONGEST,
        )
    lowered = password.lower()
    words = [word for name in own for word in re.split(r"\W+", name.lower()) if len(word) > 2]
    if (
        len(set(lowered)) < FEWEST_CHARACTERS
        or lowered in common()
        or any(name.lower() in lowered for name in own if name)
        or _left(lowered, [*words, *HOUSE_WORDS]) < LEAST_OWN
        or _runs(lowered)
    ):
        raise Impossible("this password is too easy to guess", key="password_easy")


@cache
def common() -> frozenset[str]:
    """The most common passwords."""
    text = files(__package__).joinpath("common_passwords.txt").read_text("utf-8")
    return frozenset(text.split())


def _left(password: str, words: list[str]) -> int:
    """How many characters are left without the words, and without digits that only follow them."""
    for word in sorted(words, key=len, reverse=True):
        if word in password:
            password = password.replace(word, "").strip("0123456789!.?-_ ")
    return len(password) if password else 0


def _runs(password: str) -> bool:
    """Whether it repeats a short piece, or is a sequence of consecutive characters."""
    if re.fullmatch(r"(.{1,6})\1+", password):
        return True
    steps = {ord(b) - ord(a) for a, b in pairwise(password)}
    return steps in ({1}, {-1})
