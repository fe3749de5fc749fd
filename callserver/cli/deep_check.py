"""`callserver check --deep`: what can be wrong around the server: database, folders, clock, carrier, TLS."""

import asyncio
import contextlib
import json
import os
import socket
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from cryptography import x509
from twilio.rest import Client

from callserver import log_check
from callserver.adapters import disk
from callserver.adapters.clock import SystemClock
from callserver.adapters.config_folder import load
from callserver.adapters.twilio.client import HttpxTwilio, client, moved
from callserver.cli import asterisk_check
from callserver.database import integrity
from callserver.database.engines import make_engine, reading, sqlite_path
from callserver.database.unavailable import UNAVAILABLE, reason
from callserver.domain.alarm import LEAST_FREE_BYTES
from callserver.engine import clock_checks
from callserver.engine.audit_log.sealing import continues_log
from callserver.errors import ConfigurationProblem
from callserver.key_check import key_fits
from callserver.ports import Tx
from callserver.settings import SIMULATED, Settings
from callserver.start_checks import pooler_fits

TWILIO = "https://api.twilio.com"
REFUSED = (401, 403)
TIMEOUT_S = 10.0
CLOCKS_DIFFER = timedelta(seconds=5)
ENDS_SOON = timedelta(days=14)
"""A certificate that ends earlier is a problem."""

Check = Callable[[Settings], Iterator[str]]


def run(settings: Settings) -> dict[str, list[str]]:
    """The problems that each check found, and what to do about them."""
    checks: dict[str, Check] = {
        "database": _database,
        "key": _key,
        "folders": _folders,
        "clock": _clock,
        "certificates": _certificates,
        "carrier": _carrier,
    }
    return {name: list(check(settings)) for name, check in checks.items()}


def _database(settings: Settings) -> Iterator[str]:
    path = sqlite_path(settings.database)
    if path is not None and not path.exists():
        yield f"{path} is not there yet: callserver serve makes it"
        return
    engine = make_engine(settings.database)
    try:
        problems = list(integrity.problems(engine))
        if not problems:
            with reading(engine) as tx:
                log_check.log_is_whole(tx, settings)
    except ConfigurationProblem as problem:
        problems = [str(problem)]
    finally:
        engine.dispose()
    yield from problems
    if not problems:
        yield from _pooler(settings)


def _pooler(settings: Settings) -> Iterator[str]:
    try:
        pooler_fits(settings)
    except ConfigurationProblem as problem:
        yield str(problem)
    except UNAVAILABLE as error:
        yield f"CALLSERVER_POOLER: cannot be used: {reason(error)}"


def _key(settings: Settings) -> Iterator[str]:
    """Whether CALLSERVER_KEY is the one with which the newest calls were recorded."""
    path = sqlite_path(settings.database)
    if not settings.key or (path is not None and not path.exists()):
        return
    engine = make_engine(settings.database)
    try:
        with contextlib.suppress(Exception), reading(engine) as tx:  # the database check says why
            for fits in (key_fits, _sealing_key_fits):
                try:
                    fits(tx, settings)
                except ConfigurationProblem as problem:
                    yield str(problem)
    finally:
        engine.dispose()


def _sealing_key_fits(tx: Tx, settings: Settings) -> None:
    """Nothing is asked where there is no key yet: the first server makes it."""
    if settings.seal_key.exists() or settings.seal_key.with_suffix(".pub").exists():
        continues_log(tx, settings.seal_key)


def _folders(settings: Settings) -> Iterator[str]:
    free = disk.free_bytes(settings)
    for name, folder in disk.written_folders(settings).items():
        places = (folder, *folder.absolute().parents)  # some are made when they are needed
        try:
            with tempfile.TemporaryFile(dir=next(place for place in places if place.exists())):
                pass
        except OSError as error:
            yield f"{folder} ({name}) takes no files: {error.strerror}"
            continue
        if free[name] < LEAST_FREE_BYTES:
            yield f"{folder} ({name}) has {free[name] // 1_000_000} MB left"
    for file, why in (
        (sqlite_path(settings.database), "nothing can be saved"),
        (settings.seals, "nothing that is sealed leaves the database"),
    ):
        if file is not None and file.exists() and not os.access(file, os.W_OK):
            yield f"{file} cannot be written by this user: {why}"


def _clock(settings: Settings) -> Iterator[str]:
    """Against the log and the database's server; against the carrier's clock in `_carrier`."""
    path = sqlite_path(settings.database)
    if settings.clock or (path is not None and not path.exists()):
        return
    engine = make_engine(settings.database)
    try:
        with contextlib.suppress(Exception), reading(engine) as tx:  # the database check says why
            behind, apart = clock_checks.compared(tx, SystemClock())
            if behind:
                yield f"is {behind / 1000:.0f} s behind the log: nobody is called until it has caught up"
            if apart:
                yield f"and that of the database's server differ by {abs(apart) / 1000:.0f} s: nobody is called"
    finally:
        engine.dispose()


