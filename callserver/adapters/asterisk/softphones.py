"""Telephones that people sit at, on our own exchange: browsers and SIP telephones.

The database says which there are; the exchange is told over ARI (its push configuration, held in its
memory) at a start and whenever something changes. So a new colleague's telephone works at once, and a
colleague's who has left is gone within a second. Only SIP's digest is kept, the password nowhere.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from callserver.adapters.asterisk import channel_names, trunk
from callserver.adapters.asterisk.channel_names import TELEPHONES
from callserver.adapters.asterisk.client import Ari, Lost
from callserver.adapters.asterisk.pjsip import REALM, local_media
from callserver.database import softphones
from callserver.database.softphones import Softphone
from callserver.errors import ConfigurationProblem
from callserver.ports import Clock, Store
from callserver.settings import Settings

BROWSER_LASTS = timedelta(hours=12)
"""A browser's password ends with the day; the page fetches a new one whenever it opens."""

SILENT_S = 10
"""A telephone that sends no sound for so long, not even silence, has died: its leg is ended."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a telephone signs in with; shown once, to its own user."""

    url: str  # wss://… of the SIP server, for a browser
    aor: str  # sip:NAME@DOMAIN
    name: str
    password: str


class Softphones:
    """Hands sign-ins out, and keeps the exchange up to date with the database."""

    def __init__(self, settings: Settings, ari: Ari, store: Store, clock: Clock) -> None:
        self._settings = settings
        self._ari = ari
        self._store = store
        self._clock = clock
        self._told: dict[str, str] | None = None  # what the exchange was told: name -> digest
        self._telling = asyncio.Lock()  # a look at the database and what follows belong together

    async def hand_out(self, name: str, user: int) -> SignIn:
        """A new password for the user's own browser or telephone; the one before ends.

        Raises:
            ConfigurationProblem: the exchange does not answer, so that nothing could sign in.
        """
        if channel_names.softphone(name) is None:
            raise ValueError("a softphone is named phoner_N, listener_N or telephone_N")
        password = secrets.token_urlsafe(24)
        until = None if _is_telephone(name) else self._clock.now() + BROWSER_LASTS
        made = Softphone(name, user, digest(name, password), until)
        async with self._telling:
            await self._store.run(lambda tx: softphones.store(tx, made))
            try:
                await self._tell(made)
            except Lost as lost:
                raise ConfigurationProblem(f"the exchange does not answer: {lost}") from lost
        return SignIn(self.url, f"sip:{name}@{self._domain()}", name, password)

    async def begin(self) -> None:
        """The stream has opened: the exchange may have forgotten everything."""
        async with self._telling:
            self._told = None
        await self.bring_up_to_date()

    async def bring_up_to_date(self) -> None:
        """Tell the exchange what has changed since it was last told.

        Raises:
            Lost: it does not answer.
        """
        async with self._telling:
            await self._bring()

    async def _bring(self) -> None:
        now = self._clock.now()
        alive = {
            one.name: one for one in await self._store.read(lambda tx: softphones.alive(tx, now))
        }
        if self._told is None:
            known = (await self._ari.get("endpoints", "PJSIP")).body or ()
            left = (one["resource"] for one in known)
            self._told = {name: "" for name in left if channel_names.softphone(name)}
        for name in self._told.keys() - alive.keys():
            await self._forget(name)
        for name, one in alive.items():
            if self._told.get(name) != one.digest:
                await self._tell(one)

    async def _tell(self, one: Softphone) -> None:
        for kind, fields in objects(self._settings, one).items():
            await self._ari.put(
                *_PUSHED,
                kind,
                one.name,
                json={"fields": [{"attribute": key, "value": fields[key]} for key in fields]},
            )
        if self._told is not None:
            self._told[one.name] = one.digest

    async def _forget(self, name: str) -> None:
        """End its sign-in, and whatever leg it is on."""
        reply = await self._ari.get("endpoints", "PJSIP", name)
        for kind in ("auth", "endpoint", "aor"):
            await self._ari.delete(*_PUSHED, kind, name)
        for channel in reply.body["channel_ids"] if reply.ok else ():
            await self._ari.delete("channels", channel)
        if self._told is not None:
            self._told.pop(name, None)

    @property
    def url(self) -> str:
        """Where browsers connect to."""
        if self._settings.asterisk_softphone_url:
            return self._settings.asterisk_softphone_url
        return self._settings.public_url.rstrip("/").replace("http", "ws", 1) + "/ws"

    def _domain(self) -> str:
        return urlsplit(self.url).hostname or "callserver"


_PUSHED = ("asterisk", "config", "dynamic", "res_pjsip")


def digest(name: str, password: str) -> str:
    """HA1 of SIP's digest (RFC 3261, 22.4), MD5 as telephones speak it."""
    word = f"{name}:{REALM}:{password}".encode()
    return hashlib.md5(word, usedforsecurity=False).hexdigest()


def _is_telephone(name: str) -> bool:
    return name.startswith("telephone_")


def objects(settings: Settings, one: Softphone) -> Mapping[str, Mapping[str, str]]:
    """Asterisk's three objects of one telephone, in the order in which they are told."""
    return {
        "auth": {
            "auth_type": "md5",
            "username": one.name,
            "realm": REALM,
            "md5_cred": one.digest,
        },
        "aor": {
            "max_contacts": "1",
            "remove_existing": "yes",
            "maximum_expiration": "120",
            "qualify_frequency": "15",
        },
        "endpoint": {
            "context": TELEPHONES,
            "aors": one.name,
            "auth": one.name,
            **_sound(settings, one.name),
            "direct_media": "no",
            "rtp_timeout": str(SILENT_S),
            "rewrite_contact": "yes",
            "rtp_symmetric": "yes",
            "force_rport": "yes",
            "allow_transfer": "no",
            "allow_subscribe": "no",
            "send_connected_line": "no",
            "trust_id_inbound": "no",
            **_media(settings, one.name),
        },
    }


def _sound(settings: Settings, name: str) -> Mapping[str, str]:
    """The configured codecs; a browser's own comes first."""
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
