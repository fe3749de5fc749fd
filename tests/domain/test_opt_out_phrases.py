"""The search for words that say no finds, among many cells, what reading cell by cell finds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callserver.domain.opt_out_phrases import Search, may_say_no, says_no

PIECES = st.sampled_from(
    [
        "ring",
        "Ikke",
        "ringIkke",
        "aldrig",
        "No",
        "tellNo's",
        "Nora",
        "NoTM",
        "a5Ikke",
        "no5",
        "fra'bedt",
        "Don't",
        "don\u2019t",
        "call",
        "erDød",
        "undga\u030a",
        "frabedt18",
        "under",
        "18",
        "er_død",
        "(død)",
        "P†l",
        "†",
        "Afdøde",
        "STRAẞE",
        "Anna",
        "Prøve",
        "K100",
        "20123456",
        "nej",
        "tak",
        "kun",
        "mail",
        "boet",
        "efter",
        "İno",
    ]
)
CELLS = st.lists(
    st.one_of(
        st.lists(PIECES, max_size=4).map(" ".join),
        st.lists(PIECES, max_size=4).map("".join),
        st.text(max_size=12),
    ),
    max_size=40,
)


@given(st.lists(CELLS, max_size=3))
@settings(deadline=None)
def test_a_search_finds_the_cells_that_may_say_no(columns: list[list[str]]) -> None:
    search = Search()
    for cells in columns:
        assert search.cells(cells) == list(filter(may_say_no, cells))


@given(CELLS)
@settings(deadline=None)
def test_a_cell_that_says_no_is_read(cells: list[str]) -> None:
    for cell in cells:
        assert may_say_no(cell) or not says_no(cell)


@pytest.mark.parametrize("cell", ["Don\u2019t call", "erDød", "undga\u030a opkald"])
def test_a_no_is_found_however_its_letters_are_written(cell: str) -> None:
    assert says_no(cell)
    assert Search().cells(["Anna", cell, "Bo"]) == [cell]
