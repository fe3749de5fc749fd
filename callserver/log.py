"""Logging: structlog, one line an event, and no telephone number in any of them (I10)."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_NUMBER = re.compile(r"(?<![0-9A-Fa-f-])(?:\+|%2[Bb])?[0-9]{8,15}(?![0-9A-Fa-f])")
"""A telephone number, as we and addresses write it; no part of an id or a hash."""


_DETAIL = re.compile(r"DETAIL:[^\n]*")
"""PostgreSQL quotes the row that it refused, names and all."""


def hidden(text: str) -> str:
    """A text as the log may have it."""
    text = _DETAIL.sub("DETAIL: not shown", text)
    return _NUMBER.sub(lambda found: "••••••" + found.group()[-2:], text)


def masked(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Anything that looks like a telephone number loses all but its last two digits."""
    for key, value in event.items():
        if key not in ("timestamp", "level") and hidden(str(value)) != str(value):
            event[key] = hidden(str(value))
    return event


class Masking(logging.Formatter):
    """The same for what libraries log, tracebacks too."""

    def format(self, record: logging.LogRecord) -> str:
        return hidden(super().format(record))


def set_up(level: str = "info") -> None:
    """Send everything to standard error; the server's access log stays off."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Masking("%(message)s"))
    logging.basicConfig(level=number, handlers=[handler])
    for noisy in ("apscheduler", "httpx", "httpcore", "twilio", "alembic", "uvicorn"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    pretty = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            masked,
            structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
