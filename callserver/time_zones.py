"""Whose time zone rules hold: the machine's or the package's (tzdata), whichever is newer.

`zoneinfo` itself always takes the machine's. Those of an old image do not know what countries decided since,
and telephones would ring outside the hours: in Greenland an hour late with rules of before 2023.
"""

import zoneinfo
from pathlib import Path

import tzdata


def take_the_newer() -> None:
    """Before the first zone is read. A folder of zones that does not say its version counts as older."""
    if _of_the_machine() < tzdata.IANA_VERSION:
        zoneinfo.reset_tzpath(to=())


def _of_the_machine() -> str:
    """Its version, like "2026a"; empty: it does not say."""
    for folder in zoneinfo.TZPATH:
        try:
            with (Path(folder) / "tzdata.zi").open(encoding="utf-8") as rules:
                return rules.readline().removeprefix("# version ").strip()
        except (OSError, ValueError):
            continue
    return ""
