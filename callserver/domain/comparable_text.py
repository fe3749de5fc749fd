"""How cells and headings are written when their words are compared."""

import re
import unicodedata


def comparable(text: str) -> str:
    """A text as its words are compared: joined words apart, without apostrophes, in lower case."""
    text = unicodedata.normalize("NFKC", text)
    text = re.sub("([a-zæøå0-9])([A-ZÆØÅ])", r"\1 \2", text)
    return text.replace("'", "").replace("\u2019", "").casefold()