def _certificates(settings: Settings) -> Iterator[str]:
    now = SystemClock().now()
    public = urlsplit(settings.public_url)
    if public.scheme == "https" and public.hostname:
        address = (public.hostname, public.port or 443)
        try:
            with (
                socket.create_connection(address, TIMEOUT_S) as connection,
                ssl.create_default_context().wrap_socket(
                    connection, server_hostname=public.hostname
                ) as tls,
            ):
                der = tls.getpeercert(binary_form=True) or b""
        except (OSError, ssl.SSLError) as error:
            yield f"{settings.public_url} cannot be reached by TLS: {error}"
        else:
            ends = x509.load_der_x509_certificate(der).not_valid_after_utc
            yield from _ends(settings.public_url, ends, now)
    if settings.provider == "asterisk" and settings.asterisk_certificate:
        file = Path(settings.asterisk_certificate)
        try:
            certificate = x509.load_pem_x509_certificate(file.read_bytes())
        except (OSError, ValueError):
            return  # it may be on another machine: callserver asterisk check asks the exchange itself
        yield from _ends(str(file), certificate.not_valid_after_utc, now)


def _ends(what: str, ends: datetime, now: datetime) -> Iterator[str]:
    if ends - now < ENDS_SOON:
        yield f"{what}: the certificate ends on {ends:%Y-%m-%d}"


def _carrier(settings: Settings) -> Iterator[str]:
    if settings.provider == "twilio":
        yield from asyncio.run(_twilio(settings))
    elif settings.provider != SIMULATED:
        yield from asterisk_check.problems(settings)


async def _twilio(settings: Settings) -> list[str]:
    """The account, what orders sign in with, and whether every number that campaigns show is the account's."""
    async with httpx.AsyncClient() as http:
        orders = client(settings, HttpxTwilio(http, settings.api_url))
        at = f"{TWILIO}/2010-04-01/Accounts/{settings.account_sid}"
        host = urlsplit(moved(orders.get_hostname(at), settings.api_url)).netloc
        try:
            problems = [problem async for problem in _account(settings, orders, at)]
            return problems or [problem async for problem in _numbers(settings, orders, at)]
        except httpx.HTTPError as error:
            return [f"{host} does not answer ({reason(error)})"]
        except ValueError:
            return [f"{host} does not answer as Twilio does: is another server in its place?"]


async def _account(settings: Settings, orders: Client, at: str) -> AsyncIterator[str]:
    """Of the account, and of the key that signs orders: a standard one may not read the account."""
    account = await orders.request_async("GET", f"{at}.json", auth=_token(settings))
    json.loads(account.text)  # a proxy's page, with 403 for instance, is not Twilio's answer
    if account.status_code in REFUSED:
        yield "TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN: Twilio refuses them"
        return
    if not account.ok:
        yield f"Twilio answers with HTTP {account.status_code}"
        return
    if (status := json.loads(account.text).get("status")) != "active":
        yield f"the account is {status}"
    if said := account.headers.get("date"):
        skew = abs(SystemClock().now() - parsedate_to_datetime(said))
        if skew > CLOCKS_DIFFER:
            yield f"our clock and Twilio's differ by {skew.total_seconds():.0f} s"
    if settings.api_key:
        rooms = await orders.request_async(
            "GET", f"{at}/Conferences.json", params={"PageSize": "1"}
        )
        if rooms.status_code in REFUSED:
            yield "TWILIO_API_KEY and TWILIO_API_SECRET: Twilio refuses them, so it takes no order"


async def _numbers(settings: Settings, orders: Client, at: str) -> AsyncIterator[str]:
    try:
        campaigns = load(settings.config).campaigns.values()
    except ConfigurationProblem:  # `callserver check` says what is wrong there
        return
    owned: set[str] = set()
    for kind in ("IncomingPhoneNumbers", "OutgoingCallerIds"):
        reply = await orders.request_async(
            "GET", f"{at}/{kind}.json", params={"PageSize": "1000"}, auth=_token(settings)
        )
        if not reply.ok:
            yield f"Twilio answers with HTTP {reply.status_code} when asked for {kind}"
            return
        rows = json.loads(reply.text).values()
        listed = [row for part in rows if isinstance(part, list) for row in part]
        owned |= {str(row.get("phone_number")) for row in listed}
    for number in sorted({campaign.caller_id for campaign in campaigns} - owned):
        yield f"{number} is shown by a campaign and does not belong to the account"


def _token(settings: Settings) -> tuple[str, str]:
    return settings.account_sid, settings.auth_token
