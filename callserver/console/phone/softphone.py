"""The softphone in the browser: which kind this server offers, and its credentials.

Credentials are secret: only their user gets them, in the answer to a POST, and nothing stores them. A
phoner's and a listener's browser have different names (`phoner_7`, `listener_7`), so that neither can be
taken for the other.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from importlib.resources import files
from typing import Literal
from urllib.parse import urlsplit

from starlette.responses import Response

from callserver.adapters.asterisk.softphones import BROWSER_LASTS, SipSignIn, Softphones
from callserver.adapters.twilio import tokens
from callserver.console.endpoint import Answer, Endpoint, Nothing, OpenRequest, UserRequest
from callserver.database.accounts import User
from callserver.domain import exchange_names
from callserver.domain.role import Action
from callserver.engine.context import EngineContext
from callserver.engine.shifts import exchange_choice
from callserver.errors import ConfigurationProblem, Impossible
from callserver.settings import Settings

SoftphoneKind = Literal["none", "twilio", "simulated", "sip"]
SoftphoneRole = Literal["phoner", "listener"]

BUNDLED = frozenset({"twilio", "sip"})
"""Kinds whose code scripts/assets bundles from npm."""


class SoftphoneView(Answer):
    """`missing`: what a softphone lacks here; empty: it can be used."""

    kind: SoftphoneKind
    missing: Literal["", "key", "bundle"]
    identity: str


class TwilioCredentials(Answer):
    token: str
    edge: str
    calls_in: bool  # there is a TwiML application: the browser may call in


class SipCredentials(Answer):
    url: str
    aor: str
    name: str
    password: str
    room: str  # the address that it calls to join the room of its seat
    elsewhere: Sequence[str]  # other exchanges at which a listener's browser signs in too


class SoftphoneCredentials(Answer):
    """A browser's credentials for its user, of one kind; the demonstration's telephones need none."""

    kind: SoftphoneKind
    identity: str
    lasts_s: int  # new ones are fetched before these end
    twilio: TwilioCredentials | None = None
    sip: SipCredentials | None = None


class SoftphoneOffer:
    """Which kind of softphone this server offers, and credentials for a name."""

    def __init__(
        self,
        ctx: EngineContext,
        settings: Settings,
        exchanges: Mapping[str, Softphones],
        *,
        played: bool,
    ) -> None:
        """`exchanges`: the softphones of each of the organisation's own exchanges."""
        self._ctx = ctx
        self._settings = settings
        self._exchanges = exchanges
        self._played = played

    @property
    def _kind(self) -> SoftphoneKind:
        if self._played:
            return "simulated"
        if self._exchanges:
            return "sip"
        return "twilio" if self._settings.api_key and self._settings.api_secret else "none"

    def view(self, name: str) -> SoftphoneView:
        """The kind of softphone for this name."""
        kind = self._kind
        if kind == "none":
            return SoftphoneView(kind=kind, missing="key", identity=name)
        ready = kind not in BUNDLED or bundled(kind)
        return SoftphoneView(kind=kind, missing="" if ready else "bundle", identity=name)

    async def hand_out(
        self,
        request: OpenRequest,
        name: str,
        user: int,
        lasts: timedelta | None = None,
        *,
        calls_in: bool = True,
        exchange: str | None = None,
    ) -> SoftphoneCredentials:
        """New credentials of this name; the earlier ones end.

        `user`: they end when this user's access ends. `lasts`: how long they work, where it is
        shorter than usual. `exchange`: the one that may call it; None: any of them may.

        Raises:
            Impossible: this server has no softphone.
        """
        request.then.append(_not_stored)
        match self._kind:
            case "none":
                raise Impossible("there is no softphone here", key="no_softphone")
            case "simulated":
                return SoftphoneCredentials(
                    kind="simulated", identity=name, lasts_s=_seconds(lasts or BROWSER_LASTS)
                )
            case "twilio":
                lasts_s = tokens.LASTS_S if lasts is None else _seconds(lasts)
                token = tokens.access_token(self._settings, name, lasts_s, calls_in=calls_in)
                return SoftphoneCredentials(
                    kind="twilio",
                    identity=name,
                    lasts_s=lasts_s,
                    twilio=TwilioCredentials(
                        token=token,
                        edge=self._settings.edge or tokens.ROAMING,
                        calls_in=calls_in and bool(self._settings.app_sid),
                    ),
                )
        names = list(self._exchanges) if exchange is None else [exchange]
        return await self._sip(name, user, lasts or BROWSER_LASTS, names)

    async def of_phoner(self, user: User) -> str:
        """The exchange at which a phoner's browser signs in."""
        if not self._ctx.exchanges:
            return ""
        names, now = self._ctx.exchanges, self._ctx.clock.now()
        return await self._ctx.store.run(
            lambda tx: exchange_choice.of_phoner(tx, names, user, user.line, now)
        )

    def of_role_play(self, role_play: int) -> str:
        """The exchange at which the browsers of a role-play call sign in."""
        return exchange_names.of_role_play(role_play, self._ctx.exchanges)

    async def _sip(
        self, name: str, user: int, lasts: timedelta, names: Sequence[str]
    ) -> SoftphoneCredentials:
        sign_in = await self._signed_in(name, user, lasts, names)
        room = f"sip:1@{sign_in.aor.partition('@')[2]}"
        return SoftphoneCredentials(
            kind="sip",
            identity=name,
            lasts_s=_seconds(lasts),
            sip=SipCredentials(
                url=sign_in.url,
                aor=sign_in.aor,
                name=name,
                password=sign_in.password,
                room=room,
                elsewhere=sign_in.elsewhere,
            ),
        )

    async def _signed_in(
        self, name: str, user: int, lasts: timedelta, names: Sequence[str]
    ) -> SipSignIn:
        """A sign-in at these exchanges, the first of which must answer: it is the first that does.

        Raises:
            ConfigurationProblem: none of them answers.
        """
        for first in names:
            others = [self._exchanges[other] for other in names if other != first]
            try:
                return await self._exchanges[first].hand_out(name, user, lasts, others)
            except ConfigurationProblem:
                if first == names[-1]:
                    raise
        raise Impossible("there is no softphone here", key="no_softphone")


