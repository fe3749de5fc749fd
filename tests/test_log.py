"""The last filter before the log: no telephone number gets through from any writer (I10)."""

import io
import json
import logging
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog

from callserver import log, metrics
from callserver.database import engines

NUMBER = "4532123456"


@pytest.mark.parametrize(
    "value",
    [
        f"+{NUMBER}",
        f"rang {NUMBER}.",
        f"https://api.example.org/Calls.json?To=%2B{NUMBER}&Page=0",
        f"number:{NUMBER}",
        "32123456",
        int(NUMBER),
        [NUMBER, int(NUMBER)],
        {"to": f"+{NUMBER}"},
        ValueError(f"no such number {NUMBER}"),
    ],
    ids=str,
)
def test_a_number_loses_its_digits(value: object) -> None:
    event = log.masked(None, "", {"event": "x", "value": value, "timestamp": "2026"})
    assert "321234" not in str(event)
    assert "56" in str(event["value"])


@pytest.mark.parametrize(
    "value",
    ["2026-05-12", "a1x000001", "ab12345678901234cd", 5000, None, True, 1.5],
)
def test_what_is_no_number_stays(value: object) -> None:
    assert log.masked(None, "", {"value": value})["value"] == value


def test_tracebacks_of_libraries_are_masked_too() -> None:
    record = logging.LogRecord("x", logging.ERROR, "x", 1, "failed for %s", (f"+{NUMBER}",), None)
    try:
        raise ValueError(f"no such number {NUMBER}")
    except ValueError:
        record.exc_info = sys.exc_info()
    said = log.Masking("%(message)s").format(record)
    assert "ValueError" in said
    assert "321234" not in said


def told(log_lines: io.StringIO) -> list[dict[str, object]]:
    """What was written since the last time."""
    logged = [json.loads(line) for line in log_lines.getvalue().splitlines()]
    log_lines.seek(0)
    log_lines.truncate()
    return logged


def test_every_line_is_json(log_lines: io.StringIO) -> None:
    structlog.get_logger("callserver.x").info("ours", number=NUMBER)
    try:
        raise ValueError(f"no such number {NUMBER}")
    except ValueError:
        structlog.get_logger("callserver.x").exception("ours_failed")
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n")
    logging.getLogger("sqlalchemy.pool").warning("lost %s", "a connection")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    logged = told(log_lines)
    assert [line["event"] for line in logged[:4]] == [
        "ours",
        "ours_failed",
        "Exception in ASGI application\n",
        "lost a connection",
    ]
    assert "old" in str(logged[4]["event"])
    assert {line["level"] for line in logged} == {"info", "error", "warning"}
    assert all("timestamp" in line for line in logged)
    assert "ValueError" in str(logged[1]["exception"])
    assert "ValueError" in str(logged[2]["exception"])
    assert NUMBER not in str(logged)


def repeated() -> float:
    [metric] = metrics.LOG_LINES_REPEATED.collect()
    return next(sample.value for sample in metric.samples if sample.name.endswith("_total"))


def test_an_outage_is_told_some_times_and_then_counted(log_lines: io.StringIO) -> None:
    now = 0.0
    for handler in logging.getLogger().handlers:
        if isinstance(handler, log.Handler):
            handler.filters[:] = [log.Repetitions(lambda: now)]
    before = repeated()
    mine = structlog.get_logger("callserver.x")
    for _ in range(500):
        try:
            raise ConnectionError("gone")
        except ConnectionError:
            mine.exception("scheduler_failed")
            logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n")
    mine.error("campaign_stopped", campaign="kanvas")
    for _ in range(500):
        mine.info("dialed")
    said = [line["event"] for line in told(log_lines)]
    assert said.count("scheduler_failed") == log.MOST_A_MINUTE
    assert len(said) == 2 * log.MOST_A_MINUTE + 1 + 500
    assert repeated() - before == 1000 - 2 * log.MOST_A_MINUTE
    now = 61.0
    mine.error("scheduler_failed")  # without an error: another kind of line
    try:
        raise ConnectionError("gone")
    except ConnectionError:
        mine.exception("scheduler_failed")
    assert [line.get("repeated") for line in told(log_lines)] == [None, 500 - log.MOST_A_MINUTE]


@pytest.mark.parametrize("way", ["full", "pipe", "closed"])
def test_a_line_that_cannot_be_written_is_counted_and_disturbs_nobody(way: str) -> None:
    said = """
import logging, os, sys, structlog
from callserver import log, metrics
from callserver.database import engines
if sys.argv[1] == "closed":
    sys.stderr.close()
log.set_up()
structlog.get_logger().error("one", what="x" * 10_000)
logging.getLogger("uvicorn.error").error("two")
try:
    raise ValueError
except ValueError:
    structlog.get_logger().exception("three")
assert metrics.LOG_LINES_LOST._value.get() >= 2, metrics.LOG_LINES_LOST._value.get()
os.write(1, b"went on")
os._exit(0)
"""
    reading, writing = os.pipe()
    os.close(reading)
    with Path("/dev/full").open("wb") as full:
        errors = {"full": full.fileno(), "pipe": writing, "closed": subprocess.DEVNULL}[way]
        done = subprocess.run(
            [sys.executable, "-c", said, way], stdout=subprocess.PIPE, stderr=errors, check=False
        )
    os.close(writing)
    assert done.stdout == b"went on"


def test_a_row_that_postgresql_quotes_is_not_shown(
    postgres_url: str, log_lines: io.StringIO
) -> None:
    """As where its disk is full while a list is read: it quotes the row that it was copying."""
    engine = engines.make_engine(postgres_url)
    with engine.begin() as tx:
        tx.exec_driver_sql("CREATE TEMPORARY TABLE rows (name text CHECK (name = ''), more text)")
        cursor: Any = tx.connection.cursor()
        try:
            with cursor.copy("COPY rows FROM STDIN") as copy:
                copy.write_row(("Zenobia Prøve", "Fjordby"))
        except psycopg.errors.CheckViolation:
            structlog.get_logger("callserver.x").exception("work_failed")
        tx.rollback()
    engine.dispose()
    said = log_lines.getvalue()
    assert "rows_name_check" in said
    assert "Zenobia" not in said
