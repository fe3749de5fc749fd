"""Shared by commands: settings, the database with its newest tables, the rules in force, a progress bar."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from io import TextIOWrapper
from typing import TYPE_CHECKING, TextIO

from callserver import key_check, log_check
from callserver.adapters.clock import clock_from
from callserver.database import migrate, races
from callserver.database.engines import Engine, make_engine, reading, sqlite_path
from callserver.domain.audit import may_be_kept
from callserver.errors import ConfigurationProblem
from callserver.ports import Tx
from callserver.settings import Settings, from_environment

if TYPE_CHECKING:
    from callserver.engine.context import Rules


def settings() -> Settings:
    return from_environment()


def now(tx: Tx) -> datetime:
    """The present instant by the clock of a server on this database."""
    return clock_from(from_environment().clock, tx).now()


def secret(settings: Settings) -> bytes:
    """The key of erased numbers' hashes; warns if there is none, because they cannot be recognised then."""
    if not settings.key:
        print("CALLSERVER_KEY is not set: erased persons cannot be recognised", file=sys.stderr)
    return settings.key.encode()


@contextmanager
def progress(words: str, total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error; call it with how much is done."""
    # Here, because few commands show one.
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bars:
        task = bars.add_task(words, total=total)
        yield lambda done: bars.update(task, completed=done)
        bars.update(task, completed=total)


def phone_number(raw: str) -> int:
    """A telephone number, as people write it.

    Raises:
        ConfigurationProblem: it is not one; says why.
    """
    # Here, because the library of numbers is a twentieth of a command's start.
    from callserver.domain import phone

    parsed = phone.parse(raw.strip())
    if isinstance(parsed, phone.NumberProblem):
        from callserver import texts

        raise ConfigurationProblem(f"{raw!r}: {texts.say('en', f'error.number_{parsed.value}')}")
    return phone.to_int(parsed)


def known_language(value: str) -> str:
    """An option that names a language of the catalogues.

    Raises:
        ConfigurationProblem: there is no such catalogue.
    """
    from callserver import texts

    if value not in texts.LANGUAGES:
        raise ConfigurationProblem(f"--language {value!r}: should be da or en")
    return value


def words_for_log(value: str) -> str:
    """An option whose value is written to the audit log.

    Raises:
        ConfigurationProblem: the log may not contain it.
        UnicodeEncodeError: it is not UTF-8.
    """
    value.encode()
    if not may_be_kept(value):
        raise ConfigurationProblem(
            f"{value!r}: written to the log for good: a few words, no numbers"
        )
    return value


@contextmanager
def database(
    settings: Settings | None = None, *, any_state: bool = False, upgrading: bool = True
) -> Iterator[Engine]:
    """The database with its newest tables; also beside a running server.

    `any_state`: the command shows or copies what is recorded, or declares it; it records nothing about a person.
    `upgrading` False: with the tables that it has.

    Raises:
        ConfigurationProblem: CALLSERVER_KEY is another one than that of the database, it lacks what was sealed, or
            this is not the folder of a server.
    """
    chosen = settings or from_environment()
    if (path := sqlite_path(chosen.database)) is not None:
        if not (path.is_absolute() or path.exists() or chosen.config.is_dir()):
            raise ConfigurationProblem(
                f"there is no {path} and no folder {chosen.config}: run commands in the folder that"
                " `callserver init` made"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
    engine = make_engine(chosen.database, secret=chosen.key.encode())
    try:
        if upgrading:
            migrate.upgrade(engine)
        if not any_state:
            log_check.restore_is_finished(chosen)
            with reading(engine) as tx:
                log_check.log_is_whole(tx, chosen)
                key_check.key_fits(tx, chosen)
        races.note_commits()
        yield engine
    finally:
        engine.dispose()


def rules(engine: Engine, settings: Settings) -> "Rules":
    """The rules in force, the same as the servers'."""
    # Here, because the configuration's classes are a fifth of the start of a command that asks for no rules.
    from callserver.adapters.config_folder import ConfigFolder
    from callserver.engine.context import Rules
    from callserver.engine.rules.beginning import beginning

    with reading(engine) as connection, connection.begin():
        return Rules(beginning(connection, ConfigFolder(settings.config)))


def data_output() -> TextIO:
    """Standard output for a file: in UTF-8, whatever a terminal could show."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="strict")
    return sys.stdout
