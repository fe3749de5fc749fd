"""The answer to "who called me, and why?", as it is read out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from callserver.adapters.config_folder import load
from callserver.domain.facts import Scope, Suppression
from callserver.engine.context import Rules
from callserver.engine.reporting.call_history import CallHistory, campaigns_of, names
from callserver.engine.reporting.call_history_text import outcome_label, words

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


def test_a_campaign_that_was_removed_lately_is_still_named() -> None:
    configuration = load(Path(__file__).parents[2] / "config")
    rules = Rules(configuration)
    kanvas = configuration.campaigns["kanvas"]
    rest = {name: kept for name, kept in configuration.campaigns.items() if name != "kanvas"}
    rules.replace(replace(configuration, campaigns=rest))
    assert names(rules, "kanvas", "da") == (kanvas.organisation, kanvas.why.da)
    assert outcome_label(rules, "kanvas", "never", "en") == kanvas.outcomes["never"].label.en
    assert "kanvas" in campaigns_of(rules, kanvas.department)
