"""What the training page shows: documents with their state, exercises and courses."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Literal

from callserver.console.endpoint import Answer
from callserver.database.accounts import User
from callserver.database.training_sessions import SessionRow
from callserver.domain.configuration import Configuration
from callserver.domain.training import Signature, Version
from callserver.domain.training_rules import Level
from callserver.engine.training import signatures
from callserver.engine.training.signatures import DocumentState


class DocumentView(Answer):
    """A document that somebody has to sign. `due`: until when they may make calls without."""

    key: str
    title: str
    version: str
    since: datetime | None
    signed_at: datetime | None
    state: Literal["signed", "due", "owed"]
    due: datetime | None


class SessionView(Answer):
    """An exercise or course. `participants`: by id, whether they attended (null: not recorded)."""

    id: int
    activity: str
    day: date
    participants: dict[int, bool | None]

    @classmethod
    def of(cls, row: SessionRow, participants: Mapping[int, bool | None]) -> "SessionView":
        day = date.fromisoformat(row.day)
        return cls(id=row.id, activity=row.activity, day=day, participants=dict(participants))


def document_views(
    rules: Configuration,
    user: User,
    level: Level,
    versions: Iterable[Version],
    signed: Iterable[Signature],
    now: datetime,
    language: str,
) -> list[DocumentView]:
    """What a user has to sign, in the order in which they read it."""
    states = signatures.states_of(user, rules, level, versions, signed, now)
    return [
        _document(state, rules.books[f"{state.document}.{language}"].title, now) for state in states
    ]


def _document(state: DocumentState, title: str, now: datetime) -> DocumentView:
    due = state.due is not None and now < state.due
    return DocumentView(
        key=state.document,
        title=title,
        version=state.version,
        since=state.since,
        signed_at=state.signed_at,
        state="signed" if state.signed_at is not None else "due" if due else "owed",
        due=state.due,
    )
