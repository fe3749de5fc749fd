"""Every object is made here, once: settings in, a Server out. Nothing is built at import."""

import secrets
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import httpx
from twilio.http import AsyncHttpClient

from callserver import exchange, key_check, log_check, start_checks
from callserver.adapters import alarm_channels, disk
from callserver.adapters import messages as message_routes
from callserver.adapters.clock import clock_from
from callserver.adapters.config_folder import ConfigFolder
from callserver.adapters.log_copies import OperatorsCommand, read_witnesses
from callserver.adapters.measured_telephony import MeasuredTelephony
from callserver.adapters.messages import MessageFolder
from callserver.adapters.timestamps import TimestampAuthority
from callserver.adapters.twilio.client import order_client
from callserver.adapters.twilio.telephony import Twilio
from callserver.adapters.uploads import Uploads
from callserver.database import migrate
from callserver.database.engines import reading, sqlite_path
from callserver.database.store import AnyStore, open_store
from callserver.domain.call_budgets import of_trunks
from callserver.domain.retention import RetentionClass
from callserver.engine import restoring
from callserver.engine.accounts.administration import AccountAdministration
from callserver.engine.accounts.authentication import Authentication
from callserver.engine.accounts.offboarding import Offboarding
from callserver.engine.accounts.password_hashing import PasswordHashing
from callserver.engine.applicants.decisions import Hiring
from callserver.engine.applicants.role_play_legs import RolePlayLegs
from callserver.engine.audit_log import sealing
from callserver.engine.audit_log.feed import Feed
from callserver.engine.audit_log.nightly_reconciliation import NightlyReconciliation
from callserver.engine.audit_log.publication import Publication, seal_and_publish
from callserver.engine.audit_log.published_log import origin_of
from callserver.engine.audit_log.publishing import Publisher
from callserver.engine.audit_log.refused_requests import RefusedRequests
from callserver.engine.calls.call_flow import CallFlow
from callserver.engine.calls.hangups import Hangups
from callserver.engine.calls.inbound import Inbound
from callserver.engine.calls.phoner_legs import PhonerLegs
from callserver.engine.calls.reconciliation import Reconciliation
from callserver.engine.cases.messages import ForgottenFiles, MessageDelivery
from callserver.engine.chores import Chore
from callserver.engine.context import EngineContext, Rules
from callserver.engine.dialing.dialer import Dialer
from callserver.engine.dialing.line_confirmation import LineConfirmation
from callserver.engine.dialing.manual_dial import ManualDial
from callserver.engine.follow_ups import FollowUps
from callserver.engine.listening.leg_orders import ListenerLegOrders
from callserver.engine.listening.legs import ListenerLegs
from callserver.engine.listening.room_clearing import RoomClearing
from callserver.engine.listening.room_events import RoomEvents
from callserver.engine.listening.sessions import ListeningSessions
from callserver.engine.outcomes.missing_outcomes import EarlierMissingOutcomes
from callserver.engine.outcomes.wishes import Wishes
from callserver.engine.reporting.alarm_notices import AlarmNotices
from callserver.engine.retention import Retention
from callserver.engine.rules.beginning import beginning
from callserver.engine.rules.in_force import RulesInForce
from callserver.engine.rules.proposals import RuleProposals
from callserver.engine.scheduler import Scheduler
from callserver.engine.shifts.phoner_actions import PhonerActions
from callserver.engine.support.harassment import HarassmentReports
from callserver.engine.suppressions import register_matching
from callserver.engine.surveys.envelopes import PrivateKeys
from callserver.engine.surveys.quarters import SurveyQuarters
from callserver.engine.table_rewrites import TableRewrites
from callserver.ports import AlarmChannel, Clock, Messages, Telephony
from callserver.provider_events import ProviderEvents
from callserver.setting_values import trunk_rates
from callserver.settings import (
    Settings,
    allowed_sip_hosts,
    environment_of_commands,
    published_folder,
    survey_keys,
)


