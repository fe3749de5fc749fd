"""Shared by all tables: the metadata, instants, ids and partial indexes.

Numbers are 64-bit integers (E.164 without the plus); instants are microseconds since 1970 in UTC,
seen from Python as aware datetimes.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Dialect,
    Integer,
    MetaData,
    TypeDecorator,
    text,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def where(condition: str) -> Any:
    """The condition of a partial index, for both databases."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


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
    return None if microseconds is None else EPOCH + timedelta(microseconds=microseconds)


Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite generates ids for INTEGER only

metadata = MetaData()
