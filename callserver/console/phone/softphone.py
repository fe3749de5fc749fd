"""The softphone in the browser: which kind this server offers, and its credentials.

Credentials are secret: only their user gets them, in the answer to a POST, and nothing stores them. A
phoner's and a listener's browser have different names (`phoner_7`, `listener_7`), so that neither can be
taken for the other.
"""

from collections.abc import Sequence
from datetime import timedelta
from importlib.resources import files
from typing import Literal

from starlette.responses import Response

from callserver.adapters.asterisk.softphones import BROWSER_LASTS, Softphones
from callserver.adapters.twilio import tokens
from callserver.console.endpoint import Answer, Endpoint, Nothing, OpenRequest, UserRequest
from callserver.domain.role import Action
from callserver.errors import Impossible
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


class SoftphoneCredentials(Answer):
    """A browser's credentials for its user, of one kind; the demonstration's telephones need none."""

    kind: SoftphoneKind
    identity: str
    lasts_s: int  # new ones are fetched before these end
    twilio: TwilioCredentials | None = None
    sip: SipCredentials | None = None


class SoftphoneOffer:
    """Which kind of softphone this server offers, and credentials for a name."""

    def __init__(self, settings: Settings, exchange: Softphones | None, *, played: bool) -> None:
        self._settings = settings
        self._exchange = exchange
        self._played = played

    @property
    def _kind(self) -> SoftphoneKind:
        if self._played:
            return "simulated"
        if self._exchange is not None:
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
    ) -> SoftphoneCredentials:
        """New credentials of this name; the earlier ones end.

        `user`: they end when this user's access ends. `lasts`: how long they work, where it is
        shorter than usual.

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
        return await self._sip(name, user, lasts or BROWSER_LASTS)

    async def _sip(self, name: str, user: int, lasts: timedelta) -> SoftphoneCredentials:
        if self._exchange is None:
            raise Impossible("there is no softphone here", key="no_softphone")
        sign_in = await self._exchange.hand_out(name, user, lasts)
        room = f"sip:1@{sign_in.aor.partition('@')[2]}"
        return SoftphoneCredentials(
            kind="sip",
            identity=name,
            lasts_s=_seconds(lasts),
            sip=SipCredentials(
                url=sign_in.url, aor=sign_in.aor, name=name, password=sign_in.password, room=room
            ),
        )


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
        return await self._offer.hand_out(request, identity(request, "phoner"), request.user.id)

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


def connects(settings: Settings, exchange: Softphones | None) -> Sequence[str]:
    """The origins to which pages may connect besides this server: the softphone's only."""
    if exchange is not None:
        scheme, _, rest = exchange.url.partition("://")
        return [f"{scheme}://{rest.partition('/')[0]}"]
    return [tokens.signalling(settings)] if settings.api_key and settings.api_secret else []


def _not_stored(response: Response) -> None:
    response.headers["cache-control"] = "no-store"


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())
