"""One Starlette app from the two doors, the provider's and the people's, and its lifespan."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from callserver.adapters.ticker import Ticker
from callserver.assemble import Server
from callserver.console import problems, signed_in
from callserver.console.api import Api, Room
from callserver.console.books import Books
from callserver.console.card import CardRoom
from callserver.console.evening import EveningRoom
from callserver.console.floor import Floor
from callserver.console.headers import Headers
from callserver.console.health import Health
from callserver.console.lifting import LiftingRoom
from callserver.console.listening import Ears
from callserver.console.lists import Lists
from callserver.console.live import Live
from callserver.console.log import Log
from callserver.console.pages import Pages
from callserver.console.person_facts import PersonFacts
from callserver.console.phoner import Phoner
from callserver.console.played import Played, Telephones
from callserver.console.refused_numbers import RefusedNumbers
from callserver.console.reports import Reports
from callserver.console.rules import RulesRoom
from callserver.console.shift import ShiftRoom
from callserver.console.sign_in import SignIn
from callserver.console.softphone import Softphone, connects
from callserver.console.staff import StaffRoom
from callserver.console.suppressions import Suppressions
from callserver.console.who import Who
from callserver.database.store import UNAVAILABLE
from callserver.engine.by_hand import ByHand
from callserver.engine.door import Door
from callserver.engine.heard import Heard
from callserver.engine.leading import Leading
from callserver.engine.pacing import Pacing
from callserver.errors import CallserverError
from webhooks.routes import routes as webhook_routes

log = structlog.get_logger(__name__)

CONFIGURATION_LOOK_SECONDS = 2
TALLY_SECONDS = 20

MAKE_UP_SECONDS = 1
"""How soon a process without upkeep asks about everything once the database is back."""

RELEASE_SECONDS = 3
"""How long a stopping server tries to let upkeep's lease go."""

DRAIN_SECONDS = 10
"""How long a stopping server waits for orders that are under way."""


def create(server: Server, *, ticking: bool = True, played: Telephones | None = None) -> Starlette:
    """The app. `ticking`: run upkeep by the clock; a simulated evening runs it itself.

    `played`: a network that plays the browsers' telephones (the demonstration's).
    """

    ticker = Ticker(server.upkeep.tick, server.clock)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await server.revising.start()
        ticker.every(CONFIGURATION_LOOK_SECONDS, server.revising.look)
        if not server.settings.upkeep:
            ticker.every(MAKE_UP_SECONDS, server.upkeep.make_up)
        ticker.every(TALLY_SECONDS, server.tally.flush)
        if ticking and server.settings.upkeep:
            await server.upkeep.start()
        if ticking:
            ticker.start(upkeep=server.settings.upkeep)
            if events is not None:
                events.start()
        log.info("started", revision=server.ours.rules.current.revision)
        # All that is here now stays: looking through it for rubbish, as Python does now and then,
        # would stop every request for a tenth of a second.
        gc.collect()
        gc.freeze()
        try:
            yield
        finally:
            gc.unfreeze()
            await ticker.stop()
            if events is not None:
                await events.stop()
            await server.ours.background.stop(DRAIN_SECONDS)
            with contextlib.suppress(*UNAVAILABLE):
                await server.tally.flush(everything=True)
            if ticking and server.settings.upkeep:
                await released(server)
            await asyncio.to_thread(server.store.close)
            await server.http.aclose()

    door = Door(
        server.tally,
        server.call_flow,
        server.rooms,
        server.inbound,
        server.listener_legs,
        server.confirming,
        server.upkeep.missed,
    )

    own = server.exchange
    events = None if own is None else own.events(door, server.upkeep.start)

    people = signed_in.Door(server.ours, server.accounts, server.settings)
    api = Api(_rooms(server, people, played), people)
    softphones = None if own is None else own.softphones
    pages = Pages(people, connects(server.settings, softphones))

    health = Health(server.ours, ticker)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    app = Starlette(
        routes=[
            *([] if own else webhook_routes(server.settings, door)),
            Route("/healthz", health.answer),
            Route("/metrics", metrics),
            *api.routes(),
            *pages.routes(),
        ],
        exception_handlers={
            CallserverError: problems.on_error,
            **dict.fromkeys(UNAVAILABLE, problems.on_unavailable),
            ClientDisconnect: problems.on_disconnect,
            ValidationError: problems.on_invalid,
            HTTPException: pages.on_http,
            Exception: problems.on_crash,
        },
        middleware=[Middleware(Headers)],
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # it would send people to the host that the request names
    app.state.events = events  # whether the exchange is heard: for health and tests
    return app


async def released(server: Server) -> None:
    """Let another process take upkeep over, if the database can be told."""
    with contextlib.suppress(*UNAVAILABLE):
        async with asyncio.timeout(RELEASE_SECONDS):
            await server.upkeep.release()


def _rooms(server: Server, people: signed_in.Door, played: Telephones | None = None) -> list[Room]:
    """The rooms of the people's door, and the stream that tells what happens in them."""
    pacing = Pacing(server.ours)
    phoner = Phoner(server.ours, server.phoning, ByHand(server.ours, server.dialer), pacing)
    floor = Floor(server.ours, server.dialer, Leading(server.ours))
    ears = Ears(server.ours, server.listening, Heard(server.ours, server.listener_legs))
    rules = RulesRoom(server.ours, server.revising, server.proposing, server.settings.database)
    lists = Lists(server.ours, server.dialer, server.uploads, server.settings)
    opt_outs = Suppressions(server.ours, server.uploads, server.settings, pacing)
    return [
        SignIn(server.ours, server.accounts, people),
        ShiftRoom(server.ours, server.confirming),
        phoner,
        CardRoom(server.ours),
        EveningRoom(server.ours),
        Softphone(
            server.settings,
            None if server.exchange is None else server.exchange.softphones,
            played=played is not None,
        ),
        *([] if played is None else [Played(played, people)]),
        Books(server.ours),
        floor,
        RefusedNumbers(server.ours, server.dialer),
        ears,
        Who(server.ours, server.call_flow, pacing),
        PersonFacts(server.ours, server.call_flow),
        Reports(server.ours),
        Log(server.ours, server.settings),
        rules,
        lists,
        StaffRoom(server.ours, server.staff, server.confirming),
        opt_outs,
        LiftingRoom(server.ours, opt_outs),
        Live(
            server.feed, people, [room.tell for room in (phoner, floor, ears, rules, lists)], pacing
        ),
    ]
