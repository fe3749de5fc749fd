"""A known person whose newest row cannot be read is not called until a row about them is taken."""

import pytest
from sqlalchemy import Engine, select

from callserver.database.tables import contacts
from tests.field.conftest import Take
from tests.field.test_cli import numbers

LIST = "Id;Navn;Telefon;Født;Må ringes\nA7;Ane;32200101;;ja\nA8;Bo;32200102;;ja\n"
HEAD = "Id;Navn;Telefon;Født;Må ringes\nA8;Bo;32200102;;ja\n"


def statuses(engine: Engine) -> dict[str, str]:
    with engine.connect() as tx:
        return {
            row.ref: row.status for row in tx.execute(select(contacts.c.ref, contacts.c.status))
        }


@pytest.mark.parametrize(
    "row",
    [
        "A7;Ane;;;ja",  # the number is gone
        "A7;Ane;3220.0;;ja",
        "A7;Ane;3220010;2014-01-01;ja",  # a child, by a row that is refused for its number
        "A7;Ane;32200101;ukendt;ja",
        "A7;Ane;32200101;;",  # the permission is gone
        "A7;Ane;32200101;;måske",
        'A7;"Ane "kaldet";32200101;;nej',
        "A7;Ane;32200101;;nej;;;",
        ";Ane;32200101;ukendt;ja",
    ],
)
def test_a_refused_row_sets_a_known_contact_aside(row: str, take: Take, engine: Engine) -> None:
    take(LIST)
    tried = take(f"{HEAD}{row}\n", "--dry-run")
    assert "not called until it is corrected" in tried
    assert statuses(engine) == {"A7": "ready", "A8": "ready"}
    take(f"{HEAD}{row}\n")
    assert statuses(engine) == {"A7": "closed", "A8": "ready"}
    take(LIST.replace("32200101", "32200109"))
    assert statuses(engine) == {"A7": "ready", "A8": "ready"}
    assert numbers(engine) == [4532200102, 4532200109]


def test_a_refused_row_may_still_say_that_somebody_is_a_child(take: Take, engine: Engine) -> None:
    """So the gate knows on every path, by hand and at an agreed time as well."""
    take(LIST)
    take(f"{HEAD}A7;Ane;3220010;2014-01-01;ja\nA8;;;2013-01-01;ja\n")
    with engine.connect() as tx:
        known = tx.execute(select(contacts.c.ref, contacts.c.born).order_by(contacts.c.ref))
        assert [tuple(row) for row in known] == [("A7", "2014-01-01"), ("A8", "2013-01-01")]


def test_a_readable_row_of_the_same_file_counts(take: Take, engine: Engine) -> None:
    take(LIST)
    take(f"{HEAD}A7;Ane;3220.0;;ja\nA7;Ane;32200101;;ja\n")
    assert statuses(engine) == {"A7": "ready", "A8": "ready"}


@pytest.mark.parametrize("other", ["A7;Ane;32200101", "B1;Ane;32200101"])
def test_a_birthday_in_a_second_row_counts(other: str, take: Take, engine: Engine) -> None:
    """A row that is dropped as a duplicate may say that the person is a child."""
    take(f"Id;Navn;Telefon;Født\nA7;Ane;32200101;1980-01-01\n{other};2015-01-01\n")
    with engine.connect() as tx:
        assert tx.execute(select(contacts.c.born)).scalar_one() == "2015-01-01"
