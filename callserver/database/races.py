"""Transactions that lost a race with another one on PostgreSQL: run again, they succeed or find the other's row."""

from sqlalchemy import Connection, Engine, event

_LOST = frozenset({"40P01", "40001", "23505"})
"""Deadlock, serialization failure, and a second row with a unique key: two requests looked at the same moment
and found none. The later one runs again, and finds it."""

TIMES = 5
"""How often such a transaction is run, at most."""


def lost(error: BaseException) -> bool:
    """Whether the transaction may be run again. Prepared statements raise the driver's own error."""
    return getattr(getattr(error, "orig", error), "sqlstate", None) in _LOST


class Progress:
    """Of the command that runs in this process."""

    runs = 1
    committed = False


def note_commits() -> None:
    """From now on, note whether this process has committed something."""
    if not event.contains(Engine, "commit", _note):
        event.listen(Engine, "commit", _note)


def _note(connection: Connection) -> None:
    if not connection.get_execution_options().get("reads_only"):
        Progress.committed = True


def may_run_again(error: Exception) -> bool:
    """Whether another program got in the way of a command that has committed nothing yet; counts the runs."""
    if Progress.committed or Progress.runs >= TIMES or not lost(error):
        return False
    Progress.runs += 1
    return True
