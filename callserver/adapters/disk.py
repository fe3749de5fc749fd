"""The space left where the server writes."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from callserver.database.engines import sqlite_path
from callserver.settings import Settings


def written_folders(settings: Settings) -> dict[str, Path]:
    """The folders in which the server keeps something, by what it is."""
    database = sqlite_path(settings.database)
    folders = {
        "heads": settings.seals.parent,
        "uploads": settings.uploads,
        "messages": settings.messages,
    }
    return folders if database is None else {"database": database.parent, **folders}


def free_bytes(folder: Path) -> int | None:
    """Bytes that the server may still write there; None when the folder cannot be read."""
    for place in _existing(folder):
        try:
            return shutil.disk_usage(place).free
        except OSError:
            continue
    return None


def _existing(folder: Path) -> Iterator[Path]:
    """The folder, or else the nearest one above it: some are made when they are needed."""
    yield from (place for place in (folder, *folder.absolute().parents) if place.exists())
