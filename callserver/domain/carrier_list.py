"""A carrier's list of calls: Twilio's call log as CSV, or Asterisk's call detail records (Master.csv)."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from callserver.domain import phone
from callserver.domain.audit import FIRST_YEAR, LAST_YEAR

CDR_COLUMNS = range(16, 20)
CDR_DST, CDR_CHANNELS, CDR_START, CDR_ID = 2, (5, 6), 9, 16


class CarrierCall(NamedTuple):
    """One outbound call to a telephone, as the carrier has it."""

    id: str  # Twilio's CallSid, Asterisk's channel; empty: not in the list
    number: int | None
    at: datetime


def parse(text: str, zone: str, trunk: str) -> list[CarrierCall]:
    """The outbound calls of a list. `zone`: of times that name none; `trunk`: the exchange's endpoint.

    Raises:
        ValueError: the list has neither form; the message names the line.
    """
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff")))
    try:
        rows = [row for row in reader if row]
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}") from None
    heads = [_folded(cell) for cell in rows[0]] if rows else []
    if "starttime" in heads and "to" in heads:
        return list(_twilio(rows[1:], heads, zone))
    if rows and len(rows[0]) in CDR_COLUMNS:
        return list(_asterisk(rows, zone, trunk))
    raise ValueError(
        "line 1: neither Twilio's call log (To, Start Time, ...) nor Asterisk's Master.csv"
    )


def _twilio(rows: Sequence[Sequence[str]], heads: list[str], zone: str) -> Iterator[CarrierCall]:
    sid = next((name for name in ("callsid", "sid") if name in heads), None)
    for number, row in enumerate(rows, 2):
        cells = dict(zip(heads, row, strict=False))
        if not cells.get("direction", "outbound").lower().startswith("outbound"):
            continue
        called = _number(cells.get("to", ""))
        if called is not None:  # not a browser's or SIP telephone's
            at = _instant(cells.get("starttime", ""), zone, number)
            yield CarrierCall("" if sid is None else cells.get(sid, ""), called, at)


def _asterisk(rows: Sequence[Sequence[str]], zone: str, trunk: str) -> Iterator[CarrierCall]:
    for number, row in enumerate(rows, 1):
        if len(row) not in CDR_COLUMNS:
            raise ValueError(f"line {number}: this is no call detail record")
        through = any(row[place].startswith(f"PJSIP/{trunk}-") for place in CDR_CHANNELS)
        if through:
            at = _instant(row[CDR_START], zone, number)
            name = row[CDR_ID] if len(row) > CDR_ID else ""
            yield CarrierCall(name, _number(row[CDR_DST]), at)


def _folded(cell: str) -> str:
    return "".join(filter(str.isalnum, cell.lower()))


def _number(cell: str) -> int | None:
    parsed = phone.parse(cell)
    return phone.to_int(parsed) if isinstance(parsed, str) else None


def _instant(cell: str, zone: str, line: int) -> datetime:
    """ISO, RFC 2822, or Twilio's "15:00:04 UTC 2026-05-12"."""
    words = cell.split()
    if len(words) == 3 and words[1] == "UTC" and ":" in words[0]:
        cell = f"{words[2]} {words[0]}+00:00"
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            at = read(cell.replace(" UTC", "+00:00") if read is datetime.fromisoformat else cell)
        except (ValueError, TypeError):
            continue
        if FIRST_YEAR <= at.year <= LAST_YEAR:
            return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
    raise ValueError(f"line {line}: this is no time: {cell!r}")
