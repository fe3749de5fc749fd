"""The command `callserver`: each file of this folder adds its own commands."""

import os
import sys

import typer
from sqlalchemy.exc import OperationalError

from callserver import log, settings
from callserver.errors import CallserverError

app = typer.Typer(
    name="callserver",
    help="Outbound call server of a charity's telemarketing house: one gate, asked at every dial.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _register() -> None:
    from callserver.cli import (
        asterisk,
        audit,
        configuration,
        contacts,
        demo,
        explain,
        person,
        refused,
        rules,
        serve,
        simulate,
        suppress,
        users,
        why,
    )

    for module in (
        configuration,
        rules,
        contacts,
        suppress,
        person,
        refused,
        explain,
        why,
        audit,
        users,
        simulate,
        demo,
        serve,
        asterisk,
    ):
        module.register(app)


def main() -> None:
    """Run one command; an error that a person can mend is one sentence and exit code 2."""
    os.umask(0o077)  # whatever a command or the server writes is its own user's only
    _register()
    try:
        found = settings.from_environment()
        settings.check_key(found)
        log.set_up(found.log_level)
        app()
    except CallserverError as error:
        sys.exit(_said(str(error)))
    except OperationalError as error:  # not reached, not let in, locked, full
        sys.exit(_said(f"the database cannot be used: {error.orig}"))


def _said(why: str) -> int:
    typer.secho(f"callserver: {why}", fg="red", err=True)
    return 2
