"""The PDF files of books, beside their texts in the folder of the configuration."""

import hashlib
from pathlib import Path

from callserver.domain.book import Pdf
from callserver.domain.configuration import Configuration, Problem
from callserver.errors import Impossible
from callserver.texts import InvalidInput

MOST_BYTES = 20_000_000


class BookFiles:
    """Reads a book's file as it was named in the configuration, and no other."""

    def __init__(self, config: Path) -> None:
        self._folder = config / "books"

    def read(self, pdf: Pdf) -> bytes:
        """The file.

        Raises:
            Impossible: it is missing, is no PDF, or is another file than the configuration names.
        """
        content = self._content(pdf)
        if isinstance(content, InvalidInput):
            raise Impossible(str(content), key="document_file")
        return content

    def problems(self, configuration: Configuration) -> list[Problem]:
        """Files that are named and cannot be served."""
        problems = []
        for book in configuration.books.values():
            content = b"" if book.pdf is None else self._content(book.pdf)
            if isinstance(content, InvalidInput):
                problems.append(Problem(f"books/{book.name}.md", 1, "pdf", content.sentence))
        return problems

    def _content(self, pdf: Pdf) -> bytes | InvalidInput:
        path = self._folder / pdf.file
        try:
            if path.is_symlink() or path.stat().st_size > MOST_BYTES:
                return InvalidInput("pdf_unreadable", file=pdf.file)
            content = path.read_bytes()
        except OSError:
            return InvalidInput("pdf_unreadable", file=pdf.file)
        if not content.startswith(b"%PDF-"):
            return InvalidInput("pdf_kind", file=pdf.file)
        sha256 = hashlib.sha256(content).hexdigest()
        return content if sha256 == pdf.sha256 else InvalidInput("pdf_other", sha256=sha256)
