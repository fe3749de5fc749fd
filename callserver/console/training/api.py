"""The training page's API: what I have to read and sign, and how far I am."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from pydantic import Field

from callserver.adapters.book_files import BookFiles
from callserver.console.books.api import BookView, book_view
from callserver.console.endpoint import Access, Answer, Body, Done, Endpoint, Nothing, UserRequest
from callserver.console.live_sources import Causes, Updates
from callserver.console.training.views import DocumentView, SessionView, document_views
from callserver.database import accounts, training, training_sessions, worked_shifts
from callserver.database.accounts import User
from callserver.database.audit import Entry
from callserver.domain.audit import EntryKind
from callserver.domain.book import CONFIDENTIALITY
from callserver.domain.configuration import Configuration
from callserver.domain.label import Label
from callserver.domain.role import Action, Role
from callserver.engine.accounts import leaving
from callserver.engine.context import EngineContext
from callserver.engine.training import signatures, standings, talks
from callserver.errors import NotFound
from callserver.ports import Tx

KINDS = (EntryKind.SIGNED, EntryKind.TRAINING, EntryKind.CONFIGURATION, EntryKind.USER)


class LeavingReminder(Answer):
    """I leave: the version of the confidentiality document, which I sign once more."""

    version: str
    signed_at: datetime | None


class TrainingView(Answer):
    """My documents, in the order in which I read them, and how far I am.

    `phones`: the documents decide whether I may make calls. `shift`: of a phoner who is not trained yet.
    """

    phones: bool
    documents: list[DocumentView]
    shift: int | None
    talk_owed: bool
    talked_by_me: datetime | None
    talked_by_supervisor: datetime | None
    words: str  # of the supervisor, about the conversation
    mentor: str | None
    sessions: list[SessionView]
    activities: Mapping[str, Label]
    leaving: LeavingReminder | None


class ToSign(BookView):
    """A document as it is read before it is signed."""

    version: str


class NewSignature(Body):
    document: str = Field(min_length=1, max_length=100)
    version: str = Field(min_length=1, max_length=64)


class TrainingApi:
    """A user's own training: what they see, sign and record."""

    causes: ClassVar[Causes] = {"training": KINDS, "training_team": KINDS}

    def __init__(self, ctx: EngineContext, files: BookFiles) -> None:
        self._ctx = ctx
        self._files = files

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("GET", "/training", Access.SIGNED_IN, self.mine),
            Endpoint("GET", "/training/documents/{document}", Access.SIGNED_IN, self.document),
            Endpoint("POST", "/training/signatures", Access.SIGNED_IN, self.sign),
            Endpoint("POST", "/training/talk", Action.PHONE, self.talk),
        ]

    async def updates(self, request: UserRequest, news: Sequence[Entry]) -> Updates:
        """My own view when it has changed; for supervisors, that a colleague's has changed."""
        bodies = [entry.body for entry in news if entry.body["kind"] in KINDS]
        updates: list[tuple[str, Answer]] = []
        if any(body.get("user", request.user.id) == request.user.id for body in bodies):
            updates.append(("training", await self.mine(request)))
        if bodies and request.may(Action.LEAD_FLOOR):
            updates.append(("training_team", Done()))
        return updates

    async def mine(self, request: UserRequest) -> TrainingView:
        """The documents that I have to sign, and those that I have signed."""
        return await self._ctx.store.read(lambda tx: self._mine(tx, request))

    async def document(self, request: UserRequest, document: str) -> ToSign:
        """The text of a document in my language, in the version in force."""
        rules = self._ctx.rules.current
        book = rules.books.get(f"{document}.{request.language}")
        if book is None or document not in {*rules.training.named, CONFIDENTIALITY}:
            raise NotFound(f"there is no document {document!r}", key="not_found")
        return ToSign(**book_view(book).model_dump(), version=rules.documents[document])

    async def sign(self, request: UserRequest, body: NewSignature) -> TrainingView:
        """Sign a version of a document that I have read."""
        now, rules = self._ctx.clock.now(), self._ctx.rules.current
        for book in rules.books.values():
            # A document that cannot be read cannot be signed.
            if book.key == body.document and book.pdf is not None:
                await asyncio.to_thread(self._files.read, book.pdf)

        def work(tx: Tx) -> TrainingView:
            signatures.sign(tx, rules, request.user.id, body.document, body.version, now)
            return self._mine(tx, request)

        return await self._ctx.store.run(work)

    async def talk(self, request: UserRequest, body: Nothing) -> TrainingView:
        """Record that I have had the conversation on my third shift."""
        del body
        now, rules = self._ctx.clock.now(), self._ctx.rules.current.training

        def work(tx: Tx) -> TrainingView:
            talks.record_as_phoner(tx, rules, request.user, now)
            return self._mine(tx, request)

        return await self._ctx.store.run(work)

    def _mine(self, tx: Tx, request: UserRequest) -> TrainingView:
        now, rules = self._ctx.clock.now(), self._ctx.rules.current
        user = accounts.user(tx, request.user.id) or request.user
        where = standings.of_user(tx, rules.training, user, now)
        talk = worked_shifts.talk(tx, user.id)
        mentor = None if user.mentor is None or where.trained else accounts.user(tx, user.mentor)
        return TrainingView(
            phones=user.role == Role.PHONER,
            documents=document_views(
                rules,
                user,
                where.level,
                training.versions(tx),
                training.signatures_of(tx, user.id),
                now,
                request.language,
            ),
            shift=None if where.trained else where.shift,
            talk_owed=where.talk_owed,
            talked_by_me=None if talk is None else talk.phoner_at,
            talked_by_supervisor=None if talk is None else talk.supervisor_at,
            words="" if talk is None else talk.words,
            mentor=None if mentor is None else mentor.name,
            sessions=[
                SessionView.of(row, {user.id: attended})
                for row, attended in training_sessions.of_user(tx, user.id)
            ],
            activities=rules.training.activities,
            leaving=_reminder(tx, rules, user),
        )


def _reminder(tx: Tx, rules: Configuration, user: User) -> LeavingReminder | None:
    to_sign = leaving.to_sign(tx, rules, user.id)
    if to_sign is None:
        return None
    version, signed_at = to_sign
    return LeavingReminder(version=version, signed_at=signed_at)
