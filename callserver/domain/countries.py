"""Reads a country as lists write it (name in several languages, code, calling code) into a region."""

import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import phonenumbers

from callserver.domain import phone

_LANGUAGES = ("da", "en", "nb", "sv", "de", "fi", "fr", "es", "it", "nl", "is", "pl")

_MORE = {
    "dnk": "DK",
    "nor": "NO",
    "swe": "SE",
    "fin": "FI",
    "isl": "IS",
    "grl": "GL",
    "fro": "FO",
    "deu": "DE",
    "gbr": "GB",
    "usa": "US",
    "uk": "GB",
    "england": "GB",
    "noreg": "NO",
    "holland": "NL",
    "grønland": "GL",
    "kalaallit nunaat": "GL",
    "færøerne": "FO",
    "føroyar": "FO",
    "sverige": "SE",
    "finland": "FI",
    "suomi": "FI",
    "island": "IS",
    "tyskland": "DE",
    "storbritannien": "GB",
    "united states of america": "US",
}


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _names_by_language() -> Mapping[str, Mapping[str, str]]:
    """libphonenumber's names of the regions. Its file is read by itself: the package that it is in is the whole
    world's places, a third of a second and 100 MB."""
    path = Path(phonenumbers.__file__).parent / "geodata" / "locale.py"
    spec: Any = spec_from_file_location("phonenumbers.geodata.locale", path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    names: Mapping[str, Mapping[str, str]] = module.LOCALE_DATA
    return names


@cache
def _names() -> dict[str, str]:
    """Regions by country name; a name of two countries is left out."""
    regions_by_name: dict[str, set[str]] = {}
    for region, names in _names_by_language().items():
        if region not in phonenumbers.SUPPORTED_REGIONS:
            continue
        for language in _LANGUAGES:
            name = names.get(language, "")
            while name.startswith("*"):
                name = names.get(name[1:], "")
            if name:
                regions_by_name.setdefault(_folded(name), set()).add(region)
    return {
        name: min(regions) for name, regions in regions_by_name.items() if len(regions) == 1
    } | _MORE


@lru_cache(maxsize=4096)
def region(text: str) -> str | None:
    """The region of a country in a cell; None when the country is unknown."""
    name = _folded(text)
    if name.upper() in phonenumbers.SUPPORTED_REGIONS:
        return name.upper()
    code = name.removeprefix("+").removeprefix("00").removesuffix(".0")
    if code.isascii() and code.isdigit() and len(code) <= 3:
        region_code = phonenumbers.region_code_for_country_code(int(code))
        return region_code if region_code in phonenumbers.SUPPORTED_REGIONS else None
    return _names().get(name)


UNCLEAR = "?"
"""In place of a country where a row names two."""


def of_row(cells: Sequence[str]) -> str:
    """The country of a row with several columns of countries; UNCLEAR if they differ."""
    said = [cell for cell in cells if cell.strip()]
    if not said or region(said[0]) is None:
        return said[0] if said else ""
    return said[0] if len(regions(said)) == 1 else UNCLEAR


def regions(cells: Sequence[str]) -> list[str]:
    """The different regions that the cells name."""
    return sorted({found for cell in cells if cell.strip() and (found := region(cell))})


@lru_cache(maxsize=4096)
def number(cell: str, country: str, otherwise: str) -> str | phone.NumberProblem:
    """A number by its row's country, else by `otherwise`; a number with its own country code needs none."""
    if not country.strip():
        return phone.parse(cell, otherwise)
    named_region = region(country)
    if named_region is not None:
        return phone.parse(cell, named_region)
    if cell.strip(" \t(").startswith(("+", "00")):
        return phone.parse(cell, "ZZ")
    return phone.NumberProblem.COUNTRY
