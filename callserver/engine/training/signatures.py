"""Who has signed which documents: what the gate asks, and the signing itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from callserver.database import audit, training
from callserver.database.accounts import User
from callserver.domain.audit import EntryKind
from callserver.domain.book import CONFIDENTIALITY
from callserver.domain.configuration import Configuration
from callserver.domain.role import Role
from callserver.domain.training import Signature, Version, grace_until, holds, unsigned
from callserver.domain.training_rules import Level
from callserver.errors import Impossible
from callserver.ports import Tx


@dataclass(frozen=True, slots=True)
class DocumentState:
    """A document that a user has to sign."""

    document: str
    version: str
    since: datetime | None  # since when this version is in force
    signed_at: datetime | None
    due: datetime | None  # not signed: until when they may make calls without


def required_of(rules: Configuration, role: str, level: Level) -> tuple[str, ...]:
    """What a user has to sign: a phoner by level, everybody else what colleagues sign."""
    if role == Role.PHONER:
        return rules.training.documents_of(level)
    return rules.training.colleagues


def allow_dialing(
    tx: Tx,
    rules: Configuration,
    phoner: int,
    level: Level,
    added_at: datetime | None,
    now: datetime,
) -> bool:
    """Whether the phoner's signatures permit a dial now."""
    return _allow(tx, rules, phoner, rules.training.documents_of(level), added_at, now)


def allow_listening(tx: Tx, rules: Configuration, user: User, now: datetime) -> bool:
    """Whether a trainee's signatures permit to hear their mentor's calls now.

    Confidentiality is required whatever the levels ask for: the calls are about people.
    """
    if user.role != Role.PHONER:
        return True
    required = (*rules.training.documents_of(Level.FIRST), CONFIDENTIALITY)
    return _allow(tx, rules, user.id, dict.fromkeys(required), user.added_at, now)


def _allow(
    tx: Tx,
    rules: Configuration,
    user: int,
    required: Iterable[str],
    added_at: datetime | None,
    now: datetime,
) -> bool:
    signed, again = training.signed(tx, user), rules.training.sign_again_days
    missing = unsigned(tuple(required), rules.documents, signed, again, now)
    if not missing:
        return True
    signatures, versions = training.signatures_of(tx, user), training.versions(tx)
    due = [_due(rules, name, versions, signatures, added_at) for name in missing]
    return all(until is not None and now < until for until in due)


def states_of(
    user: User,
    rules: Configuration,
    level: Level,
    versions: Iterable[Version],
    signatures: Iterable[Signature],
    now: datetime,
) -> list[DocumentState]:
    """The documents that a user has to sign, in the order in which they read them."""
    versions, signatures = list(versions), list(signatures)
    since = {(version.document, version.version): version.since for version in versions}
    signed = {(signature.document, signature.version): signature.at for signature in signatures}
    states = []
    for name in required_of(rules, user.role, level):
        key = name, rules.documents[name]
        at = signed.get(key)
        if holds(at, rules.training.sign_again_days.get(name), now):
            due = None
        else:
            at, due = None, _due(rules, name, versions, signatures, user.added_at)
        states.append(DocumentState(*key, since.get(key), at, due))
    return states


def _due(
    rules: Configuration,
    document: str,
    versions: Iterable[Version],
    signatures: Iterable[Signature],
    added_at: datetime | None,
) -> datetime | None:
    theirs = [signature for signature in signatures if signature.document == document]
    grace, again = rules.training.grace_days, rules.training.sign_again_days.get(document)
    for signature in theirs:
        if signature.version == rules.documents[document] and again is not None:
            return signature.at + timedelta(days=again + grace)
    return grace_until(
        [version for version in versions if version.document == document], theirs, added_at, grace
    )


def sign(
    tx: Tx, rules: Configuration, user: int, document: str, version: str, now: datetime
) -> None:
    """The user has read this version of the document. A signature that still holds stays as it is.

    Raises:
        Impossible: nobody signs this document, or another version is in force by now.
    """
    if document not in rules.training.named or rules.documents[document] != version:
        raise Impossible("this version of the document is not in force", key="document_changed")
    again = rules.training.sign_again_days.get(document)
    since = training.NEVER if again is None else now - timedelta(days=again)
    if training.sign(tx, user, document, version, now, since):
        audit.append(
            tx,
            now,
            EntryKind.SIGNED,
            user=user,
            document=document,
            version=version,
            by=f"user:{user}",
        )


def sign_all(tx: Tx, rules: Configuration, user: int, now: datetime) -> None:
    """Sign every document: invented phoners of a demonstration, a simulated evening or a test."""
    for document in sorted(rules.training.named):
        sign(tx, rules, user, document, rules.documents[document], now)
