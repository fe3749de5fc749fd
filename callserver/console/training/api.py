"""The training page's API: what I have to read and sign."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from callserver.console.books.api import BookView, book_view
from callserver.console.endpoint import Access, Answer, Body, Endpoint, UserRequest
from callserver.database import training
from callserver.domain.role import Role
from callserver.domain.training_rules import Level
from callserver.engine.context import EngineContext
from callserver.engine.training import signatures
from callserver.engine.training.signatures import DocumentState
from callserver.errors import NotFound
from callserver.ports import Tx


class DocumentView(Answer):
    """A document that I have to sign. `due`: until when I may make calls without."""

    key: str
    title: str
    version: str
    since: datetime | None
    signed_at: datetime | None
    state: Literal["signed", "due", "owed"]
    due: datetime | None


class TrainingView(Answer):
    """My documents, in the order in which I read them. `phones`: they decide whether I may make calls."""

    phones: bool
    documents: list[DocumentView]


class ToSign(BookView):
    """A document as it is read before it is signed."""

    version: str


class NewSignature(Body):
    document: str = Field(min_length=1, max_length=100)
    version: str = Field(min_length=1, max_length=64)


class TrainingApi:
    """What everybody sees of their own training, and signs."""

    def __init__(self, ctx: EngineContext) -> None:
        self._ctx = ctx

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("GET", "/training", Access.SIGNED_IN, self.mine),
            Endpoint("GET", "/training/documents/{document}", Access.SIGNED_IN, self.document),
            Endpoint("POST", "/training/signatures", Access.SIGNED_IN, self.sign),
        ]

    async def mine(self, request: UserRequest) -> TrainingView:
        """The documents that I have to sign, and those that I have signed."""
        return await self._ctx.store.read(lambda tx: self._mine(tx, request))

    async def document(self, request: UserRequest, document: str) -> ToSign:
        """The text of a document in my language, in the version in force."""
        rules = self._ctx.rules.current
        book = rules.books.get(f"{document}.{request.language}")
        if book is None or document not in rules.training.named:
            raise NotFound(f"there is no document {document!r}", key="not_found")
        return ToSign(**book_view(book).model_dump(), version=rules.documents[document])

    async def sign(self, request: UserRequest, body: NewSignature) -> TrainingView:
        """Sign a version of a document that I have read."""
        now, rules = self._ctx.clock.now(), self._ctx.rules.current

        def work(tx: Tx) -> TrainingView:
            signatures.sign(tx, rules, request.user.id, body.document, body.version, now)
            return self._mine(tx, request)

        return await self._ctx.store.run(work)

    def _mine(self, tx: Tx, request: UserRequest) -> TrainingView:
        user, rules, now = request.user, self._ctx.rules.current, self._ctx.clock.now()
        states = signatures.states_of(
            user,
            rules,
            Level.of(user.shifts),
            training.versions(tx),
            training.signatures_of(tx, user.id),
        )
        titles = {
            book.key: book.title
            for book in rules.books.values()
            if book.language == request.language
        }
        return TrainingView(
            phones=user.role == Role.PHONER,
            documents=[_document(state, titles[state.document], now) for state in states],
        )


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
