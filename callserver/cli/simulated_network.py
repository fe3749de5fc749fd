"""`callserver serve` with CALLSERVER_PROVIDER=simulated: the server, and a network that calls nobody real.

Lists, accounts and rules are the installation's own. Every browser has a simulated telephone, and the
called people are invented, whatever numbers are on the lists.
"""

import asyncio
import contextlib
import signal
import socket
from zoneinfo import ZoneInfo

from callserver.app import create
from callserver.assemble import build
from callserver.cli.simulated_stack import (
    ACCOUNT,
    TOKEN,
    address,
    listening,
    network,
    running,
    serving,
)
from callserver.settings import Settings, proxies
from callserver.simulator.visitors import FIRST_HOUR


class Browsers:
    """The telephones of all browsers, including those of future accounts."""

    def __contains__(self, line: object) -> bool:
        return isinstance(line, str) and line.startswith("client:")


async def serve(settings: Settings, listener: socket.socket) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    url, network_listener = f"http://127.0.0.1:{settings.port}", listening()
    server = build(_with_network(address(network_listener), url, settings))
    world = network(server.clock, url, settings.calls_per_second)
    now = server.clock.now().astimezone(ZoneInfo("Europe/Copenhagen"))
    async with (
        running(world, network_listener),
        serving(create(server, played=world.visitors), listener, proxies(settings)),
    ):
        world.start_shifts([], 24 * 365, visitors=Browsers(), visitor_calls=FIRST_HOUR)
        with contextlib.suppress(OSError):  # a full disk or a closed pipe must not stop the server
            print(
                f"callserver is at {url}; the network is simulated: nobody real is called",
                f"its clock shows {now:%A %Y-%m-%d %H:%M} (Copenhagen); Ctrl-C ends it",
                sep="\n",
                flush=True,
            )
        await ended.wait()
        world.visitors.stop()
        server.feed.stop()  # open streams would delay the stop


def _with_network(network_url: str, url: str, settings: Settings) -> Settings:
    """The settings of a server whose provider is the simulated network."""
    return settings.model_copy(
        update={
            "public_url": url,
            "account_sid": ACCOUNT,
            "auth_token": TOKEN,
            "api_key": "",
            "api_secret": "",
            "app_sid": "",
            "region": "",
            "edge": "",
            "api_url": network_url,
        }
    )
