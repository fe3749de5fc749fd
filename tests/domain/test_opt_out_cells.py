"""What a cell about opt-outs, deaths or permission says. In doubt the person is not called."""

import pytest

from callserver.domain.heading_words import DECEASED, DO_NOT_CALL, MAY_CALL
from callserver.domain.opt_out_cells import NO, YES, is_answer, is_yes_or_no, read

NOT_SET = ("allow", "Tilladt", "0000-00-00")
DATES = ("2026-01-01", "1/2/2024", "2026-01-01T10:00:00Z", "01.02.2024 10:00")


@pytest.mark.parametrize("field", [DO_NOT_CALL, DECEASED])
def test_a_mark_in_a_column_of_opt_outs_counts_unless_it_is_a_no(field: str) -> None:
    for cell in (*YES, *DATES, " JA "):
        assert read(field, cell) is True, cell
    for cell in (*NO, *NOT_SET, " Nej ", "  "):
        assert read(field, cell) is None, cell
    for cell in ("måske", "?", "2", "2026-01-01 af Bo", "ja, men"):
        assert read(field, cell) is False, cell


@pytest.mark.parametrize(
    "cell",
    [
        *sorted(NO - {""}),
        *(" NEJ ", "nej, aldrig", "No thanks", "no, thank you!", "refused", "Afvist."),
        *("Ring ikke", "frabedt", "nej " + "tak " * 30),
    ],
)
def test_a_permission_that_is_refused_is_an_opt_out(cell: str) -> None:
    assert read(MAY_CALL, cell) is True
    assert is_answer(cell)


@pytest.mark.parametrize("cell", ["", "  ", *sorted(YES), "måske", "nejlike", "2026-01-01"])
def test_another_permission_is_none(cell: str) -> None:
    assert read(MAY_CALL, cell) is None


def test_what_is_an_answer() -> None:
    for cell in (*YES, *NOT_SET, *(NO - {""}), " Ja "):
        assert is_yes_or_no(cell)
        assert is_answer(cell)
    for cell in ("", " ", "måske", "2026-01-01"):
        assert not is_yes_or_no(cell)
        assert not is_answer(cell)
    for cell in ("nej, aldrig", "frabedt"):
        assert not is_yes_or_no(cell)
        assert is_answer(cell)
