"""A country's calendar is the library's, though it is imported by itself."""

import holidays
import pytest

from callserver.domain import calendars


@pytest.mark.parametrize("year", [2026, 2027])
def test_every_country_has_the_librarys_holidays(year: int) -> None:
    own = {country: calendars.public_holidays(country, year) for country in calendars.modules()}
    assert len(own) > 200
    assert own == {
        country: frozenset(holidays.country_holidays(country, years=year)) for country in own
    }
