"""Users' telephones on an own exchange: browsers and SIP telephones.

They are stored in the database and pushed to the exchange over ARI (into its memory) at a start and after
every change. So a new colleague's telephone works at once, and that of a colleague who has left is removed
within a second. Only SIP's digest is stored, the password nowhere.
"""

import asyncio
import contextlib
import hashlib
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

import structlog

from callserver.adapters.asterisk import channel_names, trunk
from callserver.adapters.asterisk.channel_names import NOWHERE, TELEPHONES
from callserver.adapters.asterisk.client import Ari, Lost
from callserver.adapters.asterisk.pjsip import REALM, local_media
from callserver.database import softphones
from callserver.database.softphones import Softphone
from callserver.errors import ConfigurationProblem
from callserver.ports import Clock, Store
from callserver.settings import Settings

log = structlog.get_logger(__name__)

BROWSER_LASTS = timedelta(hours=12)
"""How long a browser's password is valid; the page fetches a new one whenever it opens."""

REMOVED_AFTER_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
"""Pauses between the questions whether an endpoint is gone; after them the removal is repeated later."""

COMPARED_S = 10.0
"""How often the exchange is asked whether it has every telephone."""

MOST_FAILED = 3
"""After so many telephones that could not be pushed, the others are tried in the next round."""

SILENT_S = 10
"""A telephone that sends no packets for this long, not even silence, is dead: its leg is ended."""


@dataclass(frozen=True, slots=True)
class SipSignIn:
    """A telephone's credentials; shown once, to its user."""

    url: str  # wss://… of the SIP server, for a browser
    aor: str  # sip:NAME@DOMAIN
    name: str
    password: str
    elsewhere: Sequence[str] = ()  # addresses of other exchanges at which it signs in too


class Softphones:
    """Hands out credentials, and keeps the exchange up to date with the database."""

    def __init__(self, settings: Settings, ari: Ari, store: Store, clock: Clock) -> None:
        self._settings = settings
        self._ari = ari
        self._store = store
        self._clock = clock
        self._pushed: dict[str, str] | None = None  # what the exchange has: name -> digest
        self._compared_at = 0.0
        self._pushing = asyncio.Lock()  # reading the database and pushing belong together

    async def hand_out(
        self,
        name: str,
        user: int,
        lasts: timedelta = BROWSER_LASTS,
        others: Sequence["Softphones"] = (),
    ) -> SipSignIn:
        """A new password for the user's browser or telephone; the earlier one ends.

        `lasts`: how long a browser's works. `others`: exchanges at which it signs in as well; one that does
        not answer now is told when it does.

        Raises:
            ConfigurationProblem: the exchange does not answer, so that nothing could sign in.
        """
        if channel_names.softphone(name) is None:
            raise ValueError("a softphone is named after its kind and a number")
        password = secrets.token_urlsafe(24)
        until = None if _is_telephone(name) else self._clock.now() + lasts
        softphone = Softphone(name, user, digest(name, password), until)
        async with self._pushing:
            await self._store.run(lambda tx: softphones.store(tx, softphone))
            try:
                await self._push(softphone)
            except Lost as lost:
                raise ConfigurationProblem(f"the exchange does not answer: {lost}") from lost
        for other in others:
            with contextlib.suppress(Lost):
                await other.accept(softphone)
        elsewhere = tuple(other.url for other in others)
        return SipSignIn(self.url, f"sip:{name}@{self._domain()}", name, password, elsewhere)

    async def accept(self, softphone: Softphone) -> None:
        """Let a telephone that is stored sign in at this exchange at once.

        Raises:
            Lost: it does not answer.
        """
        async with self._pushing:
            await self._push(softphone)

    async def begin(self) -> None:
        """The event stream has opened: the exchange may have restarted and lost everything."""
        async with self._pushing:
            self._pushed = None

    async def bring_up_to_date(self) -> None:
        """Push what has changed since the last time.

        Raises:
            Lost: it does not answer.
        """
        async with self._pushing:
            await self._push_changes()

    async def _push_changes(self) -> None:
        now = self._clock.now()
        alive = {
            softphone.name: softphone
            for softphone in await self._store.read(lambda tx: softphones.alive(tx, now))
        }
        pushed = await self._compared()
        gone = [partial(self._remove, name) for name in pushed.keys() - alive.keys()]
        new = [
            partial(self._push, softphone)
            for name, softphone in alive.items()
            if pushed.get(name) != softphone.digest
        ]
        await _each([*gone, *new])

    async def _compared(self) -> dict[str, str]:
        """What the exchange has. One that it should have and has not is pushed again."""
        at = asyncio.get_running_loop().time()
        if self._pushed is not None and at - self._compared_at < COMPARED_S:
            return self._pushed
        endpoints = await self._ari.every("endpoints", "PJSIP")
        there = {endpoint["resource"] for endpoint in endpoints}
        if self._pushed is None:
            self._pushed = {name: "" for name in there if channel_names.softphone(name)}
        for name in self._pushed.keys() - there:
            log.warning("telephone_missing", name=name)
            del self._pushed[name]
        self._compared_at = at
        return self._pushed

    async def _push(self, softphone: Softphone) -> None:
        for kind, fields in objects(self._settings, softphone).items():
            reply = await self._ari.put(
                *_PUSH_PATH,
                kind,
                softphone.name,
                json={"fields": [{"attribute": key, "value": fields[key]} for key in fields]},
            )
            reply.carried_out()
        if self._pushed is not None:
            self._pushed[softphone.name] = softphone.digest

    async def _remove(self, name: str) -> None:
        """End its sign-in and its legs."""
        reply = await self._ari.get("endpoints", "PJSIP", name)
        for kind in ("auth", "endpoint", "aor"):
            await self._ari.delete(*_PUSH_PATH, kind, name)
        for channel in reply.body["channel_ids"] if reply.ok else ():
            await self._ari.delete("channels", channel)
        await self._await_removal(name)
        if self._pushed is not None:
            self._pushed.pop(name, None)

    async def _await_removal(self, name: str) -> None:
        """Wait until the exchange no longer knows the endpoint.

        Asterisk answers a deletion before it has carried it out. An endpoint of the same name that is
        pushed in between is deleted too, and its telephone cannot be called although it signs in: until
        the next comparison finds that it is missing.

        Raises:
            Lost: the exchange still knows it.
        """
        for wait in REMOVED_AFTER_S:
            if (await self._ari.get("endpoints", "PJSIP", name)).gone:
                return
            await asyncio.sleep(wait)
        raise Lost("a telephone is not removed yet")

    @property
    def url(self) -> str:
        """The address to which browsers connect."""
        if self._settings.asterisk_softphone_url:
            return self._settings.asterisk_softphone_url
        return self._settings.public_url.rstrip("/").replace("http", "ws", 1) + "/ws"

    def _domain(self) -> str:
        return urlsplit(self.url).hostname or "callserver"


