"""The texts of receipts and answers, with the details of the case filled in."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from callserver.domain import case_rules, phone
from callserver.domain.case_rules import CaseKind, CaseRules, MessageText
from callserver.domain.home import HOME
from callserver.texts import formats

MOMENT = timedelta(microseconds=1)


def receipt(
    rules: CaseRules, kind: CaseKind, language: str, values: Mapping[str, str]
) -> tuple[str, str] | None:
    """Subject and text; None: config/cases.yaml has no receipt for this kind."""
    return _filled(rules.receipts.get(kind), language, values)


def answer(
    rules: CaseRules, kind: CaseKind, language: str, values: Mapping[str, str]
) -> tuple[str, str] | None:
    """Subject and text of the standard answer."""
    return _filled(rules.answers.get(kind), language, values)


def values(
    key: int, number: int | None, opened_at: datetime, deadline: datetime, language: str
) -> dict[str, str]:
    """The values of the placeholders."""
    last = (deadline - MOMENT).astimezone(HOME).date()
    return {
        "case": str(key),
        "number": "" if number is None else phone.spoken(phone.from_int(number)),
        "date": formats.day(opened_at.astimezone(HOME).date(), language),
        "deadline": formats.day(last, language),
    }


def _filled(
    text: MessageText | None, language: str, values: Mapping[str, str]
) -> tuple[str, str] | None:
    if text is None:
        return None
    subject = text.subject.en if language == "en" else text.subject.da
    body = text.text.en if language == "en" else text.text.da
    return case_rules.fill(subject, **values), case_rules.fill(body, **values).strip()
