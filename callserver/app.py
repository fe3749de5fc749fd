"""The Starlette app: the provider's webhooks, the console, and their lifespan."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

import structlog
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.routing import Route

from callserver.adapters import traces
from callserver.adapters.asterisk.softphones import Softphones
from callserver.adapters.book_files import BookFiles
from callserver.adapters.ticker import Ticker
from callserver.assemble import Server
from callserver.console import authentication, problems
from callserver.console.accounts.api import AccountsApi
from callserver.console.accounts.confirming import ConfirmingApi
from callserver.console.accounts.leaving import LeavingApi
from callserver.console.api import Api, PageApi
from callserver.console.applicants.api import ApplicantsApi
from callserver.console.applicants.interviewer import InterviewerApi
from callserver.console.books.api import BooksApi
from callserver.console.cases.api import CasesApi
from callserver.console.floor.api import FloorApi
from callserver.console.floor.live_floor import LiveFloor
from callserver.console.floor.missing_outcomes import MissingOutcomesApi
from callserver.console.floor.refused_numbers import RefusedNumbersApi
from callserver.console.headers import Headers
from callserver.console.listening.api import ListeningApi
from callserver.console.lists.api import ListsApi
from callserver.console.lists.removal import RemovalApi
from callserver.console.live import Live
from callserver.console.live_updates import LiveUpdates
from callserver.console.log.api import LogApi
from callserver.console.notices.api import NoticesApi
from callserver.console.operations.health import Health
from callserver.console.operations.metrics import Metrics
from callserver.console.own_seats import OwnSeats
from callserver.console.pages import Pages
from callserver.console.person.api import PersonApi
from callserver.console.phone.api import PhoneApi
from callserver.console.phone.card import CardApi
from callserver.console.phone.live_seat import LiveSeat
from callserver.console.phone.own_calls import OwnCallsApi
from callserver.console.phone.shift import ShiftApi
from callserver.console.phone.simulated_telephone import SimulatedTelephoneApi, Telephones
from callserver.console.phone.softphone import SoftphoneApi, SoftphoneOffer, connects
from callserver.console.reports.api import ReportsApi
from callserver.console.role_play.api import RolePlayApi
from callserver.console.role_play.player_softphones import PlayerSoftphones
from callserver.console.rules.api import RulesApi
from callserver.console.sign_in.api import SignInApi
from callserver.console.support.api import SupportApi
from callserver.console.support.call_in_hand import CallInHand
from callserver.console.support.live_support import LiveMySupport, LiveSupport
from callserver.console.suppressions.api import SuppressionsApi
from callserver.console.suppressions.consents import ConsentsApi
from callserver.console.suppressions.export import OptOutExportApi
from callserver.console.suppressions.files import SuppressionFilesApi
from callserver.console.suppressions.lifts import LiftsApi
from callserver.console.suppressions.receipts import ReceiptsApi
from callserver.console.suppressions.register_review import RegisterReviewApi
from callserver.console.survey.api import SurveyApi
from callserver.console.training.api import TrainingApi
from callserver.console.training.team import TrainingTeamApi
from callserver.console.who_called.api import WhoCalledApi
from callserver.console.who_called.person_facts import PersonFactsApi
from callserver.database import wake_ups
from callserver.database.unavailable import UNAVAILABLE
from callserver.engine.listening.feedback import ListeningFeedback
from callserver.engine.rate_limits import RateLimits
from callserver.engine.reporting.notice_delivery import NoticeDelivery
from callserver.engine.reporting.outage_notices import OutageNotices
from callserver.engine.shifts.supervisor_actions import SupervisorActions
from callserver.engine.write_probe import WriteProbe
from callserver.errors import CallserverError
from callserver.garbage import frozen_heap
from webhooks.routes import Webhooks

log = structlog.get_logger(__name__)

CONFIGURATION_LOOK_SECONDS = 2
FLUSH_SECONDS = 20
OUTAGE_LOOK_SECONDS = 15
TIME_LOOK_SECONDS = 15

RECOVER_SECONDS = 1
"""How soon a process without the scheduler asks about everything once the database is back."""

RELEASE_SECONDS = 3
"""How long a stopping server tries to release the scheduler's lease."""

FLUSH_AT_END_SECONDS = 3
"""How long a stopping server tries to record the counts of refused requests."""

