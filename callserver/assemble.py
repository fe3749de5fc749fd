"""Every object is made here, once: settings in, a Server out. Nothing is built at import."""

import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
from sqlalchemy import make_url

from callserver import exchange
from callserver.adapters.clock import clock_from
from callserver.adapters.folder import Folder
from callserver.adapters.twilio import Twilio
from callserver.adapters.uploads import Uploads
from callserver.database import migrate
from callserver.database.store import AnyStore, open_store, reading
from callserver.engine import refused_rows, revising, sealing
from callserver.engine.accounts import Accounts
from callserver.engine.call_flow import CallFlow
from callserver.engine.confirming import Confirming
from callserver.engine.dialer import Dialer
from callserver.engine.feed import Feed
from callserver.engine.hashing import Hashing
from callserver.engine.house import House, Rules
from callserver.engine.inbound import Inbound
from callserver.engine.leaving import Leaving
from callserver.engine.listener_legs import ListenerLegs
from callserver.engine.listening import Listening
from callserver.engine.phoning import Phoning
from callserver.engine.proposing import Proposing
from callserver.engine.revising import Revising
from callserver.engine.rooms import Rooms
from callserver.engine.settling import Settling
from callserver.engine.staff import Staff
from callserver.engine.tally import Tally
from callserver.engine.upkeep import Upkeep
from callserver.engine.wishes import Wishes
from callserver.errors import ConfigurationProblem
from callserver.ports import Clock, Telephony
from callserver.settings import Settings, allowed_sip_hosts


@dataclass(frozen=True, slots=True)
class Server:
    """The parts that the doors, the ticker and the commands need."""

    settings: Settings
    store: AnyStore
    clock: Clock
    ours: House
    call_flow: CallFlow
    dialer: Dialer
    rooms: Rooms
    phoning: Phoning
    inbound: Inbound
    confirming: Confirming
    listener_legs: ListenerLegs
    listening: Listening
    wishes: Wishes
    settling: Settling
    upkeep: Upkeep
    accounts: Accounts
    staff: Staff
    tally: Tally
    feed: Feed
    uploads: Uploads
    revising: Revising
    proposing: Proposing
    http: httpx.AsyncClient
    exchange: exchange.Exchange | None


def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    http: httpx.AsyncClient | None = None,
    inline: bool = False,
    durable: bool = True,
    token: Callable[[], str] | None = None,
    telephony: Telephony | None = None,
) -> Server:
    """Make everything.

    `inline`, `clock`, `http` and `token` are what a simulated evening replaces: transactions in the
    caller's thread, virtual time, an in-process network, seeded ids.

    Raises:
        ConfigurationProblem: settings or configuration files cannot be used.
    """
    if settings.provider == "twilio" and not (settings.auth_token and settings.account_sid):
        raise ConfigurationProblem("TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN must be set")
    if not settings.key:
        raise ConfigurationProblem("CALLSERVER_KEY must be set: it keys the hashes of the erased")
    _make_folder(settings.database)
    store = open_store(settings.database, inline=inline, durable=durable)
    migrate.upgrade(store.engine)
    if clock is None:
        with reading(store.engine) as connection:
            clock = clock_from(settings.clock, connection)
    folder = Folder(settings.config)
    with store.engine.begin() as tx:
        configuration = revising.beginning(tx, folder)
    client = http or httpx.AsyncClient(timeout=10)
    rules = Rules(configuration)
    own = exchange.build(settings, clock, client, store, rules)
    network = Twilio(settings, clock, client) if own is None else own.telephony
    ours = House(
        store=store,
        clock=clock,
        telephony=telephony or network,
        rules=rules,
        secret=settings.key.encode(),
        calls_per_second=settings.calls_per_second,
        token=token or (lambda: secrets.token_hex(10)),
        sip_hosts=allowed_sip_hosts(settings),
    )
    call_flow = CallFlow(ours)
    legs = ListenerLegs(ours, call_flow)
    dialer = Dialer(ours, call_flow, legs)
    call_flow.dial = dialer.dial  # type: ignore[method-assign]  # they need each other
    rooms = Rooms(ours, call_flow)
    wishes = Wishes(ours)
    settling = Settling(ours, call_flow)
    leaving = Leaving(ours, call_flow)
    in_force = Revising(ours, folder)
    uploads = Uploads(settings.uploads)
    tally = Tally(ours)
    let_in = Accounts(ours, Hashing(), tally)
    seal = sealing.Sealer(store, clock, settings.seal_key, settings.seals)
    return Server(
        settings=settings,
        store=store,
        clock=clock,
        ours=ours,
        call_flow=call_flow,
        dialer=dialer,
        rooms=rooms,
        phoning=Phoning(ours, call_flow, rooms, wishes),
        inbound=Inbound(ours, call_flow, wishes),
        confirming=Confirming(ours, call_flow),
        listener_legs=legs,
        listening=Listening(ours, legs),
        wishes=wishes,
        settling=settling,
        upkeep=Upkeep(
            ours,
            dialer,
            call_flow,
            settling,
            rooms,
            leaving,
            legs,
            seal.seal,
            uuid.uuid4().hex,
            [partial(refused_rows.forget_old, store), uploads.tidy, let_in.forget_old],
        ),
        uploads=uploads,
        accounts=let_in,
        staff=Staff(ours, let_in.hashing),
        tally=tally,
        feed=Feed(store),
        revising=in_force,
        proposing=Proposing(ours, in_force),
        http=client,
        exchange=own,
    )


def _make_folder(database: str) -> None:
    url = make_url(database)
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
