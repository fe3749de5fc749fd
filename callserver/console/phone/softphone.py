"""The softphone in the browser: which kind this house has, and what it signs in with.

What it signs in with is a secret: it goes out to its own user only, as the answer to a POST, and is
kept by nobody. A phoner's browser and a listener's have names of their own (`phoner_7`, `listener_7`),
so that neither can be taken for the other.
"""

from collections.abc import Sequence
from datetime import timedelta
from importlib.resources import files
from typing import Literal

from starlette.responses import Response

from callserver.adapters.asterisk.softphones import BROWSER_LASTS, Softphones
from callserver.adapters.twilio import tokens
from callserver.console.endpoint import Answer, Asked, Endpoint, Nothing
from callserver.domain.role import Action
from callserver.errors import Impossible
from callserver.settings import Settings

SoftphoneKind = Literal["none", "twilio", "simulated", "sip"]
As = Literal["phoner", "listener"]

BUNDLED = frozenset({"twilio", "sip"})
"""Kinds whose code comes from npm (scripts/assets)."""


class SoftphoneView(Answer):
    """`missing`: why there is no softphone here, or not yet; empty: it can be used."""

    kind: SoftphoneKind
    missing: Literal["", "key", "bundle"]
    identity: str


class TwilioSignsIn(Answer):
    token: str
    edge: str
    calls_in: bool  # there is a TwiML application, so that the browser may call as well


class SipSignsIn(Answer):
    url: str
    aor: str
    name: str
    password: str
    room: str  # what it calls to join the room of its seat


class SignsIn(Answer):
    """What a browser signs in with, for its own user: one of the two; what the demonstration plays needs none."""

    kind: SoftphoneKind
    identity: str
    lasts_s: int  # fetched again before it ends
    twilio: TwilioSignsIn | None = None
    sip: SipSignsIn | None = None


class SoftphoneApi:
    """What the page's own telephone needs to know."""

    def __init__(self, settings: Settings, exchange: Softphones | None, *, played: bool) -> None:
        self._settings = settings
        self._exchange = exchange
        self._played = played

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("GET", "/softphone", Action.PHONE, self.mine),
            Endpoint("GET", "/softphone/listener", Action.LISTEN, self.listener),
            Endpoint("GET", "/softphone/trainee", Action.LISTEN_TO_MENTOR, self.listener),
            Endpoint("POST", "/softphone", Action.PHONE, self.sign_in),
            Endpoint("POST", "/softphone/listener", Action.LISTEN, self.listener_signs_in),
            Endpoint("POST", "/softphone/trainee", Action.LISTEN_TO_MENTOR, self.listener_signs_in),
        ]

    async def mine(self, asked: Asked) -> SoftphoneView:
        """The kind of softphone of this house, and a phoner's name in it."""
        return self._view(identity(asked, "phoner"))

    async def listener(self, asked: Asked) -> SoftphoneView:
        """The kind of softphone of this house, and a listener's name in it."""
        return self._view(identity(asked, "listener"))

    async def sign_in(self, asked: Asked, body: Nothing) -> SignsIn:
        """What a phoner's browser signs in with; the one before ends."""
        del body
        return await self._hand_out(asked, identity(asked, "phoner"))

    async def listener_signs_in(self, asked: Asked, body: Nothing) -> SignsIn:
        """What a listener's browser signs in with; the one before ends."""
        del body
        return await self._hand_out(asked, identity(asked, "listener"))

    @property
    def _kind(self) -> SoftphoneKind:
        if self._played:
            return "simulated"
        if self._exchange is not None:
            return "sip"
        return "twilio" if self._settings.api_key and self._settings.api_secret else "none"

    def _view(self, name: str) -> SoftphoneView:
        kind = self._kind
        if kind == "none":
            return SoftphoneView(kind=kind, missing="key", identity=name)
        ready = kind not in BUNDLED or bundled(kind)
        return SoftphoneView(kind=kind, missing="" if ready else "bundle", identity=name)

    async def _hand_out(self, asked: Asked, name: str) -> SignsIn:
        asked.then.append(_kept_by_nobody)
        match self._kind:
            case "none":
                raise Impossible("this house has no softphone", key="no_softphone")
            case "simulated":
                return SignsIn(kind="simulated", identity=name, lasts_s=_lasts(BROWSER_LASTS))
            case "twilio":
                return SignsIn(
                    kind="twilio",
                    identity=name,
                    lasts_s=tokens.LASTS_S,
                    twilio=TwilioSignsIn(
                        token=tokens.access_token(self._settings, name),
                        edge=self._settings.edge or tokens.ROAMING,
                        calls_in=bool(self._settings.app_sid),
                    ),
                )
        return await self._sip(asked, name)

    async def _sip(self, asked: Asked, name: str) -> SignsIn:
        if self._exchange is None:
            raise Impossible("this house has no softphone", key="no_softphone")
        sign_in = await self._exchange.hand_out(name, asked.user.id)
        room = f"sip:1@{sign_in.aor.partition('@')[2]}"
        return SignsIn(
            kind="sip",
            identity=name,
            lasts_s=_lasts(BROWSER_LASTS),
            sip=SipSignsIn(
                url=sign_in.url, aor=sign_in.aor, name=name, password=sign_in.password, room=room
            ),
        )


def identity(asked: Asked, role: As) -> str:
    """The name of somebody's browser with the provider."""
    return f"{role}_{asked.user.id}"


def bundled(kind: str) -> bool:
    """Whether scripts/assets has made this kind's code."""
    return files("callserver.console").joinpath("assets", "vendor", f"{kind}.js").is_file()


def connects(settings: Settings, exchange: Softphones | None) -> Sequence[str]:
    """Where pages may connect to besides this server: to the softphone's own, and nowhere else."""
    if exchange is not None:
        scheme, _, rest = exchange.url.partition("://")
        return [f"{scheme}://{rest.partition('/')[0]}"]
    return [tokens.signalling(settings)] if settings.api_key and settings.api_secret else []


def _kept_by_nobody(response: Response) -> None:
    response.headers["cache-control"] = "no-store"


def _lasts(span: timedelta) -> int:
    return int(span.total_seconds())