DRAIN_SECONDS = 10
"""How long a stopping server waits for the scheduler and for orders under way."""


def create(server: Server, *, ticking: bool = True, played: Telephones | None = None) -> Starlette:
    """The app. `ticking`: run the scheduler by the clock; a simulated evening runs it itself.

    `played`: a network that plays the browsers' telephones (the demonstration's).
    """

    ticker = Ticker(server.scheduler.tick, server.clock)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await server.rules_in_force.start()
        ticker.every(CONFIGURATION_LOOK_SECONDS, server.rules_in_force.look)
        if server.settings.scheduler:
            _watch_for_outages(server, ticker)
        else:
            ticker.every(RECOVER_SECONDS, server.scheduler.recover)
        ticker.every(FLUSH_SECONDS, server.refused_requests.flush)
        _compare_clocks(server, ticker)
        if ticking and server.settings.scheduler:
            await server.scheduler.start()
        if ticking:
            ticker.start(
                scheduling=server.settings.scheduler, woken_by=partial(wake_ups.watch, server.store)
            )
            for stream in events.values():
                stream.start()
        log.info("started", revision=server.ctx.rules.current.revision)
        try:
            with frozen_heap():
                yield
        finally:
            drained_by = asyncio.get_running_loop().time() + DRAIN_SECONDS
            await ticker.stop()
            await asyncio.gather(*(stream.stop() for stream in events.values()))
            await server.ctx.background.stop(drained_by - asyncio.get_running_loop().time())
            with contextlib.suppress(*UNAVAILABLE):
                async with asyncio.timeout(FLUSH_AT_END_SECONDS):
                    await server.refused_requests.flush(everything=True)
            if ticking and server.settings.scheduler:
                await release_scheduler(server)
            await asyncio.to_thread(server.store.close)
            await server.http.aclose()
            await server.orders.close()
            await traces.flush()

    own = {} if server.exchanges is None else server.exchanges.each
    events = {
        name: exchange.events(server.provider_events, server.scheduler.start)
        for name, exchange in own.items()
    }

    authenticator = authentication.Authenticator(server.ctx, server.authentication, server.settings)
    api = Api(page_apis(server, authenticator, played), authenticator)
    pages = Pages(authenticator, server.feed, connects(server.settings, _softphones(server)))

    webhooks = Webhooks(server.settings, server.provider_events, server.refused_requests)
    app = Starlette(
        routes=[
            *([] if own else webhooks.routes()),
            *api.routes(),
            *operations(server, ticker),
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
        middleware=[*traces.middleware(), Middleware(Headers)],
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # a redirect would go to the host that the request names
    app.state.events = events  # by the exchange's name; read by tests
    return app


def create_scheduler(server: Server) -> Starlette:
    """The scheduler as a process of its own: it shows its health and figures, and nothing else."""
    ticker = Ticker(server.scheduler.tick, server.clock)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await server.rules_in_force.start()
        await server.scheduler.start()
        ticker.every(CONFIGURATION_LOOK_SECONDS, server.rules_in_force.look)
        _watch_for_outages(server, ticker)
        _compare_clocks(server, ticker)
        ticker.start(woken_by=partial(wake_ups.watch, server.store))
        log.info("scheduler_started")
        try:
            yield
        finally:
            await ticker.stop()
            await server.ctx.background.stop(DRAIN_SECONDS)
            await release_scheduler(server)
            await asyncio.to_thread(server.store.close)
            await server.http.aclose()
            await server.orders.close()
            await traces.flush()

    return Starlette(
        routes=operations(server, ticker), middleware=[Middleware(Headers)], lifespan=lifespan
    )


def _compare_clocks(server: Server, ticker: Ticker) -> None:
    if server.compare_clocks is not None:
        ticker.every(TIME_LOOK_SECONDS, server.compare_clocks)


def _watch_for_outages(server: Server, ticker: Ticker) -> None:
    """Where alarms are sent outside: send one when the scheduler itself cannot run."""
    if delivery := NoticeDelivery(server.alarm_channels):
        outages = OutageNotices(server.ctx, delivery, lambda: ticker.stalled_for)
        ticker.every(OUTAGE_LOOK_SECONDS, outages.look)


def operations(server: Server, ticker: Ticker) -> list[Route]:
    """Whether the process lives and can do its work, and its figures."""
    probe = WriteProbe(server.ctx)
    health = Health(server.ctx, ticker, probe)
    token = server.settings.metrics_token
    metrics = Metrics(server.ctx, ticker, probe, token, server.scheduler.owner)
    return [
        Route("/livez", health.live),
        Route("/readyz", health.ready),
        Route("/healthz", health.ready),
        Route("/metrics", metrics.scrape),
    ]


def _softphones(server: Server) -> Mapping[str, Softphones]:
    """The softphones of each exchange; none with another provider."""
    return {} if server.exchanges is None else server.exchanges.softphones


async def release_scheduler(server: Server) -> None:
    """Release the scheduler's lease, if the database can be reached."""
    with contextlib.suppress(*UNAVAILABLE):
        async with asyncio.timeout(RELEASE_SECONDS):
            await server.scheduler.release()


def page_apis(
    server: Server, authenticator: authentication.Authenticator, played: Telephones | None = None
) -> list[PageApi]:
    """The pages' parts of the API, and the stream of their updates."""
    pacing = RateLimits(server.ctx)
    phoner = PhoneApi(server.ctx, server.phoner_actions, server.manual_dial, pacing)
    floor = FloorApi(server.ctx, SupervisorActions(server.ctx))
    listening = ListeningApi(
        server.ctx, server.listening_sessions, ListeningFeedback(server.ctx, server.listener_legs)
    )
    rules = RulesApi(
        server.ctx, server.rules_in_force, server.rule_proposals, server.settings.database
    )
    offer = SoftphoneOffer(
        server.ctx, server.settings, _softphones(server), played=played is not None
    )
    leaving = LeavingApi(server.ctx)
    confirming = ConfirmingApi(server.ctx)
    cases = CasesApi(server.ctx, pacing)
    book_files = BookFiles(server.settings.config)
    training = TrainingApi(server.ctx, book_files)
    applicants = ApplicantsApi(server.ctx, server.hiring)
    survey = SurveyApi(server.ctx)
    notices = NoticesApi(server.ctx)
    support = SupportApi(server.ctx, server.harassment_reports)
    lists = ListsApi(server.ctx, server.uploads, server.settings)
    opt_outs = SuppressionsApi(server.ctx, pacing)
    own_seats = OwnSeats()
    live_updates = LiveUpdates(
        server.feed,
        server.ctx.store,
        [
            LiveSeat(server.ctx, own_seats),
            CallInHand(server.ctx, own_seats),
            LiveFloor(server.ctx),
        ],
        [
            *(listening, rules, lists, cases, applicants, leaving, confirming),
            *(survey, notices, training, LiveMySupport(support), LiveSupport(support)),
        ],
    )
    players = PlayerSoftphones(server.role_play_legs, offer, played)
    return [
        phoner,  # by far the most frequent: matched first
        SignInApi(server.ctx, server.authentication, authenticator),
        ShiftApi(server.ctx, server.line_confirmation),
        CardApi(server.ctx),
        OwnCallsApi(server.ctx),
        SoftphoneApi(offer),
        *([] if played is None else [SimulatedTelephoneApi(played, authenticator)]),
        BooksApi(server.ctx, book_files),
        survey,
        notices,
        training,
        TrainingTeamApi(server.ctx),
        support,
        floor,
        RefusedNumbersApi(server.ctx),
        MissingOutcomesApi(server.ctx),
        listening,
        WhoCalledApi(server.ctx, pacing),
        cases,
        applicants,
        InterviewerApi(server.ctx, players, authenticator),
        RolePlayApi(server.ctx, players, authenticator),
        PersonApi(server.ctx, server.settings, pacing),
        PersonFactsApi(server.ctx, server.uploads, server.forgotten_files),
        ReportsApi(server.ctx),
        LogApi(server.ctx, server.settings),
        rules,
        lists,
        RemovalApi(server.ctx),
        AccountsApi(server.ctx, server.account_administration, server.line_confirmation),
        confirming,
        leaving,
        opt_outs,
        SuppressionFilesApi(server.ctx, server.uploads, server.settings),
        ConsentsApi(server.ctx, server.uploads, server.settings),
        LiftsApi(server.ctx, opt_outs),
        OptOutExportApi(server.ctx, server.settings),
        ReceiptsApi(server.ctx, server.settings, pacing),
        RegisterReviewApi(server.ctx, pacing),
        Live(live_updates, authenticator, pacing),
    ]
