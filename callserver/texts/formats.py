"""Dates, times, numbers and plurals as the reader's language writes them.

The browser's `texts.js` writes the same forms.
"""

from datetime import date, datetime

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal

_LOCALES = {"da": Locale.parse("da"), "en": Locale.parse("en_GB")}
_DATE = {"da": "d. MMMM y", "en": "d MMMM y"}
_MOMENT = {"da": "d. MMMM y 'kl.' HH.mm", "en": "d MMMM y 'at' HH:mm"}


def day(on: date, language: str) -> str:
    """28. november 2026, 28 November 2026."""
    return format_date(on, _DATE[language], locale=_LOCALES[language])


def moment(at: datetime, language: str) -> str:
    """28. november 2026 kl. 16.30, 28 November 2026 at 16:30: on the clock that `at` carries."""
    zone = at.tzinfo
    return format_datetime(at, _MOMENT[language], tzinfo=zone, locale=_LOCALES[language])


def number(value: float, language: str) -> str:
    """41.000,5 or 41,000.5."""
    return format_decimal(value, locale=_LOCALES[language])


def is_one(value: float, language: str) -> bool:
    """Whether the language's plural rule asks for the form of one."""
    return _LOCALES[language].plural_form(value) == "one"