@dataclass(frozen=True, slots=True)
class Server:
    """The parts that webhooks, console, ticker and commands need."""

    settings: Settings
    store: AnyStore
    clock: Clock
    ctx: EngineContext
    call_flow: CallFlow
    dialer: Dialer
    hangups: Hangups
    manual_dial: ManualDial
    phoner_legs: PhonerLegs
    phoner_actions: PhonerActions
    harassment_reports: HarassmentReports
    inbound: Inbound
    line_confirmation: LineConfirmation
    listener_legs: ListenerLegs
    listening_sessions: ListeningSessions
    wishes: Wishes
    reconciliation: Reconciliation
    scheduler: Scheduler
    provider_events: ProviderEvents
    authentication: Authentication
    account_administration: AccountAdministration
    hiring: Hiring
    role_play_legs: RolePlayLegs
    refused_requests: RefusedRequests
    feed: Feed
    uploads: Uploads
    forgotten_files: ForgottenFiles
    rules_in_force: RulesInForce
    rule_proposals: RuleProposals
    http: httpx.AsyncClient
    orders: AsyncHttpClient
    exchanges: exchange.Exchanges | None
    alarm_channels: Sequence[AlarmChannel]
    compare_clocks: Callable[[], Awaitable[None]] | None  # None: the carrier tells no time


