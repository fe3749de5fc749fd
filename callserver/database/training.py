"""Versions of documents, and who has signed them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, select

from callserver.database import revisions
from callserver.database.prepared_statements import Prepared
from callserver.database.tables import document_versions, signatures
from callserver.database.upserts import INSERTS, PerDialect
from callserver.domain.training import Signature, Signed, Version
from callserver.ports import Tx

NEVER = datetime.min.replace(tzinfo=UTC)
"""No signature is as old."""

_signed = Prepared(
    select(signatures.c.document, signatures.c.version, signatures.c.at).where(
        signatures.c.user == bindparam("user")
    )
)
_row: dict[str, Any] = {name: bindparam(name) for name in ("user", "document", "version", "at")}


def _or_again(insert: Any) -> Any:
    return (
        insert(signatures)
        .values(_row)
        .on_conflict_do_update(
            index_elements=["user", "document", "version"],
            set_={"at": bindparam("at")},
            where=signatures.c.at <= bindparam("again_since"),
        )
    )


_sign = Prepared(PerDialect(_or_again))
_signature = select(signatures.c.document, signatures.c.version, signatures.c.at)
_versions = select(
    document_versions.c.document,
    document_versions.c.version,
    document_versions.c.since,
    document_versions.c.first_at,
)


def signed(tx: Tx, user: int) -> Signed:
    """The documents and versions that a user has signed, and when: asked at every dial."""
    return {(row[0], row[1]): row[2] for row in _signed(tx, {"user": user})}


def signatures_of(tx: Tx, user: int) -> list[Signature]:
    query = _signature.where(signatures.c.user == user).order_by(signatures.c.at)
    return [Signature(*row) for row in tx.execute(query)]


def every_signature(tx: Tx) -> dict[int, list[Signature]]:
    """The signatures of every user."""
    by_user: dict[int, list[Signature]] = {}
    query = select(signatures.c.user, *_signature.selected_columns).order_by(signatures.c.at)
    for user, *columns in tx.execute(query):
        by_user.setdefault(user, []).append(Signature(*columns))
    return by_user


def sign(
    tx: Tx, user: int, document: str, version: str, now: datetime, again_since: datetime = NEVER
) -> bool:
    """Write a signature; one from `again_since` or earlier is renewed. False: there is one already."""
    row = {"user": user, "document": document, "version": version, "at": now}
    row["again_since"] = again_since
    return _sign(tx, row).rowcount == 1


def versions(tx: Tx) -> list[Version]:
    """Every version that was ever in force, the latest last."""
    return [Version(*row) for row in tx.execute(_versions.order_by(document_versions.c.since))]


def put_in_force(tx: Tx, in_force: Mapping[str, str], now: datetime) -> None:
    """Write since when the documents' versions are in force."""
    revisions.lock(tx)
    latest = {version.document: version.version for version in versions(tx)}
    for document, version in in_force.items():
        if latest.get(document) != version:
            row = INSERTS[tx.dialect.name](document_versions).values(
                document=document, version=version, since=now, first_at=now
            )
            key = [document_versions.c.document, document_versions.c.version]
            tx.execute(row.on_conflict_do_update(index_elements=key, set_={"since": now}))
