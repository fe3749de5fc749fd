"""A primary PostgreSQL that another one has replaced: a process that knows the newer one refuses it.

Of several hosts in CALLSERVER_DATABASE the first that accepts writes is taken, so a former primary whose machine starts
again would be asked who may be called, and knows nothing of what was recorded since. PostgreSQL counts: who is
promoted begins a timeline with a higher number.
"""

from typing import Any

import psycopg

_QUESTION = """
SELECT (SELECT system_identifier FROM pg_control_system()), CASE WHEN NOT pg_is_in_recovery()
  THEN ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int END
"""

_newest: dict[int, int] = {}
"""By the identifier that a primary and its standbys share: the highest timeline that this process has met."""


def refuse_former(connection: psycopg.Connection[Any], _: Any) -> None:
    """Close a new connection to a former primary. Where its timeline may not be asked for, it is not known.

    Raises:
        OperationalError: this process has been connected to its successor.
    """
    try:
        row = connection.execute(_QUESTION).fetchone()
    except (psycopg.errors.InsufficientPrivilege, psycopg.NotSupportedError):
        row = None  # some hosted PostgreSQL keeps it to itself
    finally:
        connection.rollback()
    system, timeline = row or (0, None)
    if timeline is None:  # also a standby's, which takes no writes
        return
    newest = _newest.setdefault(system, timeline)
    if timeline < newest:
        connection.close()
        raise psycopg.OperationalError(
            f"this PostgreSQL has been replaced: its timeline is {timeline}, the primary's {newest}."
            " Stop it: it accepts writes that nobody else sees"
        )
    if timeline > newest:
        _newest[system] = timeline
