"""The space left where the server writes."""

import shutil
from pathlib import Path

from callserver.database.engines import sqlite_path
from callserver.settings import Settings, published_folder


def written_folders(settings: Settings) -> dict[str, Path]:
    """The folders in which the server keeps something, by what it is."""
    database = sqlite_path(settings.database)
    folders = {
        "heads": settings.seals.parent,
        "uploads": settings.uploads,
        "messages": settings.messages,
        "published log": published_folder(settings),
    }
    return folders if database is None else {"database": database.parent, **folders}


def free_bytes(settings: Settings) -> dict[str, int]:
    """Bytes that the server may still write, by what is kept there; 0 when the folder cannot be read."""
    return {name: _free(folder) for name, folder in written_folders(settings).items()}


def _free(folder: Path) -> int:
    """Some folders are made when they are needed: then the nearest one above counts."""
    for place in (folder, *folder.absolute().parents):
        try:
            return shutil.disk_usage(place).free
        except FileNotFoundError:
            continue
        except OSError:
            break
    return 0
