"""Keys of persons and households: the same for one and for many, and as docs/identity.md defines them."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from callserver.domain import subject

REFS = st.one_of(
    st.none(),
    st.text(max_size=6),
    st.sampled_from(["M1", "M 1", "M1 ", "121.0", "121,0", "é", "\x1c1"]),
)


def key(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) >> 1


@given(st.lists(st.tuples(REFS, st.integers(0, 10**12))), st.sampled_from(["", "CRM"]))
def test_keys_of_many_are_the_keys_of_each(rows: list[tuple[str | None, int]], space: str) -> None:
    refs, numbers = [ref for ref, _ in rows], [number for _, number in rows]
    prefix = "ref\0crm\0" if space else "ref\0"
    assert subject.person_keys(refs, numbers, ["Anna  Prøve"] * len(rows), space) == [
        key(f"{prefix}{subject.exact(ref)}" if ref else f"person\0{number} anna prøve")
        for ref, number in rows
    ]
    assert subject.household_keys(refs, numbers) == [
        key(f"household\0{subject.fold(ref)}" if ref else f"number\0{number}")
        for ref, number in rows
    ]


@given(st.lists(st.text(max_size=6)))
def test_references_are_found_among_many(cells: list[str]) -> None:
    found = [cell if cell and subject.is_reference(cell) else "" for cell in cells]
    assert subject.references(cells) == found
