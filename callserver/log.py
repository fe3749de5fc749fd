"""Logging: structlog, one line of JSON an event, and no telephone number in any of them (I10).

What libraries log goes the same way. Writing a line never raises: a full disk or a closed pipe must
not end the work that wanted to say something. What could not be written is counted.
"""

import logging
import re
import sys
import time
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog

MOST_A_MINUTE = 10
"""Lines of the same warning or error: an outage is logged a few times, then only counted."""

_MINUTE = 60.0
_MOST_KEYS = 1000

NUMBER = re.compile(r"(?<![0-9A-Fa-f-])(?:\+|%2[Bb])?[0-9]{8,15}(?![0-9A-Fa-f])")
"""A telephone number, plain or in a URL; never a part of an id or a hash."""


_QUOTING = re.compile(r"(DETAIL|CONTEXT):[^\n]*")
"""PostgreSQL quotes the row that it refused, or was copying, names and all."""


def hidden(text: str) -> str:
    """The text as it may appear in the log."""
    text = _QUOTING.sub(r"\1: not shown", text)
    return NUMBER.sub(lambda match: "••••••" + match.group()[-2:], text)


def masked(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Anything that looks like a telephone number loses all but its last two digits."""
    for key, value in event.items():
        if key not in ("timestamp", "level") and hidden(str(value)) != str(value):
            event[key] = hidden(str(value))
    return event


def _count(metric: str) -> None:
    """Count it if metrics are loaded. A command does not load them: that takes a twentieth of its time."""
    if (metrics := sys.modules.get("callserver.metrics")) is not None:
        getattr(metrics, metric).inc()


class Handler(logging.StreamHandler[Any]):
    """Writes lines, and ignores every error in doing so."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """Called by logging inside the `except`: the caller never sees the error."""
        del record
        _count("LOG_LINES_LOST")


class Repetitions(logging.Filter):
    """Lets the same warning or error through some times a minute; the next one says how many came."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._seen: dict[tuple[str, ...], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        now = self._clock()
        key = _kind(record)
        since, count = self._seen.get(key, (now, 0))
        if now - since >= _MINUTE:
            left_out = count - MOST_A_MINUTE
            since, count = now, 0
            if left_out > 0:
                record.repeated = left_out
        if len(self._seen) >= _MOST_KEYS:
            self._seen.clear()
        self._seen[key] = (since, count + 1)
        if count < MOST_A_MINUTE:
            return True
        _count("LOG_LINES_REPEATED")
        return False


def _kind(record: logging.LogRecord) -> tuple[str, ...]:
    """What makes two lines the same: logger, event, and the kind of error, if there is one."""
    said = record.msg
    event: object = said
    error: Any = record.exc_info
    if isinstance(said, dict):
        event, error = said.get("event"), said.get("exc_info") or error
    if error is True:
        error = sys.exc_info()
    kind = error[0] if isinstance(error, tuple) else type(error) if error else None
    return record.name, record.levelname, str(event), "" if kind is None else kind.__name__


def _with_repetitions(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    record = event.get("_record")
    if (left_out := getattr(record, "repeated", 0)) > 0:
        event["repeated"] = left_out
    return event


class Masking(structlog.stdlib.ProcessorFormatter):
    """Our own events and those of libraries, tracebacks too, as lines without telephone numbers."""

    def __init__(self, fmt: str | None = None, *, pretty: bool = False) -> None:
        super().__init__(
            fmt=fmt,
            foreign_pre_chain=[
                structlog.stdlib.add_logger_name,
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
            processors=[
                _with_repetitions,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                masked,
                structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer(),
            ],
        )


def _at_a_terminal() -> bool:
    try:
        return sys.stderr.isatty()
    except (AttributeError, OSError, ValueError):  # there is none, or it is closed
        return False


def set_up(level: str = "info") -> None:
    """Send everything to standard error; the server's access log stays off."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    handler = Handler(sys.stderr)
    handler.setFormatter(Masking(pretty=_at_a_terminal()))
    handler.addFilter(Repetitions())
    root = logging.getLogger()
    for earlier in [handler for handler in root.handlers if isinstance(handler, Handler)]:
        root.removeHandler(earlier)
    root.addHandler(handler)
    root.setLevel(number)
    logging.captureWarnings(capture=True)
    for noisy in ("apscheduler", "httpx", "httpcore", "twilio", "alembic", "uvicorn"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