async def _each(works: Sequence[Callable[[], Awaitable[None]]]) -> None:
    """Do each of them, one after the other, also when some are refused.

    Raises:
        Lost: some of them were, and are due again.
    """
    failed: list[Lost] = []
    for work in works:
        if len(failed) == MOST_FAILED:
            break
        try:
            await work()
        except Lost as lost:
            failed.append(lost)
    if failed:
        raise failed[0]


_PUSH_PATH = ("asterisk", "config", "dynamic", "res_pjsip")


def digest(name: str, password: str) -> str:
    """HA1 of SIP's digest (RFC 3261, 22.4), MD5 as telephones speak it."""
    secret = f"{name}:{REALM}:{password}".encode()
    return hashlib.md5(secret, usedforsecurity=False).hexdigest()


def _is_telephone(name: str) -> bool:
    return name.startswith("telephone_")


def objects(settings: Settings, softphone: Softphone) -> Mapping[str, Mapping[str, str]]:
    """Asterisk's three objects of one telephone, in the order in which they are pushed."""
    return {
        "auth": {
            "auth_type": "md5",
            "username": softphone.name,
            "realm": REALM,
            "md5_cred": softphone.digest,
        },
        "aor": {
            "max_contacts": "1",
            "remove_existing": "yes",
            "maximum_expiration": "120",
            "qualify_frequency": "15",
        },
        "endpoint": {
            "context": NOWHERE if channel_names.is_role_players(softphone.name) else TELEPHONES,
            "aors": softphone.name,
            "auth": softphone.name,
            **_sound(settings, softphone.name),
            "direct_media": "no",
            "rtp_timeout": str(SILENT_S),
            "rewrite_contact": "yes",
            "rtp_symmetric": "yes",
            "force_rport": "yes",
            "allow_transfer": "no",
            "allow_subscribe": "no",
            "send_connected_line": "no",
            "trust_id_inbound": "no",
            **_media(settings, softphone.name),
        },
    }


def _sound(settings: Settings, name: str) -> Mapping[str, str]:
    """The configured codecs; a browser prefers opus."""
    browser = not _is_telephone(name)
    keys = {} if browser else {"dtmf_mode": settings.asterisk_dtmf}
    codecs = trunk.codecs_of(settings, browser=browser)
    return {"disallow": "all", "allow": ",".join(codecs), **keys}


def _media(settings: Settings, name: str) -> Mapping[str, str]:
    if not _is_telephone(name):
        return {"webrtc": "yes"}
    if settings.asterisk_secure:
        return {"media_encryption": "sdes"}
    return local_media(settings)
