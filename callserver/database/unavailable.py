"""The errors of a database out of reach.

Apart from `engines`, because it imports the driver of PostgreSQL: a command on SQLite does without.
"""

import sqlite3

import psycopg
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

UNAVAILABLE = (
    *(OperationalError, InterfaceError, NoConnection, TimeoutError),
    *(sqlite3.OperationalError, psycopg.OperationalError, psycopg.InterfaceError),
    *(InternalError, psycopg.InternalError),  # PostgreSQL: it only reads, or is damaged
)
"""What a store raises when the database is out of reach, locked, full, too slow or only reads."""


class DatabaseDamaged(sqlite3.OperationalError):
    """SQLite has met a damaged page, or a file that is no database."""


class RightMissing(psycopg.OperationalError):
    """PostgreSQL does not let its user read or write a table: after a restore by another user, for instance."""


def named(error: Exception) -> Exception:
    """The error; for a damaged file or a missing right one of `UNAVAILABLE`: the driver's own are of kinds that
    also mean other things."""
    found = getattr(error, "orig", error)
    if isinstance(found, psycopg.errors.InsufficientPrivilege):
        return RightMissing(str(found))
    return DatabaseDamaged(str(found)) if type(found) is sqlite3.DatabaseError else error


def reason(error: Exception) -> str:
    """What the driver or the database said, in one line."""
    said = " ".join(str(getattr(error, "orig", error)).split())
    return said or type(error).__name__
