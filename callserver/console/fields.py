"""Instants, dates and ids in bodies and queries: bounded, so that they can be stored and computed with."""

from datetime import date, datetime
from typing import Annotated, TypeVar

from pydantic import AfterValidator, AwareDatetime, Field

from callserver.domain.audit import BIGGEST_ID, FIRST_YEAR, LAST_YEAR

When = TypeVar("When", date, datetime)


def _bounded(value: When) -> When:
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(f"should lie between {FIRST_YEAR} and {LAST_YEAR}")
    return value


Instant = Annotated[AwareDatetime, AfterValidator(_bounded)]
Date = Annotated[date, AfterValidator(_bounded)]
Id = Annotated[int, Field(ge=1, le=BIGGEST_ID)]
