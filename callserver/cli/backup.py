"""`callserver backup`, `restore`, `declare-restore` and `copy-database`."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from callserver import log_check
from callserver.adapters import backup_folder
from callserver.adapters.backup_folder import CONFIG, HEADS, PUBLIC_KEY
from callserver.adapters.config_folder import load
from callserver.cli import resources, running_servers
from callserver.database import audit, heads, known_time, migrate, snapshots
from callserver.database.engines import Engine, make_engine, reading, sqlite_path
from callserver.database.unavailable import UNAVAILABLE
from callserver.domain import checkpoint, signed_note
from callserver.domain.audit import stamp
from callserver.domain.signed_heads import Head
from callserver.engine import restoring
from callserver.engine.audit_log import verification
from callserver.errors import ConfigurationProblem
from callserver.settings import Settings, published_folder


def register(app: typer.Typer) -> None:
    app.command()(backup)
    app.command()(restore)
    app.command("declare-restore")(declare_restore)
    app.command("copy-database")(copy_database)


def backup(
    folder: Annotated[Path, typer.Argument(help="a folder that is not there yet, or empty")],
) -> None:
    """Write a backup while the server runs: database, heads, public key, configuration, manifest.

    It does not contain CALLSERVER_KEY and the sealing key: keep them elsewhere.

    Example: callserver backup /backup/$(date +%F)
    """
    settings = resources.settings()
    if folder.exists() and any(folder.iterdir()):
        raise ConfigurationProblem(f"{folder} is not empty: every backup has a folder of its own")
    # Older tables stay as they are: a backup before an upgrade is what a way back needs.
    opened = resources.database(settings, any_state=True, upgrading=False)
    with opened as engine, backup_folder.made(folder):
        if snapshots.is_empty(engine):
            raise ConfigurationProblem(
                "the database of the settings holds nothing: no backup was made. Run the command in the"
                " server's folder, with its settings"
            )
        with reading(engine) as tx:
            made_at = resources.now(tx)
        database = backup_folder.write_database(engine, settings.database, folder)
        for source, name in (
            (settings.seals, HEADS),
            (settings.seal_key.with_suffix(".pub"), PUBLIC_KEY),
        ):
            if source.exists():
                shutil.copyfile(source, folder / name)
        shutil.copytree(settings.config, folder / CONFIG)
        backup_folder.write_manifest(folder, {"made_at": stamp(made_at)})
    print(f"{folder}: {database.name}, {database.stat().st_size:,} bytes, and the manifest")
    print(f"keep elsewhere: CALLSERVER_KEY and {settings.seal_key}")


def restore(
    folder: Annotated[Path, typer.Argument(help="a backup", exists=True, file_okay=False)],
) -> None:
    """Bring a backup into an empty place, declare it in the log, and pause every campaign.

    The settings name the place; its database must be empty. An existing heads file is kept as
    evidence beside the new one. What was recorded after the backup is gone, opt-outs too: enter
    them again before you resume the campaigns on the floor page.

    Example: callserver restore /backup/2026-11-28
    """
    settings = resources.settings()
    manifest = backup_folder.read_manifest(folder)
    _refuse_full(settings.database)
    unfinished = log_check.unfinished_restore(settings)
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    unfinished.touch()  # until it is declared, no server starts: opt-outs are missing
    try:
        backup_folder.put(folder / CONFIG, settings.config)
        backup_folder.put(folder / PUBLIC_KEY, settings.seal_key.with_suffix(".pub"))
        backup_folder.read_database(folder, settings.database)
        with resources.database(settings, any_state=True) as engine:
            _declare(settings, engine, manifest["made_at"])
    except (ConfigurationProblem, OSError, *UNAVAILABLE) as error:
        why = f"the restore broke off: {backup_folder.why(error)}"
        raise ConfigurationProblem(f"{why}; then empty the database and restore again") from error
    unfinished.unlink()
    if not settings.seal_key.exists():
        print(f"put the sealing key back to {settings.seal_key}; another key begins another log")


def declare_restore() -> None:
    """Declare that another program brought the database back, and pause every campaign.

    After Litestream, point-in-time recovery, a standby that took over, or a snapshot of the machine. Stop
    every server first. What was recorded after that state is gone, opt-outs too: enter them again before
    you resume the campaigns on the floor page. A heads file with later heads is kept as evidence.

    Example: callserver declare-restore
    """
    settings = resources.settings()
    with resources.database(settings, any_state=True) as engine:
        running_servers.refuse(engine, watch=bool(settings.clock))
        with reading(engine) as tx:
            made_at = known_time.latest(tx) or resources.now(tx)
        _declare(settings, engine, stamp(made_at))


def _declare(settings: Settings, engine: Engine, made_at: str) -> None:
    """Write the restore to the log, with what the heads file shows beyond it, and pause every campaign.

    The heads file is set aside last: as long as it has heads that the database lacks, no server starts.
    """
    in_force = resources.rules(engine, settings).current.campaigns
    campaigns = sorted({*in_force, *load(settings.config).campaigns})
    with reading(engine) as tx:
        cut = audit.last_head(tx)
        now = resources.now(tx)
    lost, kept = _beyond(settings.seals, cut)
    with engine.begin() as tx:
        snapshots.start_feed_again(tx)
        restoring.declare(
            tx,
            campaigns,
            now,
            made_at=made_at,
            cut=cut,
            lost=lost,
            kept_as=kept,
        )
    if lost is None or lost > 0:
        suffix = f"before-restore-{now:%Y%m%dT%H%M%S}"
        with reading(engine) as tx:
            lines = heads.up_to(tx, 0 if cut is None else cut.size)
            _set_heads_aside(settings.seals, lines, suffix)
    entries = "entry" if lost == 1 else "entries"
    gone = "unknown: there was no heads file here" if lost is None else f"{lost:,} sealed {entries}"
    print(f"restored as of {made_at}; lost after it: {gone}")
    print("every campaign is paused: enter opt-outs and wishes of that time again, then resume")
    _propose_another_log(settings, cut)


def copy_database(
    url: Annotated[str, typer.Argument(help="the empty database, as in CALLSERVER_DATABASE")],
) -> None:
    """Copy everything into another, empty database: SQLite to PostgreSQL, or back.

    Stop every server first: the command refuses while a scheduler runs. Afterwards set
    CALLSERVER_DATABASE; heads, keys and configuration stay where they are, and verification goes on. After
    a copy that broke off, run the command again.

    Example: callserver copy-database postgresql+psycopg://callserver:word@localhost/callserver
    """
    settings = resources.settings()
    with resources.database(settings, any_state=True) as source:
        running_servers.refuse(source)
        target = _empty(url)
        try:
            total = snapshots.count_rows(source)
            with resources.progress("rows", total) as done:
                copied = snapshots.copy(source, target, done)
        finally:
            target.dispose()
    rows = sum(copied.values())
    print(f"{rows:,} rows in {sum(map(bool, copied.values()))} tables")
    print("set CALLSERVER_DATABASE to the new database, then: callserver audit verify")


def _empty(url: str) -> Engine:
    """An empty database with the newest tables, also one that a copy made before it broke off.

    Raises:
        ConfigurationProblem: it holds something already.
    """
    _refuse_full(url, "the database to copy into", is_free=_has_no_rows)
    engine = make_engine(url)
    migrate.upgrade(engine)
    return engine


def _has_no_rows(engine: Engine) -> bool:
    if snapshots.is_empty(engine):
        return True
    return migrate.is_current(engine) and not snapshots.count_rows(engine)


def _refuse_full(
    url: str,
    what: str = "the database of the settings",
    *,
    is_free: Callable[[Engine], bool] = snapshots.is_empty,
) -> None:
    path = sqlite_path(url)
    if path is not None and (not path.exists() or not path.stat().st_size):
        for journal in (path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-journal")):
            if journal.exists():  # SQLite would write it over the new database
                raise ConfigurationProblem(
                    f"{journal} is what remains of another database: move it away, and keep it"
                )
        return
    engine = make_engine(url)
    try:
        if not is_free(engine):
            raise ConfigurationProblem(f"{what} holds tables already: an empty one is needed")
    finally:
        engine.dispose()


def _beyond(file: Path, cut: Head | None) -> tuple[int | None, str | None]:
    """How many sealed entries the heads file shows beyond the cut, and its SHA-256; None: there is no file.

    Raises:
        ConfigurationProblem: the file is of another log.
    """
    if not file.exists():
        return None, None
    size = 0 if cut is None else cut.size
    with verification.open_heads(file) as written:
        lost = written.covered - size
        if cut is not None and not any(
            head.size == size and head.root == cut.root for head in written
        ):
            raise ConfigurationProblem(
                f"{file} is not of this backup's log, or lacks its last head: move it away first"
            )
    with file.open("rb") as whole:
        return lost, hashlib.file_digest(whole, "sha256").hexdigest()


def _set_heads_aside(file: Path, lines: Iterator[bytes], suffix: str) -> None:
    """Write the heads of the database; a file with later heads is kept under another name."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.new")
    with part.open("wb") as written:
        written.writelines(line + b"\n" for line in lines)
    if file.exists():
        file.replace(file.with_name(f"{file.name}.{suffix}"))
    part.replace(file)


def _propose_another_log(settings: Settings, cut: Head | None) -> None:
    """The published log extends beyond the cut and is never shortened: this log needs another name."""
    published, size = published_folder(settings), 0 if cut is None else cut.size
    try:
        held = checkpoint.parse(signed_note.parse((published / "checkpoint").read_bytes()).text)
    except (OSError, ValueError):
        return
    if held.size > size:
        print(
            f"{published} holds {held.size:,} entries and stays. Publish the log under another name:"
        )
        print(f"  CALLSERVER_LOG_ORIGIN={held.origin}/after-{size}")
        print(f"  CALLSERVER_PUBLISHED={published.with_name(f'{published.name}-after-{size}')}")
        print("and give the new vkey to witnesses and to those who verify (docs/verifying.md)")
