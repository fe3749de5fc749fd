"""The log's seals: every change is found and named; what cannot be found is shown to be so."""

import hashlib
import json
import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from callserver.domain import merkle, signed_heads
from callserver.domain.audit import EntryKind, canonical
from callserver.domain.signed_heads import Head

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
Log = list[tuple[int | None, bytes]]


def entries(count: int) -> list[bytes]:
    return [canonical({"at": f"{n}", "kind": "seat", "seat": n % 7}) for n in range(count)]


def sealed_log(count: int, batch: int = 7) -> tuple[Log, list[Head]]:
    bodies, heads, last = entries(count), list[Head](), None
    for at in range(0, count, batch):
        last = signed_heads.seal(last, bodies[at : at + batch], "now", KEY)
        heads.append(last)
    return list(enumerate(bodies)), heads


def found(log: Log, heads: list[Head]) -> list[str]:
    return [str(finding) for finding in signed_heads.verify(log, heads, KEY.public_key())[0]]


def plain_root(leaves: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    halves = plain_root(leaves[:split]) + plain_root(leaves[split:])
    return hashlib.sha256(b"\x01" + halves).digest()


@given(st.lists(st.integers(1, 9), max_size=12))
def test_the_tree_is_the_standards(sizes: list[int]) -> None:
    leaves, frontier, grown = [], list[bytes](), 0
    for size in sizes:
        more = [bytes([grown % 256, n]) for n in range(size)]
        frontier = merkle.extend(grown, frontier, merkle.leaf_hashes(more))
        leaves += more
        grown += size
    assert merkle.root(frontier) == plain_root(leaves)


def test_known_roots() -> None:
    """The empty tree and one empty leaf, as RFC 6962's test data has them."""
    assert (
        merkle.root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )
    leaf = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert merkle.root(merkle.extend(0, [], [merkle.leaf_hash(b"")])).hex() == leaf


def test_a_whole_log_has_no_findings() -> None:
    log, heads = sealed_log(50)
    assert found([*log, (None, b"new")], heads) == []


def tamper(log: Log, dice: random.Random) -> tuple[Log, int]:
    """One change; the log after it, and the entry that must be named."""
    log = list(log)
    at = dice.randrange(len(log) - 1)
    number, body = log[at]
    match dice.choice(("flip", "delete", "double", "swap", "insert")):
        case "flip":
            bit = dice.randrange(len(body) * 8)
            changed = bytearray(body)
            changed[bit // 8] ^= 1 << bit % 8
            log[at] = (number, bytes(changed))
        case "delete":
            del log[at]
        case "double":
            log.insert(at, log[at])
        case "swap":
            other = (at + 1 + dice.randrange(len(log) - 1)) % len(log)
            log[at], log[other] = (number, log[other][1]), (log[other][0], body)
            if log[at][1] == body:
                return tamper(log, dice)
        case _:
            log.insert(at, (number, b'{"forged":1}'))
    return log, number or 0


def test_every_change_is_found_and_named(full: bool) -> None:
    """R9."""
    log, heads = sealed_log(60)
    dice = random.Random(9)
    for _ in range(10_000 if full else 400):
        changed, named = tamper(log, dice)
        said = found(changed, heads)
        assert any(finding.startswith(f"entry {named}:") for finding in said), said


@pytest.mark.parametrize("cut", [1, 7, 30, 59, 60])
def test_a_cut_tail_is_found_by_the_heads_outside(cut: int) -> None:
    log, heads = sealed_log(60)
    said = found(log[:-cut], heads)
    assert any("gone" in finding for finding in said)


def test_without_heads_outside_a_cut_tail_goes_unnoticed() -> None:
    """The negative control: why every head leaves the database."""
    log, heads = sealed_log(63)
    assert found(log[:42], heads[:6]) == []


def test_old_backup_and_forged_heads() -> None:
    log, heads = sealed_log(60)
    forged = [*heads[:3], replace(heads[3], root="00" * 32), *heads[4:]]
    assert any("wrong signature" in finding for finding in found(log, forged))
    (said,) = found(log, [heads[0], *heads[2:]])
    assert "the heads of entries 7 to 13 are missing" in said
    other = signed_heads.seal(heads[0], [b"another history"], "now", KEY)
    assert found(log, [heads[0], other])


def test_a_head_survives_being_written() -> None:
    _, heads = sealed_log(20)
    assert [signed_heads.parse(head.line()) for head in heads] == heads
    with pytest.raises(ValueError, match="not a head"):
        signed_heads.parse(b"{}")


PLAIN = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text()
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@given(st.dictionaries(st.text(), VALUES))
def test_the_form_is_what_any_json_writer_makes(entry: dict[str, Any]) -> None:
    """An exported log can be checked with common tools: the bytes are the same."""
    made = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert canonical(entry) == made.encode()


def test_entries_are_canonical_and_kinds_closed() -> None:
    assert canonical({"b": 1, "a": "å"}) == '{"a":"å","b":1}'.encode()
    with pytest.raises(TypeError, match="datetime"):
        canonical({"a": datetime(2026, 5, 12, tzinfo=UTC)})
    with pytest.raises(ValueError, match="gossip"):
        EntryKind("gossip")


def test_many_leaves_at_once_give_the_tree_of_one_after_another() -> None:
    leaves = merkle.leaf_hashes(str(number).encode() for number in range(600))
    one_by_one: list[bytes] = []
    for size, leaf in enumerate(leaves):
        one_by_one = merkle.extend(size, one_by_one, [leaf])
    assert merkle.extend(0, [], leaves) == one_by_one
    assert merkle.extend(7, merkle.extend(0, [], leaves[:7]), leaves[7:]) == one_by_one
