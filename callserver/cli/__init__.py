"""The command `callserver`. Each command's module is imported only when that command runs."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from inspect import cleandoc
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from callserver import __version__
from callserver.errors import CallserverError
from callserver.garbage import loading

COMMANDS = {
    # name: (module, first sentence of its help)
    "init": ("init", "Make a folder to run callserver in: configuration, settings, a key."),
    "check": ("configuration", "Name every problem of the configuration, with file, line and key."),
    "serve": ("serve", "Serve the pages, the API and the provider's webhooks."),
    "demo": ("demo", "Run everything at once: server, simulated network, invented people, robots."),
    "simulate": ("simulate", "Play an evening in virtual time, then check what must always hold."),
    "user": ("users", "People and their sign-in."),
    "token": ("users", "Bearer tokens for machines."),
    "import": ("contacts", "Import a list of people into a campaign."),
    "list": ("list_removal", "Earlier imports, and contacts that leave a list again."),
    "export": ("contacts", "Give a campaign's list, or its calls and outcomes, back as CSV."),
    "applicant": ("applicants", "Applicants and their group interviews."),
    "survey": ("surveys", "The phoners' quarterly survey."),
    "notice": ("notices", "The case of the month, and talks by experts."),
    "register": ("registers", "Public do-not-call registers."),
    "suppress": ("suppress", "Opt-outs: who must not be called."),
    "cases": ("cases", "Requests and complaints of people."),
    "consents": ("consents", "Import consents: given, or taken back."),
    "person": ("person", "Record what was learned about a person outside a call."),
    "people": ("people", "People who may be one person, and decisions about them."),
    "explain": ("explain", "Say whether a number may be called now, and which rules forbid it."),
    "why": ("why", "Say who called a number, and why."),
    "outcomes": ("outcomes", "Outcomes that nobody has entered."),
    "refused": ("refused_numbers", "Numbers that the carrier refused to call."),
    "rules": ("rules", "Which rules are in force, and which wait for a second person."),
    "retention": (
        "retention",
        "How long personal data is kept, and what is old enough to be dropped.",
    ),
    "audit": (
        "audit",
        "The audit log: verify, show, export, publish, prove, judge, behaviour, reconcile, compare.",
    ),
    "backup": (
        "backup",
        "Write a backup while the server runs: database, heads, public key, configuration, manifest.",
    ),
    "restore": (
        "backup",
        "Bring a backup into an empty place, declare it in the log, and pause every campaign.",
    ),
    "declare-restore": (
        "backup",
        "Declare that another program brought the database back, and pause every campaign.",
    ),
    "copy-database": (
        "backup",
        "Copy everything into another, empty database: SQLite to PostgreSQL, or back.",
    ),
    "witness": (
        "witness",
        "Witness other servers' logs: sign a log's state only if it continues the one signed before.",
    ),
    "asterisk": ("asterisk", "Configure and check an Asterisk exchange of your own."),
    "scheduler": ("serve", "Run only the scheduler, beside servers with CALLSERVER_SCHEDULER=no."),
    "migrate": ("migrate", "Bring the database's tables up to date; `serve` does so too."),
    "schema": ("configuration", "Write JSON Schemas of the configuration files, for editors."),
}
RENAMED = {"upkeep": "scheduler"}
WITHOUT_SETTINGS = ("init",)
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""Errors of writing that name no file: it was opened before."""


def command(name: str) -> Any:
    """The command or group of commands with this name."""
    part = typer.Typer(rich_markup_mode="rich")
    import_module(f"callserver.cli.{COMMANDS[name][0]}").register(part)
    return _reflowed(typer.main.get_group(part).commands[name])


def _reflowed(node: Any) -> Any:
    """With each paragraph of its help in one line, because Typer breaks where the docstring does."""
    paragraphs = cleandoc(node.help or "").split("\n\n")
    node.help = "\n\n".join(
        text if text.startswith("Example:") else text.replace("\n", " ") for text in paragraphs
    )
    for part in getattr(node, "commands", {}).values():
        _reflowed(part)
    return node


