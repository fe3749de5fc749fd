"""Dates of birth and ages: in doubt the person is a child, and a day that is none is asked about."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine, select

from callserver.adapters.clock import SystemClock
from callserver.database.tables import contacts
from callserver.engine.lists.doubtful_columns import Doubtful
from callserver.engine.lists.reader import open_list
from tests.field.conftest import Take
from tests.field.test_cli import numbers
from tests.harness.imported_lists import KANVAS


@pytest.mark.parametrize("born", ["1900-01-01", "01-01-1753", "1899-12-30", "0001-01-01"])
def test_a_birthday_of_nobody_alive_is_none(born: str, take: Take, engine: Engine) -> None:
    """A system writes it for an unknown one: it must not make an adult of a child."""
    take("Medlemsnr;Telefon;Født\nA7;32200101;2014-05-13\n")
    take(f"Medlemsnr;Telefon;Født\nA7;32200101;{born}\nA8;32200102;13-05-1930\n")
    with engine.connect() as tx:
        births = tx.execute(select(contacts.c.born).order_by(contacts.c.number)).scalars()
        assert list(births) == ["2014-05-13", "1930-05-13"]


@pytest.mark.parametrize(
    ("born", "age", "year"),
    [("1980-05-13", "12", -12), ("1980-05-13", "45", None), ("", "12", -12)],
)
def test_the_younger_of_birthday_and_age_counts(
    born: str,
    age: str,
    year: int | None,
    take: Take,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The last hour of a year in UTC is the first of the next one in the organisation's zone."""
    monkeypatch.setattr(SystemClock, "now", lambda _: datetime(2026, 12, 31, 23, 30, tzinfo=UTC))
    this_year = 2027
    age = age if year is not None else str(this_year - 1980)
    take(f"Medlemsnr;Telefon;Født;Alder\nA7;32200101;{born};{age}\n")
    with engine.connect() as tx:
        read = tx.execute(select(contacts.c.born)).scalar_one()
    assert read[:4] == ("1980" if year is None else str(this_year + year))


@pytest.mark.parametrize(
    "head",
    [
        "Fødselsdag;Fødselsmåned;Fødselsår",
        "Født dag;Født måned;Født år",
        "Birth day;Birth month;Birth year",
        "Day of birth;Month of birth;Year of birth",
    ],
)
@pytest.mark.parametrize(
    ("cells", "born"),
    [
        ("3;5;2012", "2012-05-03"),
        ("03;12;1980", "1980-12-03"),
        (";;", None),
        (";;2012", "2012-12-31"),  # the latest that is possible
        ("3-5-2012;5;2012", "2012-05-03"),
        ("31;2;2012", "refused"),
        ("3;5;", "refused"),
        ("3;5;12", "refused"),
    ],
)
def test_a_birthday_in_three_columns(
    head: str, cells: str, born: str | None, take: Take, engine: Engine
) -> None:
    take(f"Navn;Telefon;{head}\nAne Prove;32200101;{cells}\n")
    with engine.connect() as tx:
        found = tx.execute(select(contacts.c.born)).scalars().all()
    assert found == ([] if born == "refused" else [born])


def test_day_month_and_year_of_something_are_asked_about(take: Take, engine: Engine) -> None:
    with pytest.raises(Doubtful):
        take("Navn;Telefon;Dag;Måned;År\nAne;32200101;3;5;2012\n")
    take("Navn;Telefon;Dag;År\nAne;32200101;3;2012\n")
    assert numbers(engine) == [4532200101]


@pytest.mark.parametrize("day", ["Dag", "Fødselsdag"])
def test_a_day_that_is_said_to_be_of_birth_takes_month_and_year_along(day: str) -> None:
    """The page says each column's field once more."""
    raw = f"Navn;Telefon;{day};Måned;År\nAne;32200101;3;5;2012\n".encode()
    reader = open_list(KANVAS, raw, given={day: "born", "Telefon": "phone"}, ignored=())
    [(_, _, rows), *_] = reader.fresh("DK", None, date(2026, 11, 1))
    assert (rows.born, reader.summary.unread()) == (["2012-05-03"], [])
