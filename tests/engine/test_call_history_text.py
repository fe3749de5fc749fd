"""The answer to "who called me, and why?", as it is read out."""

from datetime import UTC, datetime, timedelta
from typing import cast

from callserver.domain.facts import Scope, Suppression
from callserver.engine.context import Rules
from callserver.engine.reporting.call_history import CallHistory
from callserver.engine.reporting.call_history_text import words

NOW = datetime(2026, 5, 12, 14, 30, tzinfo=UTC)


def test_an_opt_out_that_was_said_and_then_saved_is_read_out_once() -> None:
    saved = NOW + timedelta(seconds=9)
    history = CallHistory(
        calls=(),
        refused=(),
        sources=(),
        suppressed=tuple(
            Suppression(scope, at) for at in (saved, NOW) for scope in (Scope.PERSON, Scope.NUMBER)
        ),
    )
    rules = cast("Rules", None)  # only calls need them
    sentences = [sentence.text for sentence in words(history, rules, "en")]
    assert len(sentences) == len(set(sentences)) == 3