class SoftphoneApi:
    """Offers the browser's softphone and hands out credentials."""

    def __init__(self, offer: SoftphoneOffer) -> None:
        self._offer = offer

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("GET", "/softphone", Action.PHONE, self.mine),
            Endpoint("GET", "/softphone/listener", Action.LISTEN, self.listener),
            Endpoint("GET", "/softphone/trainee", Action.LISTEN_TO_MENTOR, self.listener),
            Endpoint("POST", "/softphone", Action.PHONE, self.sign_in),
            Endpoint("POST", "/softphone/listener", Action.LISTEN, self.listener_signs_in),
            Endpoint("POST", "/softphone/trainee", Action.LISTEN_TO_MENTOR, self.listener_signs_in),
        ]

    async def mine(self, request: UserRequest) -> SoftphoneView:
        """The kind of softphone of this server, and a phoner's name in it."""
        return self._offer.view(identity(request, "phoner"))

    async def listener(self, request: UserRequest) -> SoftphoneView:
        """The kind of softphone of this server, and a listener's name in it."""
        return self._offer.view(identity(request, "listener"))

    async def sign_in(self, request: UserRequest, body: Nothing) -> SoftphoneCredentials:
        """New credentials of a phoner's browser; the earlier ones end."""
        del body
        exchange = await self._offer.of_phoner(request.user)
        name = identity(request, "phoner")
        return await self._offer.hand_out(request, name, request.user.id, exchange=exchange)

    async def listener_signs_in(self, request: UserRequest, body: Nothing) -> SoftphoneCredentials:
        """New credentials of a listener's browser; the earlier ones end."""
        del body
        return await self._offer.hand_out(request, identity(request, "listener"), request.user.id)


def identity(request: UserRequest, role: SoftphoneRole) -> str:
    """The name of a user's browser at the provider."""
    return f"{role}_{request.user.id}"


def bundled(kind: str) -> bool:
    """Whether scripts/assets has bundled this kind's code."""
    return files("callserver.console").joinpath("assets", "vendor", f"{kind}.js").is_file()


def connects(settings: Settings, exchanges: Mapping[str, Softphones]) -> Sequence[str]:
    """The origins to which pages may connect besides this server: the softphones' only."""
    if exchanges:
        urls = (urlsplit(exchange.url) for exchange in exchanges.values())
        return sorted({f"{url.scheme}://{url.netloc}" for url in urls})
    return [tokens.signalling(settings)] if settings.api_key and settings.api_secret else []


def _not_stored(response: Response) -> None:
    response.headers["cache-control"] = "no-store"


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())
