"""`callserver serve` and `callserver scheduler`: the long-running processes."""

import asyncio
import signal
import socket
from types import FrameType

import structlog
import typer
from starlette.applications import Starlette

from callserver.adapters import file_modes, traces
from callserver.app import create, create_scheduler
from callserver.assemble import build
from callserver.cli import resources
from callserver.errors import ConfigurationProblem
from callserver.settings import SIMULATED, environment_of_commands, proxies

log = structlog.get_logger(__name__)

BACKLOG = 2048


def register(app: typer.Typer) -> None:
    app.command()(serve)
    app.command()(scheduler)


def serve() -> None:
    """Serve the pages, the API and the provider's webhooks.

    Settings come from the environment and .env; docs/running.md lists them. With
    CALLSERVER_PROVIDER=simulated it also runs a network that calls nobody real.

    Example: callserver serve
    """
    import uvicorn

    settings = resources.settings()
    traces.start(environment_of_commands())
    # First: a server that cannot listen changes no tables and no rules.
    listener = _bound(settings.host, settings.port, "CALLSERVER_PORT")
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


def _bound(host: str, port: int, named: str) -> socket.socket:
    """The socket to listen on. `named`: the port's variable.

    Raises:
        ConfigurationProblem: host or port cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        where = f"CALLSERVER_HOST={host}, {named}={port}"
        why = error.strerror or str(error)
        raise ConfigurationProblem(f"{where}: cannot listen there: {why}") from None
    return listener


def scheduler() -> None:
    """Run only the scheduler, beside servers with CALLSERVER_SCHEDULER=no.

    For PostgreSQL, where several servers share a database. With CALLSERVER_SCHEDULER_PORT it answers /livez,
    /readyz and /metrics there.

    Example: callserver scheduler
    """
    settings = resources.settings()
    traces.start(environment_of_commands())
    port = settings.scheduler_port
    listener = _bound(settings.host, port, "CALLSERVER_SCHEDULER_PORT") if port else None
    app = create_scheduler(build(settings))
    if listener is None:
        asyncio.run(_until_ended(app))
        return
    import uvicorn

    log.info("listening", host=settings.host, port=port)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
    )
    uvicorn.Server(config).run(sockets=[listener])


async def _until_ended(app: Starlette) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with app.router.lifespan_context(app):
        await ended.wait()
