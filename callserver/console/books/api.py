"""The organisation's books, for every signed-in user: ethics, law and values."""

import asyncio
from datetime import date

from starlette.responses import Response

from callserver.adapters.book_files import BookFiles
from callserver.console import markup
from callserver.console.endpoint import Access, Answer, Endpoint, UserRequest
from callserver.domain.book import DAILY, VALUES, Book
from callserver.engine.context import EngineContext
from callserver.errors import NotFound


class Section(Answer):
    """A part of a book, as HTML."""

    heading: str
    html: str


class BookView(Answer):
    key: str
    title: str
    reviewed: date
    by: str
    pdf: str | None  # the name of its file, which GET /books/{key}/pdf answers with
    sections: list[Section]


class BooksView(Answer):
    """Every book, and short sentences to show between calls."""

    books: list[BookView]
    values: list[str]


class BooksApi:
    """Serves the books, also during a call."""

    def __init__(self, ctx: EngineContext, files: BookFiles) -> None:
        self._ctx = ctx
        self._files = files

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("GET", "/books", Access.SIGNED_IN, self.books),
            Endpoint("GET", "/books/{key}/pdf", Access.SIGNED_IN, self.pdf),
        ]

    async def books(self, request: UserRequest) -> BooksView:
        """The books in my language, with date and name of their last review."""
        books = self._ctx.rules.current.books
        in_language = [book for book in books.values() if book.language == request.language]
        in_language.sort(key=lambda book: book.key not in DAILY)  # the rest keeps its order
        values = books.get(f"{VALUES}.{request.language}")
        return BooksView(
            books=[book_view(book) for book in in_language],
            values=[] if values is None else values.items,
        )

    async def pdf(self, request: UserRequest, key: str) -> Response:
        """The file of a book in my language, as the configuration in force names it."""
        book = self._ctx.rules.current.books.get(f"{key}.{request.language}")
        if book is None or book.pdf is None:
            raise NotFound(f"there is no file of {key!r}", key="not_found")
        content = await asyncio.to_thread(self._files.read, book.pdf)
        disposition = f'attachment; filename="{book.pdf.file}"'
        return Response(content, headers={**_PDF_HEADERS, "content-disposition": disposition})


_PDF_HEADERS = {
    "content-type": "application/pdf",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",
    "cross-origin-resource-policy": "same-origin",
}
"""A file that others have written: it is saved and opened by a reader, never inside the page."""


def book_view(book: Book) -> BookView:
    return BookView(
        key=book.key,
        title=book.title,
        reviewed=book.reviewed,
        by=book.by,
        pdf=None if book.pdf is None else book.pdf.file,
        sections=[
            Section(heading=heading, html=markup.rendered(text)) for heading, text in book.sections
        ],
    )