class Commands(TyperGroup):
    """Lists the commands of the table above, and imports the one that runs."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands = {
            name: TyperCommand(name, help=sentence) for name, (_, sentence) in COMMANDS.items()
        }
        _reflowed(self)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[0] in RENAMED:
            ctx.fail(f"'{args[0]}' is called '{RENAMED[args[0]]}' now.")
        name, listed, rest = super().resolve_command(ctx, args)
        if name is None or listed is None:
            return name, listed, rest
        with loading():
            if name not in WITHOUT_SETTINGS and "--help" not in rest:
                _prepare()
            return name, command(name), rest


def _prepare() -> None:
    with _without("rich"):  # structlog imports it, for tracebacks that our lines do not have
        from callserver import log, settings

    given = settings.from_environment()
    settings.check_key(given)
    log.set_up(given.log_level)


@contextmanager
def _without(module: str) -> Iterator[None]:
    """Modules that are imported within the block do without this one, if it is not imported yet."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[module]


app = typer.Typer(
    name="callserver",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"callserver {__version__}")
        raise typer.Exit


@app.callback()
def callserver(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Outbound call server for a charity's telemarketing: one gate, asked at every dial.

    Settings come from the environment and from .env in the working directory. Start with
    `callserver demo`, or with `callserver init`.
    """
    del version


def main() -> None:
    """Run one command; an error that the user can correct is one sentence and exit code 2."""
    os.umask(0o077)  # only the own user can read what a command or the server writes
    _open_closed_streams()
    if isinstance(sys.stdout, TextIOWrapper):  # as standard error does with what no terminal shows
        sys.stdout.reconfigure(errors="backslashreplace")
    while True:
        try:
            app()
        except CallserverError as error:
            sys.exit(_failed(str(error)))
        except Exception as error:
            if _lost_a_race(error):
                continue
            if (told := _told(error)) is not None:
                sys.exit(_failed(told))
            # Here, because it imports both drivers.
            from callserver.database.unavailable import UNAVAILABLE, named

            error = named(error)
            if isinstance(error, TimeoutError) or not isinstance(error, UNAVAILABLE):
                if wrong := _wrong_values():
                    sys.exit(_failed(f"{wrong} ({type(error).__name__})"))
                raise
            why = getattr(error, "orig", error)  # prepared statements raise the driver's own
            sys.exit(_failed(f"the database cannot be used: {why}"))


def _open_closed_streams() -> None:
    """One that was closed beforehand (`>&-`) is None: it is empty, or takes what nobody reads."""
    nothing = Path(os.devnull)
    sys.stdin = sys.stdin or nothing.open()
    sys.stdout = sys.stdout or nothing.open("w")
    sys.stderr = sys.stderr or nothing.open("w")


def _lost_a_race(error: Exception) -> bool:
    """Whether another program got in the way of the command's first transaction, so that it runs again."""
    races = sys.modules.get("callserver.database.races")  # not there: it used no database
    return races is not None and bool(races.may_run_again(error))


def _told(error: Exception) -> str | None:
    """What a user can correct about an error of the system; None: it is another one."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, OSError) and error.errno in FULL:
        return f"a file, or what the command says, cannot be written: {error.strerror}"
    if isinstance(error, UnicodeEncodeError) and error.reason == "surrogates not allowed":
        return f"{error.object!a}: is not UTF-8"
    if isinstance(error, OverflowError):
        return f"a number or a date is too large: {error}"
    return None


def _wrong_values() -> str | None:
    """Whether the database that a command has used holds what no server writes; None: not, as far as is known."""
    if "callserver.database.engines" not in sys.modules:
        return None
    from callserver.database.engines import make_engine, reading, sqlite_path
    from callserver.database.wrong_values import wrong_values
    from callserver.settings import from_environment

    path = sqlite_path(database := from_environment().database)
    if path is None or not path.exists():
        return None
    engine = make_engine(database)
    try:
        with reading(engine) as tx:
            found = list(wrong_values(tx))
    finally:
        engine.dispose()
    if not found:
        return None
    return (
        f"{path} holds values that no server writes, in {', '.join(found)}: callserver audit verify and"
        " callserver audit reconcile name what was changed"
    )


def _failed(why: str) -> int:
    typer.secho(f"callserver: {why}", fg="red", err=True)
    return 2
