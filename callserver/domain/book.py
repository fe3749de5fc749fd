"""A book of the organisation that every user may open at any time: ethics, law, values.

A book is a file config/books/<name>.<language>.md: front matter between two lines of ---, then Markdown. It may name
a PDF file beside it, with its hash: another file is another version.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from callserver.domain.document import Document

VALUES = "values"
"""The book whose list items are shown, one at a time, while a phoner waits."""

CONFIDENTIALITY = "confidentiality"
"""The book whose duty continues after the work has ended."""

DAILY = ("ethics", "law", VALUES)
"""The books that are shown first; the others are read once, before they are signed."""


class Pdf(Document):
    """A file beside the book's text, such as a guideline that others publish: read with the text."""

    file: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,80}\.pdf$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Book(Document):
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*\.(da|en)$")]  # the file's, without .md
    title: str
    reviewed: date  # when its content was last checked
    by: Annotated[str, Field(min_length=2)]  # by whom
    pdf: Pdf | None = None
    text: str

    @property
    def key(self) -> str:
        return self.name.rpartition(".")[0]

    @property
    def language(self) -> Literal["da", "en"]:
        return "en" if self.name.endswith(".en") else "da"

    @property
    def sections(self) -> list[tuple[str, str]]:
        """Heading and Markdown of each part; the part before the first heading has an empty one."""
        parts: list[tuple[str, list[str]]] = [("", [])]
        for line in self.text.splitlines():
            if line.startswith("## "):
                parts.append((line[3:].strip(), []))
            else:
                parts[-1][1].append(line)
        sections = [(heading, "\n".join(lines).strip()) for heading, lines in parts]
        return [(heading, text) for heading, text in sections if heading or text]

    @property
    def items(self) -> list[str]:
        """Every list item, as plain text."""
        return [line[2:].strip() for line in self.text.splitlines() if line.startswith("- ")]
