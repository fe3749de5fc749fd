"""Finds a text file's encoding by its bytes."""

import re
from itertools import islice

from callserver.texts import InvalidInput

UTF8 = b"\xef\xbb\xbf"
"""The byte order mark of a UTF-8 file."""

NAMES = {
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "windows-1252": "Windows-1252",
    "utf-32": "UTF-32",
    "iso-8859-1": "Latin-1",
    "cp850": "DOS (cp850)",
    "mac_roman": "Mac Roman",
}
"""Encodings by their usual names."""

_EIGHT_BITS = "eight bits"

MOST_COUNTED = 10_000
"""Letters by which an encoding is chosen."""

MOST_SEARCHED = 1024 * 1024
"""Bytes in which they are looked for."""

_NORDIC = {
    encoding: re.compile(
        b"(?<=[A-Za-z])[%b](?=[a-z])|(?<![A-Za-z])[%b](?=[A-Za-z])|(?<=[A-Z])[%b](?=[A-Z])"
        % tuple(re.escape(letters.encode(encoding)) for letters in ("æøåäöü", "ÆØÅÄÖ", "ÆØÅÄÖ"))
    )
    for encoding in ("windows-1252", "cp850", "mac_roman")
}
"""Nordic letters inside a word, or at its beginning, in each encoding of eight bits."""


def read(raw: bytes, *, any_encoding: bool = False) -> tuple[str, str, bool]:
    """The file's encoding, its text, and whether invalid bytes are in the text as surrogates.

    `any_encoding`: only its digits matter, so that a file in no known encoding is read as Latin-1.

    Raises:
        ValueError: the encoding is not recognised.
    """
    if raw.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        candidates = ["utf-32"]
    elif raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        candidates = ["utf-16"]
    elif (utf_16 := _utf_16_without_mark(raw[:2000])) is not None:
        candidates = [utf_16]
    else:
        candidates = ["utf-8-sig", _EIGHT_BITS]  # Danish text of eight bits is not valid UTF-8
        candidates += ["iso-8859-1"] if any_encoding else []
    for name in candidates:
        encoding = _eight_bits(raw) if name == _EIGHT_BITS else name
        try:
            return encoding, raw.decode(encoding), False
        except UnicodeDecodeError as error:
            if encoding == "utf-8-sig" and not raw[: error.start].removeprefix(UTF8).isascii():
                # UTF-8 except for some rows
                return encoding, raw.decode(encoding, "surrogateescape"), True
    raise InvalidInput("file_encoding")


def _utf_16_without_mark(head: bytes) -> str | None:
    """UTF-16 without byte order mark: nearly every second byte of the beginning is zero."""
    for encoding, zeros, others in (
        ("utf-16-le", head[1::2], head[0::2]),
        ("utf-16-be", head[0::2], head[1::2]),
    ):
        if zeros.count(0) > 0.9 * len(zeros) and others.count(0) == 0:
            return encoding
    return None


def _eight_bits(raw: bytes) -> str:
    """The encoding of eight bits in which most words have Nordic letters; without any, Windows-1252.

    Older systems export in that of DOS or of the Mac: read as Windows-1252, `d\u00f8d` and `m\u00e5 ikke` are other words.
    """
    if raw.isascii():
        return "windows-1252"
    head = raw[:MOST_SEARCHED]
    counts = {
        encoding: sum(1 for _ in islice(letters.finditer(head), MOST_COUNTED))
        for encoding, letters in _NORDIC.items()
    }
    return max(counts, key=lambda encoding: counts[encoding])
