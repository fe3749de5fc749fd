"""The organisation's books, for every signed-in user: ethics, law and values."""

from datetime import date

from callserver.console import markup
from callserver.console.endpoint import Access, Answer, Endpoint, UserRequest
from callserver.domain.book import DAILY, VALUES, Book
from callserver.engine.context import EngineContext


class Section(Answer):
    """A part of a book, as HTML."""

    heading: str
    html: str


class BookView(Answer):
    key: str
    title: str
    reviewed: date
    by: str
    sections: list[Section]


class BooksView(Answer):
    """Every book, and short sentences to show between calls."""

    books: list[BookView]
    values: list[str]


class BooksApi:
    """Serves the books, also during a call."""

    def __init__(self, ctx: EngineContext) -> None:
        self._ctx = ctx

    def endpoints(self) -> list[Endpoint]:
        return [Endpoint("GET", "/books", Access.SIGNED_IN, self.books)]

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


def book_view(book: Book) -> BookView:
    return BookView(
        key=book.key,
        title=book.title,
        reviewed=book.reviewed,
        by=book.by,
        sections=[
            Section(heading=heading, html=markup.rendered(text)) for heading, text in book.sections
        ],
    )
