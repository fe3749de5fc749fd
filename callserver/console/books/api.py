"""The organisation's books, for every signed-in user: ethics, law and values."""

from datetime import date

from callserver.console import markup
from callserver.console.endpoint import Answer, Asked, Endpoint, Footing
from callserver.domain.book import VALUES, Book
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
    """Every book, and the short sentences for the wait."""

    books: list[BookView]
    values: list[str]


class BooksApi:
    """One key away, in the middle of a call too."""

    def __init__(self, ctx: EngineContext) -> None:
        self._ctx = ctx

    def endpoints(self) -> list[Endpoint]:
        return [Endpoint("GET", "/books", Footing.IN, self.books)]

    async def books(self, asked: Asked) -> BooksView:
        """The books in my language, with the day and the name of their last review."""
        known = self._ctx.rules.current.books
        mine = [book for book in known.values() if book.language == asked.language]
        values = known.get(f"{VALUES}.{asked.language}")
        return BooksView(
            books=[_view(book) for book in mine],
            values=[] if values is None else values.items,
        )


def _view(book: Book) -> BookView:
    return BookView(
        key=book.key,
        title=book.title,
        reviewed=book.reviewed,
        by=book.by,
        sections=[
            Section(heading=heading, html=markup.rendered(text)) for heading, text in book.sections
        ],
    )
