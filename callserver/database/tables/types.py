"""Shared by all tables: the metadata, instants, ids and partial indexes.

Numbers are 64-bit integers (E.164 without the plus); instants are microseconds since 1970 in UTC,
seen from Python as aware datetimes.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Dialect,
    Integer,
    MetaData,
    Text,
    TypeDecorator,
    text,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def where(condition: str) -> Any:
    """The condition of a partial index. It is named for SQLite alone, where imports build indexes again: the
    indexes of PostgreSQL are made by migrations only, and naming it would import that dialect."""
    return {"sqlite_where": text(condition)}


class Instant(TypeDecorator[datetime]):
    """An aware datetime, stored as microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _: Dialect) -> int | None:
        return _stored(value)

    def process_result_value(self, value: int | None, _: Dialect) -> datetime | None:
        return _read(value)

    # The same once more, without SQLAlchemy's wrappers: a dial converts thirty instants.

    def bind_processor(self, _: Dialect) -> Callable[[datetime | None], int | None]:
        return _stored

    def result_processor(
        self, _dialect: Dialect, _coltype: object
    ) -> Callable[[int | None], datetime | None]:
        return _read


def _stored(at: datetime | None) -> int | None:
    return None if at is None else (at - EPOCH) // MICROSECOND


def _read(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else EPOCH + microseconds * MICROSECOND


def readable(stored: Any) -> Any:
    """The instant; a value that is none, which somebody wrote beside the server, unchanged."""
    try:
        return _read(stored)
    except (TypeError, OverflowError):
        return stored


class HexName(TypeDecorator[str]):
    """A name that is hexadecimal, as calls have and Twilio gives: SQLite stores its bytes, PostgreSQL the text.

    Other names are stored as they are, and so are those of rows that an earlier version wrote.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        return packed(value) if dialect.name == "sqlite" and value is not None else value

    def process_result_value(self, value: Any, _: Dialect) -> str | None:
        return unpacked(value)

    # As in `Instant`.

    def bind_processor(self, dialect: Dialect) -> Callable[[str | None], Any] | None:
        return _packed if dialect.name == "sqlite" else None

    def result_processor(self, _dialect: Dialect, _coltype: object) -> Callable[[Any], str | None]:
        return unpacked


_HEX_NAME = re.compile(r"[0-9a-f]{20}|[A-Z]{2}[0-9a-f]{32}")
_SID_BYTES = 18


def packed(name: str) -> str | bytes:
    """The form in which SQLite stores a name: 20 digits, or Twilio's two letters with 32, as bytes."""
    if not _HEX_NAME.fullmatch(name):
        return name
    digits = name if len(name) == 20 else name[2:]
    return name[: -len(digits)].encode() + bytes.fromhex(digits)


def unpacked(stored: str | bytes | None) -> str | None:
    """The name."""
    if not isinstance(stored, bytes):
        return stored
    if len(stored) == _SID_BYTES:
        return stored[:2].decode("latin-1") + stored[2:].hex()
    return stored.hex()


def _packed(name: str | None) -> str | bytes | None:
    return None if name is None else packed(name)


Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite generates ids for INTEGER only

metadata = MetaData()
