"""The answer to "who called me, and why?" in words that a colleague can read out."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from callserver import texts
from callserver.domain.facts import Suppression
from callserver.domain.home import HOME
from callserver.engine.context import Rules
from callserver.engine.reporting.call_history import CallHistory, CallRecord, RefusedAttempt, names
from callserver.texts import formats


@dataclass(frozen=True, slots=True)
class HistorySentence:
    """One sentence; `at` when it is about an instant."""

    text: str
    at: datetime | None = None


_NEVER_RANG = frozenset({"declined", "never_placed"})


def when(at: datetime, language: str) -> str:
    """An instant in the organisation's time zone."""
    return formats.moment(at.astimezone(HOME), language)


def words(
    answer: CallHistory, rules: Rules, language: str, *, elsewhere: int = 0
) -> Iterator[HistorySentence]:
    """Every call and refused attempt in order of time; then sources and suppressions.

    `elsewhere`: how many of other departments are left out; then it is not said that there were none.
    """
    told = [(call.at, _called(call, rules, language)) for call in answer.calls]
    told += [(row.at, _refused(row, language)) for row in answer.refused]
    yield from (HistorySentence(text, at) for at, text in sorted(told))
    if not told and not elsewhere:
        yield HistorySentence(texts.say(language, "why.nothing"))
    for source in dict.fromkeys(origin.text for origin in answer.sources):
        yield HistorySentence(texts.say(language, "why.source", source=source))
    if answer.calls and not answer.sources:
        yield HistorySentence(texts.say(language, "why.source_unknown"))
    # Said during the call and saved as its outcome, an opt-out is on record twice.
    opt_outs: dict[str, datetime] = {}
    for no in answer.suppressed:
        opt_outs.setdefault(_opted_out(no, language), no.at)
    yield from (HistorySentence(text, at) for text, at in opt_outs.items())


def _opted_out(no: Suppression, language: str) -> str:
    scope = texts.say(language, f"scope.{no.scope.value}")
    return texts.say(language, "why.suppressed", when=when(no.at, language), scope=scope)


def _called(call: CallRecord, rules: Rules, language: str) -> str:
    organisation, reason = names(rules, call.campaign, language)
    if call.cause in _NEVER_RANG and not call.answered:
        return texts.say(
            language,
            "why.never_rang" if call.code is None else "why.never_rang_code",
            when=when(call.at, language),
            organisation=organisation,
            path=texts.say(language, f"path.{call.path}"),
            code=call.code or "",
        )
    result = "completed" if call.answered else call.cause or "no_answer"
    said = texts.say(
        language,
        "why.call",
        when=when(call.at, language),
        organisation=organisation,
        path=texts.say(language, f"path.{call.path}"),
        why=reason,
        result=texts.say(language, f"cause.{result}"),
    )
    if not call.outcome:
        return said
    label = outcome_label(rules, call.campaign, call.outcome, language)
    return f"{said} {texts.say(language, 'why.outcome', outcome=label)}"


def outcome_label(rules: Rules, campaign: str, outcome: str, language: str) -> str:
    """An outcome's label in the campaign; its key if the campaign no longer has it."""
    known_campaign = rules.every.get(campaign)
    known = None if known_campaign is None else known_campaign.outcomes.get(outcome)
    if known is None:
        return outcome
    return known.label.en if language == "en" else known.label.da


def _refused(attempt: RefusedAttempt, language: str) -> str:
    reasons = " ".join(texts.say(language, f"reason.{reason.value}") for reason in attempt.reasons)
    path = texts.say(language, f"path.{attempt.path}")
    return texts.say(
        language, "why.refused", when=when(attempt.at, language), path=path, reasons=reasons
    )
