"""Words among the details of an outcome, such as what a complaint was about: a person's data, as a note is."""

from collections.abc import Sequence

from sqlalchemy import select, update

from callserver.database.tables import calls
from callserver.domain.outcome import without_words
from callserver.ports import Tx


def forget(tx: Tx, attempts: Sequence[str]) -> None:
    """Remove the words from these calls' details; amounts and dates stay."""
    query = select(calls.c.attempt, calls.c.details).where(
        calls.c.attempt.in_(attempts), calls.c.details.is_not(None)
    )
    for attempt, details in tx.execute(query).all():
        given = details or {}
        if given != (kept := without_words(given)):
            tx.execute(update(calls).where(calls.c.attempt == attempt).values(details=kept))
