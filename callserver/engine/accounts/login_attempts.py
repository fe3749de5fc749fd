"""Every check of a secret is an attempt. It is counted first and taken back if the secret was right.

Counted are attempts by one account from one place (a browser that the account has signed in with
before, else an address), by one account from all unknown places together, and from one address.
Only the first applies to a known browser, so a stranger cannot lock a user out of their own
browser. Secrets of 256 random bits (tokens, cookies) need no limit.
"""

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from callserver.database import attempt_counters, audit
from callserver.database.accounts import User
from callserver.domain.attempt_limits import AttemptLimit, latest
from callserver.domain.audit import EntryKind
from callserver.errors import TooMany
from callserver.ports import Tx

MOST_FAILURES = 5
"""Wrong attempts at one secret from one place, before the waits begin."""

MOST_FAILURES_FROM_ADDRESS = 30
LOCKED_FOR = timedelta(minutes=15)
"""The longest wait for one place."""

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


class Secret(StrEnum):
    """What a user has to enter."""

    PASSWORD = "password"  # noqa: S105 - a secret's name
    CODE = "code"


PLACE = AttemptLimit(MOST_FAILURES, MINUTE, LOCKED_FOR)
ADDRESS = AttemptLimit(MOST_FAILURES_FROM_ADDRESS, MINUTE, LOCKED_FOR)
ACCOUNT = {
    Secret.PASSWORD: AttemptLimit(20, MINUTE, HOUR),
    Secret.CODE: AttemptLimit(10, MINUTE, 4 * HOUR),
}


class TooManyFailures(TooMany):
    """Even the right secret is refused for a while."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where an attempt comes from: an address, and the hash of the browser's own cookie."""

    address: str = ""
    device: str = ""

    @property
    def network(self) -> str:
        """The IPv4 address, or the IPv6 /64 network: one connection has many IPv6 addresses.

        A proxy for both kinds writes IPv4 addresses as IPv6 ones, which all lie in one network.
        """
        try:
            address = ipaddress.ip_address(self.address.partition("%")[0])
        except ValueError:
            return self.address
        address = getattr(address, "ipv4_mapped", None) or address
        if address.version == 4:
            return str(address)
        return str(ipaddress.ip_network((address, 64), strict=False))


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """A reserved attempt, with each of its counters and its number in that counter."""

    secret: Secret
    user: User | None
    known: bool
    counted: tuple[tuple[str, AttemptLimit, int], ...]


class LoginAttempts:
    """Reserves attempts and takes them back. Each method is part of a transaction."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def reserve(
        self,
        tx: Tx,
        secret: Secret,
        handle: str,
        user: User | None,
        source: Source,
        now: datetime,
    ) -> LoginAttempt:
        """Count an attempt before the secret is checked.

        Raises:
            TooManyFailures: the limit is reached; this attempt is not counted.
        """
        known = self._known(tx, user, source, now)
        counters = dict(sorted(self._counters(secret, handle, source, known=known).items()))
        counters_now = {key: attempt_counters.locked(tx, key, now) for key in counters}
        opens = latest(
            [limit.opens_at(counters_now[key], now) for key, limit in counters.items()], now
        )
        if opens is not None:
            wait = (opens - now).total_seconds()
            raise TooManyFailures("too many wrong attempts; try again later", wait, key="locked")
        counted = []
        for key, limit in counters.items():
            tried = counters_now[key].one_more(now)
            attempt_counters.store(tx, key, tried)
            counted.append((key, limit, tried.count))
        return LoginAttempt(secret, user, known, tuple(counted))

    def failed(self, tx: Tx, attempt: LoginAttempt, now: datetime) -> None:
        """The secret was wrong: the attempt stays counted, and the owner is told."""
        user = attempt.user
        if user is None:
            return  # names can be made up at will, so they are reported once a minute
        audit.append(tx, now, EntryKind.SIGN_IN_REFUSED, user=user.id)
        tripped = any(
            limit.tripped(number)
            for key, limit, number in attempt.counted
            if not key.startswith("address:")
        )
        if tripped:
            audit.append(
                tx, now, EntryKind.SIGN_IN_LOCKED, user=user.id, secret=attempt.secret.value
            )
        if tripped or not attempt.known:
            key = notice(user.id)
            attempt_counters.store(tx, key, attempt_counters.locked(tx, key, now).one_more(now))

    def cancel(self, tx: Tx, attempt: LoginAttempt) -> None:
        """The secret was not checked: the attempt does not count."""
        for key, _, _ in attempt.counted:
            attempt_counters.take_back(tx, key)

    def complete(self, tx: Tx, user: User, source: Source, now: datetime) -> None:
        """Everything was entered correctly: these attempts no longer count."""
        known = self._known(tx, user, source, now)
        counters: dict[str, AttemptLimit] = {}
        for secret in Secret:
            counters |= self._counters(secret, user.handle, source, known=known)
        for key in sorted(counters):  # the order in which they are reserved
            if key.startswith("place:"):
                attempt_counters.forget(tx, key)
            else:
                attempt_counters.take_back(tx, key)
        if source.device:
            attempt_counters.remember_device(tx, source.device, user.id, now)

    def _known(self, tx: Tx, user: User | None, source: Source, now: datetime) -> bool:
        if user is None or not source.device:
            return False
        return attempt_counters.device_known(tx, source.device, user.id, now)

    def _counters(
        self, secret: Secret, handle: str, source: Source, *, known: bool
    ) -> dict[str, AttemptLimit]:
        def key(kind: str, whose: str) -> str:
            hashed = hmac.digest(self._secret, whose.encode(), hashlib.sha256).hex()
            return f"{kind}:{secret.value}:{hashed}"

        if known:
            return {key("place", f"{handle}\0device\0{source.device}"): PLACE}
        limits = {
            key("place", f"{handle}\0address\0{source.network}"): PLACE,
            key("account", handle): ACCOUNT[secret],
        }
        if secret is Secret.PASSWORD:
            limits[key("address", source.network)] = ADDRESS
        return limits


def notice(user: int) -> str:
    """The key of the counter of failed attempts that the owner has not acknowledged."""
    return f"notice:{user}"
