"""The review of a change of the rules: the reason for it, and whether it is ethically sound. Pure.

Every change has one before it takes effect: proposed on the page, by the API, or brought by files
(change.yaml beside them).
"""

from typing import Annotated

from pydantic import Field, StringConstraints

from callserver.domain.document import Document
from callserver.errors import Impossible

MOST_WORDS = 1000

_Words = Annotated[
    str, StringConstraints(strip_whitespace=True), Field(min_length=1, max_length=MOST_WORDS)
]


class Review(Document):
    """`ethics`: how the change was assessed, and with what result."""

    why: _Words
    ethics: _Words


def review(why: str, ethics: str) -> Review:
    """The review of these words.

    Raises:
        Impossible: one of the two is missing.
    """
    if not why.strip():
        raise Impossible("say why the rules should change", key="rules_why")
    if not ethics.strip():
        raise Impossible("say whether the change is ethically sound", key="rules_ethics")
    return Review(why=why, ethics=ethics)
