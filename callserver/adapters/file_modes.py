"""Private files that other accounts of this machine can read or change."""

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from callserver.database.engines import sqlite_path
from callserver.settings import DOTENV, Settings, survey_keys

OTHERS = 0o077
OTHERS_WRITE = 0o022


@dataclass(frozen=True, slots=True)
class Exposed:
    """A file or folder that other accounts of this machine can read or change."""

    path: Path
    bits: int
    forbidden: int

    @property
    def mode(self) -> str:
        return f"{self.bits:04o}"

    @property
    def remedy(self) -> str:
        return f"chmod {self.bits & ~self.forbidden:04o} {self.path}"

    def __str__(self) -> str:
        what = "read or changed" if self.forbidden == OTHERS else "changed"
        return f"can be {what} by other accounts (mode {self.mode}): {self.remedy}"


def exposed(settings: Settings) -> list[Exposed]:
    """Every file and folder of the settings that other accounts can access and must not."""
    return [
        Exposed(path, bits, forbidden)
        for path, forbidden in _watched(settings)
        if (bits := _bits(path)) & forbidden
    ]


def _watched(settings: Settings) -> Iterator[tuple[Path, int]]:
    yield DOTENV, OTHERS
    database = sqlite_path(settings.database)
    kept = [DOTENV, settings.seal_key, settings.seals, *([] if database is None else [database])]
    for folder in sorted({path.absolute().parent for path in kept}):
        if not _bits(folder) & stat.S_ISVTX:  # as in /tmp, where only an owner can replace a file
            yield folder, OTHERS_WRITE
    if database is not None:
        for ending in ("", "-wal", "-shm", "-journal"):
            yield Path(f"{database}{ending}"), OTHERS
    if settings.asterisk_exchanges:  # it may hold passwords
        yield Path(settings.asterisk_exchanges), OTHERS
    yield settings.seal_key, OTHERS
    yield settings.seals, OTHERS_WRITE
    yield survey_keys(settings), OTHERS
    yield settings.uploads, OTHERS
    yield settings.messages, OTHERS
    for folder in (settings.uploads, settings.messages, survey_keys(settings)):
        for path in sorted(folder.glob("*")):
            yield path, OTHERS
    yield settings.config, 0o002
    for path in sorted(settings.config.rglob("*")):
        yield path, 0o002


def _bits(path: Path) -> int:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return 0
