"""The short form of entries and openings: every byte comes back, whatever was stored."""

import json
from hashlib import sha256
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from callserver.domain import commitment, compact_entries
from callserver.domain.audit import canonical
from callserver.domain.compact_entries import (
    compact,
    compact_opening,
    traces,
    whole,
    whole_opening,
)
from callserver.domain.entry_vocabulary import COMMON, VOCABULARY

AT = "2026-05-12T14:30:03.263126Z"
PLACED = {
    "at": AT,
    "call": "98c62f37acb643b7ca73",
    "contact": 1195,
    "kind": "placed",
    "ordered_at": AT,
    "report": "taken",
    "state": "dialing",
}
DIGITS = st.text("0123456789abcdef", max_size=70)
LIKE_VALUES = DIGITS | st.datetimes().map(lambda at: f"{at:%Y-%m-%dT%H:%M:%S.%f}Z")
PLAIN = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text() | LIKE_VALUES
NUMBERS = PLAIN | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(NUMBERS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@given(st.dictionaries(st.text() | DIGITS, VALUES))
@example({"at": "0000-00-00T00:00:00.000000Z", "a": "2" * 27, "b": "100 % %b", "c": "\x7fæ"})
@example({"a": "0" * 32 + "1", "b": -0.5e-7, "c": ["1", 1, [1, "01"]], "d": "1970-01-01"})
@example({"why": "ord " * 2_000})
@example({str(key): key for key in range(400)})
def test_any_entry_comes_back_exactly(entry: dict[str, Any]) -> None:
    body = canonical(entry)
    stored = compact(body)
    assert whole(stored) == body
    assert len(stored) <= len(body)


@given(st.binary())
@example(b"")
@example(b"{")
@example(b"\x00")
@example(b'\x01{"a":1}')
@example(compact(canonical(PLACED)))
def test_any_bytes_come_back_exactly(body: bytes) -> None:
    assert whole(compact(body)) == body


@given(
    st.dictionaries(st.text() | DIGITS, VALUES),
    st.text("0123456789abcdef", min_size=32, max_size=32),
)
@example({"at": AT, "contact": 1}, "0a" * 16)
@example({"at": AT, "contact": 12}, "0a" * 16)
@example({"why": "ord " * 2_000}, "1" * 32)
def test_each_stored_form_holds_a_trace_of_a_key(entry: dict[str, Any], digits: str) -> None:
    for place in ("", "keys", "\uffff"):  # before the other values, and after them
        stored = compact(canonical({**entry, place: [f"number:{digits}"]}))
        assert any(trace in stored for trace in traces(digits.encode()))


@given(st.binary())
@example(b"\x05")
@example(bytes([122]) * 200)
@example(bytes([128]))
@example(bytes([255]) * 9)
def test_what_nobody_stored_raises_nothing(stored: bytes) -> None:
    whole(stored)
    whole_opening(stored)


@given(st.dictionaries(st.text(), VALUES), st.binary(min_size=32, max_size=32))
@example({"num": "+4532201862"}, b"{" * 31 + b"}")
def test_any_opening_comes_back_exactly(line: dict[str, Any], secret: bytes) -> None:
    opening = secret + canonical(line)
    assert whole_opening(compact_opening(opening)) == opening
    assert whole_opening(opening) == opening  # as an earlier version stored it


def test_openings_are_opened_from_their_short_form() -> None:
    made = commitment.commit({"num": "+4532201862", "now": AT, "dob": "1984-10-13"})
    stored = compact_opening(made.opening)
    assert len(stored) < len(made.opening)
    fields = commitment.opened(whole_opening(stored))
    digests = {name: commitment.digest(name, field) for name, field in fields.items()}
    assert commitment.root(digests) == made.root


def test_usual_entries_become_a_quarter_as_long() -> None:
    body = canonical(PLACED)
    assert len(compact(body)) * 3.5 < len(body)
    odd = canonical({**PLACED, "contact": 11950})
    assert whole(compact(odd)) == odd


def test_what_is_stored_can_be_read_for_ever() -> None:
    """The stored form is a format: this fails if the vocabulary, the common shapes or the form changes."""
    known = sha256(VOCABULARY + b"".join(COMMON)).hexdigest()
    assert known == "009505973497d73975f1880349f35c7385223130c38e8717e7cb5c96f460e1f2"
    common = "832026051214300326312698c62f37acb643b7ca73119520260512143003263126"
    assert whole(bytes.fromhex(common)) == canonical(PLACED)
    other = "0cc35a7832e2b092852a56020020260512143003263126798c62f37acb643b7ca731195202605121430032631260"
    assert whole(bytes.fromhex(other)) == canonical({**PLACED, "by": "user:7"})


def test_a_long_entry_is_stored_as_it_is() -> None:
    body = json.dumps({"rows": ["x" * 50] * 100}, separators=(",", ":")).encode()
    assert len(body) > compact_entries.LONGEST_ENTRY
    assert compact(body) == body
