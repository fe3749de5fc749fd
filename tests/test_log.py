"""The last net before the log: no telephone number gets through, whoever writes it (I10)."""

import logging
import sys

import pytest

from callserver import log

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
