"""A country as lists write it: its name in several languages, its code, its calling code -> region."""

import unicodedata
from functools import cache, lru_cache

import phonenumbers

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


@cache
def _names() -> dict[str, str]:
    """Names of countries; one that means two of them is left out."""
    from phonenumbers.geodata.locale import LOCALE_DATA  # half a second: the whole world's places

    found: dict[str, set[str]] = {}
    for region, names in LOCALE_DATA.items():
        if region not in phonenumbers.SUPPORTED_REGIONS:
            continue
        for language in _LANGUAGES:
            name = names.get(language, "")
            while name.startswith("*"):
                name = names.get(name[1:], "")
            if name:
                found.setdefault(_folded(name), set()).add(region)
    return {name: min(regions) for name, regions in found.items() if len(regions) == 1} | _MORE


@lru_cache(maxsize=4096)
def region(text: str) -> str | None:
    """The region of a country that somebody wrote; None when it is none that we know."""
    said = _folded(text)
    if said.upper() in phonenumbers.SUPPORTED_REGIONS:
        return said.upper()
    code = said.removeprefix("+").removeprefix("00").removesuffix(".0")
    if code.isascii() and code.isdigit() and len(code) <= 3:
        found = phonenumbers.region_code_for_country_code(int(code))
        return found if found in phonenumbers.SUPPORTED_REGIONS else None
    return _names().get(said)
