"""Public holidays of a country, from the library `holidays`."""

from datetime import date
from functools import cache, lru_cache
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path

import holidays
from holidays.registry import COUNTRIES


@cache
def modules() -> dict[str, str]:
    """The library's module of each country. Importing nothing, unlike the library's own list."""
    return {code: module for module, (_, code, *_) in COUNTRIES.items()}


@lru_cache(maxsize=1024)
def public_holidays(country: str, year: int) -> frozenset[date]:
    """The country's public holidays. In Denmark they do not include 5 June, 24 and 31 December."""
    return frozenset(_calendar(country)(years=year))


@cache
def _calendar(country: str) -> type[holidays.HolidayBase]:
    """The country's calendar alone: importing it the usual way imports those of all countries first."""
    name = f"holidays.countries.{modules()[country]}"
    folder = Path(holidays.__file__).with_name("countries")
    spec = PathFinder.find_spec(name, [str(folder)])
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(name)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    calendar: type[holidays.HolidayBase] = getattr(module, country)
    return calendar
