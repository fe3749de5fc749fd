"""How cells and headings are written when their words are compared."""

import html
import re
import unicodedata

_LOOKALIKES = str.maketrans(
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455"
    "\u0391\u0392\u0395\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a7\u03bf\u03bd\u03b1\u03b9\u03ba\u03c1\u0131",
    "ABEKMHOPCTXaeopcyxijsABEHIKMNOPTXovaikpi",
)
"""Cyrillic and Greek letters that look like Latin ones, from another keyboard."""


_TWICE = re.compile("\u00c3[\u0080-\u00bf\u02dc\u2020\u2026\u2013\u201e\u0153]")
"""A letter that was encoded as UTF-8 twice: `d\u00c3\u00b8d`."""


_INITIALS = re.compile(r"(?<=\b[A-Za-z])\.(?=[A-Za-z]\b)")
"""Between letters that are written apart: `R.I.P.`"""


def repaired(text: str) -> str:
    """A text without the traces of other formats: `d\u00c3\u00b8d`, `d&oslash;d`, `ring%20ikke` and `R.I.P.`"""
    if "&" in text and ";" in text:
        text = html.unescape(text)
    if "%20" in text:
        text = text.replace("%20", " ")
    if "." in text:  # most texts have none, and the search takes longer than the rest
        text = _INITIALS.sub("", text)
    return _TWICE.sub(_once, text) if "\u00c3" in text else text


def _once(match: re.Match[str]) -> str:
    raw = match[0].encode("windows-1252", "replace")
    return raw.decode("utf-8", "replace")


def comparable(text: str) -> str:
    """A text as its words are compared: joined words apart, without apostrophes, in lower case."""
    text = repaired(text)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_LOOKALIKES)
    text = re.sub("([a-zæøå0-9])([A-ZÆØÅ])", r"\1 \2", text)
    return text.replace("'", "").replace("\u2019", "").casefold()
