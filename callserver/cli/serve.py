"""`callserver serve` and `callserver scheduler`: the long-running processes."""

import asyncio
import signal
import socket
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import Annotated

import structlog
import typer

from callserver.adapters import file_modes, traces
from callserver.adapters.ticker import Ticker
from callserver.app import CONFIGURATION_LOOK_SECONDS, create, release_scheduler
from callserver.assemble import build
from callserver.cli import resources
from callserver.database import migrate as tables
from callserver.database import wake_ups
from callserver.database.engines import make_engine
from callserver.engine.audit_log import heads_file
from callserver.errors import ConfigurationProblem
from callserver.settings import SIMULATED, Settings, environment_of_commands, proxies

log = structlog.get_logger(__name__)

BACKLOG = 2048


def register(app: typer.Typer) -> None:
    app.command()(serve)
    app.command()(scheduler)
    app.command()(migrate)


def serve() -> None:
    """Serve the pages, the API and the provider's webhooks.

    Settings come from the environment and .env; docs/running.md lists them. With
    CALLSERVER_PROVIDER=simulated it also runs a network that calls nobody real.

    Example: callserver serve
    """
    import uvicorn

    settings = resources.settings()
    traces.start(environment_of_commands())
    listener = _bound(settings)  # first: a server that cannot listen changes no tables and no rules
    if settings.provider == SIMULATED:
        from callserver.cli import simulated_network

        asyncio.run(simulated_network.serve(settings, listener))
        return
    server = build(settings)

    class Serving(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            server.feed.stop()  # open streams would delay the stop; pages reconnect
            super().handle_exit(sig, frame)

    trusted = proxies(settings)
    for exposed in file_modes.exposed(settings):
        log.warning(
            "file_too_open", file=str(exposed.path), mode=exposed.mode, remedy=exposed.remedy
        )
    log.info("listening", host=settings.host, port=settings.port, public=settings.public_url)
    Serving(
        uvicorn.Config(
            create(server),
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(trusted),
            forwarded_allow_ips=trusted,
            timeout_graceful_shutdown=15,
        )
    ).run(sockets=[listener])


def _bound(settings: Settings) -> socket.socket:
    """The socket to listen on.

    Raises:
        ConfigurationProblem: host or port cannot be used.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        where = f"CALLSERVER_HOST={settings.host}, CALLSERVER_PORT={settings.port}"
        why = error.strerror or str(error)
        raise ConfigurationProblem(f"{where}: cannot listen there: {why}") from None
    return listener


def scheduler() -> None:
    """Run only the scheduler, beside servers with CALLSERVER_SCHEDULER=no.

    For PostgreSQL, where several servers share a database.

    Example: callserver scheduler
    """
    asyncio.run(_run_scheduler())


async def _run_scheduler() -> None:
    traces.start(environment_of_commands())
    server = build(resources.settings())
    ticker = Ticker(server.scheduler.tick, server.clock)
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await server.rules_in_force.start()
    await server.scheduler.start()
    ticker.every(CONFIGURATION_LOOK_SECONDS, server.rules_in_force.look)
    ticker.start(woken_by=partial(wake_ups.watch, server.store))
    log.info("scheduler_started")
    await ended.wait()
    await ticker.stop()
    await server.ctx.background.stop(10)
    await release_scheduler(server)
    await asyncio.to_thread(server.store.close)
    await server.http.aclose()
    await server.orders.close()
    await traces.flush()


def migrate(
    to: Annotated[
        str, typer.Option(help="An older revision: where its tables hold everything that is stored")
    ] = "",
) -> None:
    """Bring the database's tables up to date; `serve` does so too.

    With --to, bring them back to an older version, for a downgrade. Stop every server first. Where the older
    tables have no place for something, nothing is changed: restore the backup that was made before the
    upgrade instead.

    Example: callserver migrate
             callserver migrate --to 0030
    """
    if not to:
        with resources.database(any_key=True):
            print("the database is up to date")
        return
    settings = resources.settings()
    engine = make_engine(settings.database, secret=settings.key.encode())
    try:
        tables.downgrade_without_loss(engine, to)
    finally:
        engine.dispose()
    if to < tables.SHORT_HEADS and settings.seals.exists():
        with suppress(ValueError):  # a server moves an unreadable file aside
            heads_file.lengthen(settings.seals)
    print(f"the tables are those of revision {to}: start the version that knows it")
