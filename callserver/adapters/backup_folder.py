"""A backup as a folder: the database, the heads, the public key, the configuration, and a manifest.

The two secrets (`CALLSERVER_KEY` and the sealing key) are not in it: a stolen backup must not be enough to
seal a log, or to try numbers against the hashes of the erased.
"""

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from callserver import __version__
from callserver.database import postgres_programs, snapshots
from callserver.database.engines import Engine, sqlite_path
from callserver.database.unavailable import UNAVAILABLE
from callserver.errors import ConfigurationProblem

MANIFEST = "manifest.json"
SQLITE, POSTGRES = "callserver.db", "callserver.dump"
HEADS, PUBLIC_KEY, CONFIG = "heads.jsonl", "seal.pub", "config"


@contextlib.contextmanager
def made(folder: Path) -> Iterator[None]:
    """The folder of a backup that is being made. One that breaks off is removed.

    Raises:
        ConfigurationProblem: something could not be written, for example because the disk is full.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        yield
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, (OSError, *UNAVAILABLE)):
            raise ConfigurationProblem(
                f"the backup in {folder} broke off and was removed: {why(error)}"
            ) from error
        raise


def why(error: BaseException) -> str:
    """The error's text from the file system or the database."""
    if isinstance(error, shutil.Error):  # of a folder: what became of each of its files
        return str(error.args[0][0][-1])
    return str(getattr(error, "strerror", None) or getattr(error, "orig", error))


def put(source: Path, place: Path) -> None:
    """Copy a file or folder, whole or not at all; an existing target is kept unchanged."""
    if not source.exists() or place.exists():
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(f".{place.name}.new")
    if source.is_dir():
        shutil.rmtree(part, ignore_errors=True)  # of a copy that broke off
        shutil.copytree(source, part)
    else:
        shutil.copyfile(source, part)
    part.replace(place)


def write_database(engine: Engine, url: str, folder: Path) -> Path:
    """A consistent copy of the database, while servers run.

    Raises:
        ConfigurationProblem: PostgreSQL's pg_dump is missing or failed.
    """
    if sqlite_path(url) is not None:
        file = folder / SQLITE
        snapshots.write_sqlite(engine, file)
        file.chmod(0o600)
        return file
    file = folder / POSTGRES
    file.touch(0o600)
    postgres_programs.run(
        "pg_dump", url, "--format=custom", "--no-owner", "--no-acl", f"--file={file}"
    )
    return file


def read_database(folder: Path, url: str) -> None:
    """Bring the copy into the empty place that the URL names.

    Raises:
        ConfigurationProblem: the backup is of the other kind of database, or pg_restore failed.
    """
    path = sqlite_path(url)
    kind = POSTGRES if path is None else SQLITE
    if not (folder / kind).exists():
        raise ConfigurationProblem(
            f"{folder} holds no {kind}: restore into the kind of database that it was made of, and"
            " use callserver copy-database afterwards"
        )
    if path is None:
        words = ("--single-transaction", "--exit-on-error", "--no-owner", str(folder / kind))
        postgres_programs.run("pg_restore", url, *words)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / kind, path)
        path.chmod(0o600)


def write_manifest(folder: Path, facts: Mapping[str, Any]) -> None:
    """Name every file with its hash; written last, so that a folder without one is no backup."""
    manifest = {
        "callserver": __version__,
        **facts,
        "files": {str(file.relative_to(folder)): _hash(file) for file in _files(folder)},
    }
    part = folder / f".{MANIFEST}.new"
    part.write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n", "utf-8")
    part.replace(folder / MANIFEST)


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a complete and unchanged backup.

    Raises:
        ConfigurationProblem: there is none, or a file is missing, added or changed; says which.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
        named: dict[str, str] = manifest["files"]
    except FileNotFoundError:
        raise ConfigurationProblem(f"{folder} holds no {MANIFEST}: it is not a backup") from None
    except (ValueError, KeyError, TypeError):
        raise ConfigurationProblem(f"{folder / MANIFEST} cannot be read") from None
    present = {str(file.relative_to(folder)): _hash(file) for file in _files(folder)}
    wrong = sorted(
        name for name in named.keys() | present.keys() if named.get(name) != present.get(name)
    )
    if wrong:
        raise ConfigurationProblem(
            f"{folder} is not as it was made: {', '.join(wrong)} missing, added or changed"
        )
    return manifest


def _files(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.relative_to(folder) != Path(MANIFEST):
            yield file


def _hash(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