def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    http: httpx.AsyncClient | None = None,
    orders: AsyncHttpClient | None = None,
    inline: bool = False,
    durable: bool = True,
    token: Callable[[], str] | None = None,
    telephony: Telephony | None = None,
    messages: Messages | None = None,
) -> Server:
    """Make everything.

    `inline`, `clock`, `http`, `orders` and `token` are what a simulated evening replaces: transactions in
    the caller's thread, virtual time, an in-process network, seeded ids.

    Raises:
        ConfigurationProblem: settings or configuration files cannot be used.
    """
    start_checks.settings_suffice(settings)
    _make_folder(settings.database)
    start_checks.pooler_fits(settings)
    store = open_store(
        settings.database,
        pooler=settings.pooler,
        inline=inline,
        durable=durable,
        secret=settings.key.encode(),
    )
    migrate.upgrade(store.engine)
    if clock is None:
        with reading(store.engine) as connection:
            clock = clock_from(settings.clock, connection)
    folder = ConfigFolder(settings.config)
    with store.engine.begin() as tx:
        start_checks.database_fits(tx, settings, clock)
        log_check.log_is_whole(tx, settings)
        key_check.key_fits(tx, settings)
        sealing.continues_log(tx, settings.seal_key)
        configuration = beginning(tx, folder)
    # However many orders wait for an answer, a hang-up waits for no connection.
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
    client = http or httpx.AsyncClient(timeout=10, limits=limits)
    rules = Rules(configuration)
    own = exchange.build(settings, clock, client, store, rules)
    orders = orders or order_client(settings, http, clock)
    network = Twilio(settings, clock, orders) if own is None else own.telephony
    ctx = EngineContext(
        store=store,
        clock=clock,
        telephony=MeasuredTelephony(telephony or network),
        rules=rules,
        secret=settings.key.encode(),
        budgets=of_trunks(settings.calls_per_second, trunk_rates(settings.trunk_rates)),
        token=token or (lambda: secrets.token_hex(10)),
        disk_free=lambda: disk.free_bytes(settings),
        sip_hosts=allowed_sip_hosts(settings),
        exchanges=[] if own is None else own.names,
        has_exchange=own is not None,
    )
    call_flow = CallFlow(ctx)
    listener_orders = ListenerLegOrders(ctx)
    listener_legs = ListenerLegs(ctx, listener_orders)
    clearing = RoomClearing(ctx, listener_legs)
    dialer = Dialer(ctx, call_flow, clearing)
    phoner_legs = PhonerLegs(ctx)
    line_confirmation = LineConfirmation(ctx, call_flow)
    hangups = Hangups(ctx)
    role_play_legs = RolePlayLegs(ctx)
    message_folder = MessageFolder(settings.messages)
    routes = messages or message_routes.build(settings, client, message_folder)
    channels = alarm_channels.build(settings, client, routes)
    delivery = MessageDelivery(store, clock, routes)
    forgotten_files = ForgottenFiles(store, message_folder)
    store.send = FollowUps(
        ctx.background,
        dialer,
        hangups,
        phoner_legs,
        listener_orders,
        line_confirmation,
        delivery,
        role_play_legs,
    ).start
    wishes = Wishes(ctx)
    reconciliation = Reconciliation(ctx, call_flow)
    rules_in_force = RulesInForce(ctx, folder)
    uploads = Uploads(settings.uploads)
    refused_requests = RefusedRequests(ctx)
    sign_in = Authentication(ctx, PasswordHashing(), refused_requests)
    account_administration = AccountAdministration(ctx, sign_in.hashing)
    inbound = Inbound(ctx, wishes)
    survey_quarters = SurveyQuarters(ctx, PrivateKeys(survey_keys(settings)))
    sealer = sealing.Sealer(
        store,
        clock,
        settings.seal_key,
        settings.seals,
        lambda tx: restoring.pause_undeclared(tx, rules.current.campaigns, clock.now()),
    )
    publication = _publication(settings, ctx, client, durable=durable)

    scheduler = Scheduler(
        ctx,
        reconciliation,
        phoner_legs,
        Offboarding(ctx),
        listener_legs,
        role_play_legs,
        partial(seal_and_publish, sealer, publication),
        uuid.uuid4().hex,
        [
            Chore(
                Retention(
                    ctx,
                    {
                        RetentionClass.UPLOADS: uploads.drop_older,
                        RetentionClass.CASES: message_folder.drop_older,
                    },
                ).run
            ),
            Chore(forgotten_files.run),
            Chore(register_matching.CatchUp(ctx, settings.database).run),
            Chore(NightlyReconciliation(ctx, settings.database).run),
            Chore(TableRewrites(ctx, settings.database).run),
            Chore(AlarmNotices(ctx, channels).look, every=timedelta(seconds=30), apart=True),
            Chore(survey_quarters.run),
            Chore(EarlierMissingOutcomes(ctx).run, every=timedelta(days=1)),
        ],
    )
    return Server(
        settings=settings,
        store=store,
        clock=clock,
        ctx=ctx,
        call_flow=call_flow,
        dialer=dialer,
        hangups=hangups,
        manual_dial=ManualDial(ctx, dialer, clearing),
        phoner_legs=phoner_legs,
        phoner_actions=PhonerActions(ctx, wishes),
        harassment_reports=HarassmentReports(ctx, wishes),
        inbound=inbound,
        line_confirmation=line_confirmation,
        listener_legs=listener_legs,
        listening_sessions=ListeningSessions(ctx, listener_legs),
        wishes=wishes,
        reconciliation=reconciliation,
        scheduler=scheduler,
        provider_events=ProviderEvents(
            calls=call_flow,
            phoners=phoner_legs,
            listeners=listener_legs,
            rooms=RoomEvents(ctx, phoner_legs, listener_legs),
            inbound=inbound,
            line_confirmations=line_confirmation,
            role_plays=role_play_legs,
            not_stored=scheduler.note_gap,
        ),
        uploads=uploads,
        forgotten_files=forgotten_files,
        authentication=sign_in,
        account_administration=account_administration,
        hiring=Hiring(ctx, account_administration),
        role_play_legs=role_play_legs,
        refused_requests=refused_requests,
        feed=Feed(store),
        rules_in_force=rules_in_force,
        rule_proposals=RuleProposals(ctx, rules_in_force),
        http=client,
        orders=orders,
        exchanges=own,
        alarm_channels=channels,
        compare_clocks=network.compare_clocks
        if http is None and isinstance(network, Twilio)
        else None,
    )


def _publication(
    settings: Settings, ctx: EngineContext, http: httpx.AsyncClient, *, durable: bool
) -> Publication:
    """Where the log goes: the folder, and what the settings name.

    Raises:
        ConfigurationProblem: a setting cannot be used.
    """
    folder = published_folder(settings)
    key = sealing.load_key(settings.seal_key)
    publisher = Publisher(folder, origin_of(settings, folder), key, durable=durable)
    witnesses = read_witnesses(settings.witnesses, settings.witness_quorum, http)
    command = None
    if settings.publish_command:
        command = OperatorsCommand(
            settings.publish_command, folder, settings.publish_seconds, environment_of_commands()
        )
    return Publication(
        ctx.store,
        ctx.clock,
        ctx.background,
        publisher,
        witnesses,
        settings.witness_quorum,
        command,
        TimestampAuthority(http, settings.timestamps) if settings.timestamps else None,
    )


def _make_folder(database: str) -> None:
    if (path := sqlite_path(database)) is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
