"""`callserver migrate`: the database's tables. A module of its own, because it needs nothing of a server."""

from contextlib import suppress
from typing import Annotated

import typer

from callserver.cli import resources, running_servers
from callserver.database import migrate as tables
from callserver.database.engines import make_engine
from callserver.engine.audit_log import heads_file


def register(app: typer.Typer) -> None:
    app.command()(migrate)


def migrate(
    to: Annotated[
        str, typer.Option(help="an older revision: where its tables hold everything that is stored")
    ] = "",
) -> None:
    """Bring the database's tables up to date; `serve` does so too.

    With --to, bring them back to an older version, for a downgrade. Stop every server first: it
    refuses while one runs. Where the older tables have no place for something, nothing is changed: restore the
    backup that was made before the upgrade instead.

    Example: callserver migrate
             callserver migrate --to 0030
    """
    if not to:
        with resources.database(any_state=True):
            print("the database is up to date")
        return
    settings = resources.settings()
    engine = make_engine(settings.database, secret=settings.key.encode())
    try:
        if tables.is_current(engine):  # the lease is read in this version's tables
            running_servers.refuse(engine, watch=bool(settings.clock))
        tables.downgrade_without_loss(engine, to)
    finally:
        engine.dispose()
    if to < tables.SHORT_HEADS and settings.seals.exists():
        with suppress(ValueError):  # a server moves an unreadable file aside
            heads_file.lengthen(settings.seals)
    print(f"the tables are those of revision {to}: start the version that knows it")
