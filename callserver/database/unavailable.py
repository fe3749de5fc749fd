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


def named(error: Exception) -> Exception:
    """The error; for a damaged file one of `UNAVAILABLE`: SQLite's own is the parent of every other error."""
    found = getattr(error, "orig", error)
    return DatabaseDamaged(str(found)) if type(found) is sqlite3.DatabaseError else error
