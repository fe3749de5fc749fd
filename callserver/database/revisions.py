"""Revisions of the configuration, and proposals that wait for a second person.

The revision in force is the one with the latest instant; every process follows it. The texts of its
files are stored, so that a server starts with it even if the folder has changed.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import insert, select, update

from callserver.database.prepared_statements import Prepared
from callserver.database.tables import proposals, revisions
from callserver.ports import Tx

LOCK = 7_204_119
"""PostgreSQL's advisory lock: one process at a time changes the revision in force."""

Texts = Mapping[str, str]
"""Path within the folder -> the file's text."""

_newest = select(revisions.c.hash, revisions.c.at).order_by(revisions.c.at.desc()).limit(1)
_current = Prepared(_newest)


class Revision(NamedTuple):
    hash: str
    at: datetime
    texts: Texts | None  # None: written before texts were kept


class Proposal(NamedTuple):
    """A change and the decision about it. `by` None: the files in the folder changed."""

    id: int
    at: datetime
    by: int | None
    why: str
    ethics: str  # whether it is ethically sound; empty: proposed before notes were required
    base: str
    revision: str
    texts: Texts
    changed: Sequence[str]
    looser: Sequence[Mapping[str, Any]]
    state: str  # open; applied (at once), active (approved), refused, withdrawn
    decided_at: datetime | None
    decided_by: int | None
    answer: str


_proposal = select(*[proposals.c[name] for name in Proposal._fields])


def lock(tx: Tx) -> None:
    """Keep other processes from changing the revision in force until this transaction ends."""
    if tx.dialect.name == "postgresql":
        tx.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")


def current(tx: Tx) -> str | None:
    """The hash of the revision in force; None in a new database."""
    row = _current(tx, {}).one_or_none()
    return None if row is None else row[0]


def in_force(tx: Tx) -> Revision | None:
    """The revision in force with its texts."""
    query = select(revisions.c.hash, revisions.c.at, revisions.c.texts)
    row = tx.execute(query.order_by(revisions.c.at.desc()).limit(1)).one_or_none()
    return None if row is None else Revision._make(row)


def get(tx: Tx, hashed: str) -> Revision | None:
    query = select(revisions.c.hash, revisions.c.at, revisions.c.texts)
    row = tx.execute(query.where(revisions.c.hash == hashed)).one_or_none()
    return None if row is None else Revision._make(row)


def texts_of_all(tx: Tx) -> Iterator[Texts]:
    """The texts of every revision, the newest first."""
    query = select(revisions.c.texts).where(revisions.c.texts.is_not(None))
    return iter(tx.execute(query.order_by(revisions.c.at.desc())).scalars())


def in_force_since(tx: Tx, since: datetime) -> Iterator[tuple[Mapping[str, Any], Texts]]:
    """Data and texts of every revision that was in force at any time since then, the newest first."""
    query = select(revisions.c.at, revisions.c.content, revisions.c.texts)
    for at, content, texts in tx.execute(query.order_by(revisions.c.at.desc())):
        if texts is not None:
            yield content, texts
        if at <= since:
            return


def contents_with(tx: Tx, path: str) -> Iterator[Mapping[str, Any]]:
    """The data of every revision with this file, the newest first."""
    query = select(revisions.c.content).order_by(revisions.c.at.desc())
    return (content for content in tx.execute(query).scalars() if path in content)


def contents(tx: Tx) -> Iterator[Mapping[str, Any]]:
    """The data of every revision that was ever in force."""
    return iter(tx.execute(select(revisions.c.content).order_by(revisions.c.at)).scalars())


def put_in_force(
    tx: Tx, hashed: str, content: Mapping[str, Any], texts: Texts, now: datetime
) -> None:
    """Put a revision into force, a new one or an earlier one. Call `lock` first."""
    last = tx.execute(_newest).one_or_none()
    # Later than the last one, even if the clocks of two processes differ.
    at = now if last is None else max(now, last.at + timedelta(microseconds=1))
    values = {"at": at, "content": dict(content), "texts": dict(texts)}
    if not tx.execute(
        update(revisions).where(revisions.c.hash == hashed).values(**values)
    ).rowcount:
        tx.execute(insert(revisions).values(hash=hashed, **values))


def rewrite(tx: Tx, hashed: str, texts: Texts) -> None:
    """Replace the texts of a revision by texts with the same rules: comments and order differ."""
    tx.execute(update(revisions).where(revisions.c.hash == hashed).values(texts=dict(texts)))


# -- proposals ---------------------------------------------------------------------------------


def propose(tx: Tx, **values: Any) -> int:
    """Add a change, open unless its state is given. Returns its id. `values`: columns of the table."""
    key = tx.execute(insert(proposals).values({"state": "open", **values})).inserted_primary_key
    return 0 if key is None else int(key[0])


def proposal(tx: Tx, key: int) -> Proposal | None:
    row = tx.execute(_proposal.where(proposals.c.id == key)).one_or_none()
    return None if row is None else Proposal._make(row)


def newest_proposals(tx: Tx, most: int = 50) -> list[Proposal]:
    """The newest proposals, open ones first."""
    is_open = proposals.c.state == "open"
    query = _proposal.order_by(is_open.desc(), proposals.c.id.desc()).limit(most)
    return [Proposal._make(row) for row in tx.execute(query)]


def history(tx: Tx) -> Iterator[Proposal]:
    """Every change, the oldest first."""
    return (Proposal._make(row) for row in tx.execute(_proposal.order_by(proposals.c.id)))


def open_of_files(tx: Tx) -> list[Proposal]:
    """Open proposals that changed files in the folder made."""
    query = _proposal.where(proposals.c.state == "open", proposals.c.by.is_(None))
    return [Proposal._make(row) for row in tx.execute(query)]


def was_proposed(tx: Tx, revision: str, base: str) -> bool:
    """Whether files of this revision were proposed on top of this base before."""
    query = select(proposals.c.id).where(
        proposals.c.revision == revision, proposals.c.base == base, proposals.c.by.is_(None)
    )
    return tx.execute(query.limit(1)).one_or_none() is not None


def review_used(tx: Tx, why: str, ethics: str) -> bool:
    """Whether an earlier change of the files came with these words."""
    query = select(proposals.c.id).where(
        proposals.c.why == why, proposals.c.ethics == ethics, proposals.c.by.is_(None)
    )
    return tx.execute(query.limit(1)).one_or_none() is not None


def change_proposal(tx: Tx, key: int, **values: Any) -> None:
    tx.execute(update(proposals).where(proposals.c.id == key).values(**values))
