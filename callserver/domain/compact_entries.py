"""A shorter form of the log's entries, in which SQLite stores them. It gives back every byte.

An entry is its *shape*, which is its JSON with a code in place of each value that is a number, an instant or
hexadecimal, and these values, two digits to a byte. Shapes recur, so each is compressed once, with a
vocabulary that both sides know. What would not come back exactly, or not become shorter, stays as it is.

The first byte tells the forms apart: 1 to 122 begins a compact entry whose shape takes so many bytes; the brace
of JSON an entry that is stored as it is; 128 and above are the numbers of common shapes (`COMMON`); 0 stands
before anything else. The others are free for a form to come.
"""

import re
import zlib
from binascii import hexlify, unhexlify
from functools import lru_cache
from itertools import chain
from struct import Struct
from typing import NamedTuple

from callserver.domain.commitment import SECRET_BYTES
from callserver.domain.entry_vocabulary import COMMON, VOCABULARY

BRACE = ord("{")
LONGEST_SHAPE = BRACE - 1
"""In bytes."""

FIRST_COMMON = 128

LONGEST_ENTRY = 4000
"""In bytes. A longer one is rare, and its shape has no place in memory."""

MOST_SHAPES = 2000
"""So many are remembered. A campaign has about thirty."""

_VALUE = re.compile(
    rb'(?=[0-9a-f])(?<=[":,\[+-])('  # the first condition only saves time
    rb"[0-9a-f]{64}|[0-9a-f]{16,32}|[0-9]{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z|\d{1,15})"
)
_INSTANT = 27
_INSTANT_FIELDS, _INSTANT_FORM = "4s2s2s2s2s2s6s", b"%b-%b-%bT%b:%b:%b.%bZ"
_NOT_DIGITS = b"-T:.Z"
_CODES = {length: bytes([length]) for length in range(1, 32)} | {32: b"\xfe", 64: b"\xff"}
"""By the length of what they stand for. No JSON in UTF-8 holds these bytes."""

_CODE = re.compile(b"([\x01-\x1f\xfe\xff])")
_LENGTHS = {code: length for length, code in _CODES.items()}
_COMMON = {bytes([number]): text for number, text in enumerate(COMMON, FIRST_COMMON)}
_COMMON_CODES = {text: code for code, text in _COMMON.items()}
_WINDOW = -13
"""Of the compression: raw, and as large as the vocabulary needs."""


class _Shape(NamedTuple):
    code: bytes  # as it is stored, its length before it
    form: bytes  # of a %-expression that gives the entry
    fields: Struct  # of the digits
    odd: bool  # whether the last byte has one digit


def compact(entry: bytes) -> bytes:
    """The form in which to store these bytes, whatever they are."""
    if len(entry) <= LONGEST_ENTRY:
        parts = _VALUE.split(entry)
        values = parts[1::2]
        key = (bytes(map(len, values)), *parts[::2])
        if (shape := _shape_of(key)) is not None:
            digits = b"".join(values).translate(None, _NOT_DIGITS)
            # Not if a value is as long as an instant, and is none.
            if len(digits) == shape.fields.size:
                stored = shape.code + unhexlify(digits + b"0" if shape.odd else digits)
                if whole(stored) == entry:  # the log must not depend on this file being right
                    return stored
    return entry if entry.startswith(b"{") else b"\0" + entry


def whole(stored: bytes) -> bytes:
    """The entry. Bytes that were not stored by `compact` come back unchanged."""
    first = stored[0] if stored else BRACE
    if first == 0:
        return stored[1:]
    if BRACE <= first < FIRST_COMMON:
        return stored
    end = first + 1 if first < BRACE else 1
    shape = _read_shape(stored[:end])
    digits = hexlify(stored[end:])
    if shape is None or len(digits) != shape.fields.size + shape.odd:
        return stored
    if shape.odd and not digits.endswith(b"0"):
        return stored
    return shape.form % shape.fields.unpack_from(digits)


def traces(digits: bytes) -> tuple[bytes, ...]:
    """Every stored form of an entry that has these digits as one of its values holds one of these.

    `digits`: hexadecimal, and so many that they are one value. Two make a byte, and the first may be a second half.
    """
    return digits, unhexlify(digits), unhexlify(digits[1:-1])


def compact_opening(opening: bytes) -> bytes:
    """The same for an opening (`commitment`): its line, then its secret."""
    stored = compact(opening[SECRET_BYTES:]) + opening[:SECRET_BYTES]
    return stored if whole_opening(stored) == opening else opening


def whole_opening(stored: bytes) -> bytes:
    """The opening. One that is stored as it is has its line in braces after the secret."""
    if stored[SECRET_BYTES : SECRET_BYTES + 1] == b"{" and stored.endswith(b"}"):
        return stored
    return stored[-SECRET_BYTES:] + whole(stored[:-SECRET_BYTES])


@lru_cache(MOST_SHAPES)
def _shape_of(key: tuple[bytes, ...]) -> _Shape | None:
    """The shape of an entry with values of these lengths between these texts; None: it is not compacted."""
    lengths, first, *texts = key
    codes = [_CODES[length] for length in lengths]
    text = first + b"".join(chain.from_iterable(zip(codes, texts, strict=True)))
    if text in _COMMON_CODES:
        return _read_shape(_COMMON_CODES[text])
    made = zlib.compressobj(9, zlib.DEFLATED, _WINDOW, zdict=VOCABULARY)
    packed = made.compress(text) + made.flush()
    is_short = len(packed) <= LONGEST_SHAPE and 1 + len(packed) <= len(text) - len(codes)
    is_exact = _CODE.split(text)[::2] == [first, *texts]  # no text holds a code
    return _read_shape(bytes([len(packed)]) + packed) if is_short and is_exact else None


@lru_cache(MOST_SHAPES)
def _read_shape(code: bytes) -> _Shape | None:
    """The shape that is stored as this; None: nothing is."""
    try:
        text = _COMMON.get(code) or zlib.decompressobj(_WINDOW, VOCABULARY).decompress(
            code[1:], LONGEST_ENTRY
        )
    except zlib.error:
        return None
    parts = _CODE.split(text)
    lengths = [_LENGTHS[part] for part in parts[1::2]]
    texts = [part.replace(b"%", b"%%") for part in parts[::2]]
    forms = [_INSTANT_FORM if length == _INSTANT else b"%b" for length in lengths]
    fields = [_INSTANT_FIELDS if length == _INSTANT else f"{length}s" for length in lengths]
    layout = Struct("".join(fields))
    form = texts[0] + b"".join(chain.from_iterable(zip(forms, texts[1:], strict=True)))
    return _Shape(code, form, layout, layout.size % 2 == 1)
