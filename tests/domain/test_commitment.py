"""Commitments to facts: read again by a second reader that is written from docs/verifying.md alone."""

import hashlib
import hmac
import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callserver.domain import pseudonyms, subject
from callserver.domain.commitment import commit, digest, opened, root

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=9),
    lambda some: (
        st.lists(some, max_size=3) | st.dictionaries(st.text(max_size=4), some, max_size=3)
    ),
    max_leaves=6,
)
NAMES = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=9)


def second_reader(fields: dict[str, tuple[bytes, Any]], withheld: dict[str, bytes]) -> str:
    """The root as the document describes it."""
    digests = dict(withheld)
    for name, (salt, value) in fields.items():
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        digests[name] = hashlib.sha256(salt + name.encode() + b"\0" + text.encode()).digest()
    named = b"".join(name.encode() + b"\0" + digests[name] for name in sorted(digests))
    return hashlib.sha256(named).hexdigest()


@given(st.dictionaries(NAMES, PLAIN, min_size=1, max_size=8), st.data())
def test_any_fields_can_be_withheld(line: dict[str, Any], data: st.DataObject) -> None:
    commitment = commit(line)
    fields = opened(commitment.opening)
    assert {name: field.value for name, field in fields.items()} == line
    assert len({field.salt for field in fields.values()}) == len(line)
    names = data.draw(st.sets(st.sampled_from(sorted(line))))
    withheld = {name: digest(name, fields[name]) for name in names}
    shown = {name: tuple(fields[name]) for name in line if name not in names}
    assert second_reader(shown, withheld) == commitment.root
    assert root({name: digest(name, field) for name, field in fields.items()}) == commitment.root


def test_a_field_cannot_be_shown_as_another() -> None:
    commitment = commit({"guardian": True, "member": False})
    fields = opened(commitment.opening)
    digests = {name: digest(name, field) for name, field in fields.items()}
    swapped = {"guardian": digests["member"], "member": digests["guardian"]}
    assert root(digests) == commitment.root
    assert root(swapped) != commitment.root


def test_the_same_facts_never_have_the_same_commitment() -> None:
    assert commit({"num": "+4532123456"}).root != commit({"num": "+4532123456"}).root


def test_an_opening_is_a_secret_of_32_bytes_and_the_line() -> None:
    opening = commit({"b": 1, "a": [True, None]}).opening
    assert opening[32:] == b'{"a":[true,null],"b":1}'
    salts = hashlib.shake_256(opening[:32]).digest(32)  # 16 bytes for each field
    fields = opened(opening)
    assert (fields["a"].salt, fields["b"].salt) == (salts[:16], salts[16:])


@pytest.mark.parametrize("line", [b"[]", b"1", b"null", b"{", b""])
def test_other_bytes_are_no_opening(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        opened(bytes(32) + line)


def test_a_number_keeps_its_key_when_it_is_erased() -> None:
    secret = b"a secret of the server"
    number = pseudonyms.key_of(subject.of_number(4532123456), secret)
    assert number == pseudonyms.key_of(subject.of_hash(4532123456, secret), secret)
    assert number.startswith("number:")
    assert "32123456" not in number
    others = [subject.of_number(4532123457), subject.of_person(4532123456)]
    assert number not in pseudonyms.keys_of(others, secret)
    assert number != pseudonyms.key_of(subject.of_number(4532123456), b"another secret")


def test_without_a_secret_there_are_no_keys() -> None:
    assert pseudonyms.keys_of([subject.of_number(4532123456)], b"") == []
    with pytest.raises(ValueError, match="key"):
        pseudonyms.key_of(subject.of_number(4532123456), b"")


def test_a_key_is_its_kind_and_128_bits_of_a_keyed_hash() -> None:
    secret = b"a secret of the server"
    contact = SimpleNamespace(number=4532123456, person=7, household=8)
    keys = pseudonyms.of_call(contact, secret)
    about = [subject.of_hash(4532123456, secret), "person:7", "household:8"]
    assert keys == [
        f"{kind}:{hmac.digest(secret, f'log {text}'.encode(), 'sha256').hex()[:32]}"
        for kind, text in zip(("number", "person", "household"), about, strict=True)
    ]


def test_a_digest_tells_whether_a_value_is_the_same() -> None:
    secret = b"a secret of the server"
    value = pseudonyms.digest({"a": 1, "b": 2}, secret)
    assert value == pseudonyms.digest({"b": 2, "a": 1}, secret)
    assert len(value) == 32
    assert (
        len({value, pseudonyms.digest(1, secret), pseudonyms.digest({"a": 1, "b": 2}, b"x")}) == 3
    )
