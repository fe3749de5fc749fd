"""Revisions of the configuration, and proposals that wait for a second person.

The revision in force is the one that was put there last; every process follows it. Its files' very
texts are kept, so that a server comes up with it whatever the folder holds meanwhile.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import insert, select, update

from callserver.database.prepared_statements import Prepared
from callserver.database.tables import proposals, revisions
from callserver.ports import Tx

LOCK = 7_204_119
"""PostgreSQL's advisory lock: one process at a time changes what is in force."""

Texts = Mapping[str, str]
"""Path within the folder -> the file's text."""

_newest = select(revisions.c.hash, revisions.c.at).order_by(revisions.c.at.desc()).limit(1)
_current = Prepared(_newest)


class Revision(NamedTuple):
    hash: str
    at: datetime
    texts: Texts | None  # None: written before texts were kept


class Proposal(NamedTuple):
    """A change that waits, or waited. `by` None: the files in the folder changed."""

    id: int
    at: datetime
    by: int | None
    why: str
    base: str
    revision: str
    texts: Texts
    changed: Sequence[str]
    looser: Sequence[Mapping[str, Any]]
    state: str  # open active refused withdrawn
    decided_at: datetime | None
    decided_by: int | None
    answer: str


_proposal = select(*[proposals.c[name] for name in Proposal._fields])


def lock(tx: Tx) -> None:
    """Nobody else changes what is in force until this transaction ends."""
    if tx.dialect.name == "postgresql":
        tx.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")


def current(tx: Tx) -> str | None:
    """The hash of the revision in force; None in a new house."""
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


def earlier(tx: Tx) -> Iterator[Texts]:
    """The texts of every revision, the newest first."""
    query = select(revisions.c.texts).where(revisions.c.texts.is_not(None))
    return iter(tx.execute(query.order_by(revisions.c.at.desc())).scalars())


def put_in_force(
    tx: Tx, hashed: str, content: Mapping[str, Any], texts: Texts, now: datetime
) -> None:
    """This revision is in force from now on, also when it was before. Call `lock` first."""
    last = tx.execute(_newest).one_or_none()
    # Later than the last one, whatever the clocks of two processes say.
    at = now if last is None else max(now, last.at + timedelta(microseconds=1))
    values = {"at": at, "content": dict(content), "texts": dict(texts)}
    if not tx.execute(
        update(revisions).where(revisions.c.hash == hashed).values(**values)
    ).rowcount:
        tx.execute(insert(revisions).values(hash=hashed, **values))


def rewrite(tx: Tx, hashed: str, texts: Texts) -> None:
    """The same rules in other words: comments and order."""
    tx.execute(update(revisions).where(revisions.c.hash == hashed).values(texts=dict(texts)))


# -- proposals ---------------------------------------------------------------------------------


def propose(tx: Tx, **values: Any) -> int:
    """A new proposal; its id. `values`: columns of the table."""
    key = tx.execute(insert(proposals).values(state="open", **values)).inserted_primary_key
    return 0 if key is None else int(key[0])


def proposal(tx: Tx, key: int) -> Proposal | None:
    row = tx.execute(_proposal.where(proposals.c.id == key)).one_or_none()
    return None if row is None else Proposal._make(row)


def listed(tx: Tx, most: int = 50) -> list[Proposal]:
    """The newest proposals, whatever became of them; open ones first."""
    is_open = proposals.c.state == "open"
    query = _proposal.order_by(is_open.desc(), proposals.c.id.desc()).limit(most)
    return [Proposal._make(row) for row in tx.execute(query)]


def open_of_files(tx: Tx) -> list[Proposal]:
    """What waits because files in the folder changed."""
    query = _proposal.where(proposals.c.state == "open", proposals.c.by.is_(None))
    return [Proposal._make(row) for row in tx.execute(query)]


def told_of(tx: Tx, revision: str, base: str) -> bool:
    """Whether files of this revision were proposed on top of this base before."""
    query = select(proposals.c.id).where(
        proposals.c.revision == revision, proposals.c.base == base, proposals.c.by.is_(None)
    )
    return tx.execute(query.limit(1)).one_or_none() is not None


def change_proposal(tx: Tx, key: int, **values: Any) -> None:
    tx.execute(update(proposals).where(proposals.c.id == key).values(**values))
