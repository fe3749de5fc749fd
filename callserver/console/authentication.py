"""Who is asking, and may they? A bearer token, or a session's cookie with its proof of intent.

A cookie is sent along by any page that makes the browser ask us; so whatever changes something must
also carry a header that only our own pages can set (the session's csrf value).
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from callserver.database import accounts
from callserver.database.accounts import Session, User
from callserver.domain.role import Action, may
from callserver.engine.accounts.authentication import (
    Authentication,
    Next,
    NotSignedIn,
    hash_of,
    new_token,
)
from callserver.engine.accounts.login_attempts import Source
from callserver.engine.context import EngineContext
from callserver.errors import Impossible, NotAllowed
from callserver.settings import Settings
from callserver.texts import LANGUAGES

SAFE = frozenset({"GET", "HEAD"})
CSRF_HEADER = "x-csrf"
YEAR_S = 365 * 24 * 3600
NO_SCOPE: frozenset[Action] = frozenset()
EVERY_SCOPE = frozenset(Action)


API = "/api/v1"


class Footing(Enum):
    """How far in somebody must be for what needs no particular action."""

    OPEN = "open"  # nobody need be signed in
    ENTERING = "entering"  # a signed-in browser, whose sign-in may not be complete: see STEPS
    SESSION = "session"  # a signed-in browser; no token
    IN = "in"  # a signed-in browser, or a token: see Door.ask


STEPS: Mapping[Next, frozenset[str]] = {
    Next.PASSWORD: frozenset({"GET /sign-in", "POST /sign-out", "POST /sign-in/password"}),
    Next.CODE_SETUP: frozenset(
        {"GET /sign-in", "POST /sign-out", "POST /sign-in/code-setup", "POST /sign-in/code"}
    ),
    Next.CODE: frozenset({"GET /sign-in", "POST /sign-out", "POST /sign-in/code"}),
    Next.READY: frozenset({"GET /sign-in", "POST /sign-out", "POST /sign-in/password"}),
}
"""What a session may do of ENTERING, by what it still lacks: the next step and nothing else.

Whatever is not ENTERING needs a session that lacks nothing.
"""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A request of nobody in particular. `then` is done to the response."""

    request: Request
    language: str
    then: list[Callable[[Response], None]] = field(default_factory=list, kw_only=True)


@dataclass(frozen=True, slots=True)
class Asked(Visitor):
    """A request of somebody who may make it."""

    user: User
    scopes: frozenset[Action] | None = None  # of a token; None: signed in
    session: Session | None = None
    cookie: str = ""

    def may(self, action: Action) -> bool:
        return may(self.user.role, action, self.scopes)

    @property
    def rights(self) -> frozenset[Action]:
        """All that this request may do."""
        return frozenset(action for action in Action if self.may(action))

    @property
    def by(self) -> str:
        """The user's name in the audit log."""
        return f"user:{self.user.id}"

    def sees(self, department: str | None) -> bool:
        """Whether something of this department is theirs to see."""
        return self.user.department in (None, department)


class Authenticator:
    """Lets requests in."""

    def __init__(self, ctx: EngineContext, let_in: Authentication, settings: Settings) -> None:
        self._ctx = ctx
        self._authentication = let_in
        self._origin = origin_of(settings.public_url)
        self._secure = settings.public_url.startswith("https://")
        self.cookie = "__Host-session" if self._secure else "session"
        self.device = "__Host-device" if self._secure else "device"

    async def ask(
        self, request: Request, needs: Action | Footing, scopes: frozenset[Action] = NO_SCOPE
    ) -> Visitor:
        """Who asks, when they may: Asked unless the address is open.

        `scopes`: where no action is needed, a token that is limited to some actions must have one of
        these. Without them such a token may not use the address.

        Raises:
            NotSignedIn: nobody we know.
            NotAllowed: their role or token does not allow it.
        """
        if needs is Footing.OPEN:
            self._check_origin(request)
            return Visitor(request, language_of(request))
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            asked = await self._bearer(request, token.strip())
        else:
            asked = await self._browser(request, entering=needs is Footing.ENTERING)
        if not _enough(asked, needs, scopes):
            raise NotAllowed("your role does not include this", key="not_allowed")
        return asked

    async def _bearer(self, request: Request, token: str) -> Asked:
        now, hashed = self._ctx.clock.now(), hash_of(token)
        owner = await self._ctx.store.read(lambda tx: accounts.by_token(tx, hashed, now))
        if owner is None:
            raise NotSignedIn("this token is not valid", key="sign_in")
        user, scopes = owner
        return Asked(request, language_of(request, user), user, scopes)

    async def _browser(self, request: Request, *, entering: bool) -> Asked:
        cookie = request.cookies.get(self.cookie, "")
        if not cookie:
            raise NotSignedIn("sign in, please", key="sign_in")
        session, lacks = await self._authentication.session(cookie)
        language = language_of(request, session.user)
        step = f"{request.method} {request.url.path.removeprefix(API)}"
        if lacks is not Next.READY and not (entering and step in STEPS[lacks]):
            raise NotSignedIn("finish signing in, please", key="sign_in")
        if entering and step not in STEPS[lacks]:
            raise Impossible("this step is not due", key="step_not_due")
        self._check_origin(request)
        if request.method not in SAFE:
            given = request.headers.get(CSRF_HEADER, "").encode()
            if not hmac.compare_digest(given, self.csrf(cookie).encode()):
                raise NotAllowed("the page is out of date; reload it", key="reload")
        return Asked(request, language, session.user, None, session, cookie)

    def _check_origin(self, request: Request) -> None:
        """What changes something is asked for by our own pages only.

        Raises:
            NotAllowed: another site asks.
        """
        if request.method not in SAFE and not from_own_page(request.headers, self._origin):
            raise NotAllowed("the page is out of date; reload it", key="reload")

    def csrf(self, cookie: str) -> str:
        """What our own pages prove their intent with."""
        return hmac.digest(self._ctx.secret, f"csrf:{cookie}".encode(), hashlib.sha256).hex()

    def remember(self, response: Response, cookie: str) -> None:
        """Give the browser its session."""
        response.set_cookie(
            self.cookie, cookie, path="/", secure=self._secure, httponly=True, samesite="strict"
        )

    def source(self, request: Request) -> Source:
        """Where a request comes from, as attempts are counted."""
        address = "" if request.client is None else request.client.host
        device = request.cookies.get(self.device, "")
        return Source(address, hash_of(device) if device else "")

    def remember_device(self, asked: Visitor) -> Source:
        """Where the request comes from, in a browser that is known from now on if this goes well."""
        source = self.source(asked.request)
        if source.device:
            return source
        token, hashed = new_token()

        def remember(response: Response) -> None:
            response.set_cookie(
                self.device,
                token,
                path="/",
                max_age=YEAR_S,
                secure=self._secure,
                httponly=True,
                samesite="strict",
            )

        asked.then.append(remember)
        return Source(source.address, hashed)

    def forget(self, response: Response) -> None:
        response.delete_cookie(
            self.cookie, path="/", secure=self._secure, httponly=True, samesite="strict"
        )


def _enough(asked: Asked, needs: Action | Footing, scopes: frozenset[Action]) -> bool:
    """Whether role and token suffice."""
    if isinstance(needs, Action):
        return asked.may(needs)
    if needs is Footing.IN:
        return asked.scopes is None or bool(asked.scopes & scopes)
    return asked.session is not None


def language_of(request: Request, user: User | None = None) -> str:
    """As chosen in this browser, else as the user has it, else as the browser asks, else Danish.

    The user's language is kept with the request: an error that ends it is answered in it, too.
    """
    if user is not None:
        request.state.language = user.language
    chosen = request.cookies.get("language", "") or getattr(request.state, "language", "")
    chosen = chosen or request.headers.get("accept-language", "")[:2].lower()
    return chosen if chosen in LANGUAGES else LANGUAGES[0]


def from_own_page(headers: Mapping[str, str], own: str) -> bool:
    """Whether one of our own pages asks, as far as the browser says; `own` is their origin.

    Browsers name the origin of whatever changes something; what is no browser says neither.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    return headers.get("origin", own) == own


def origin_of(url: str) -> str:
    """As browsers write it: without a path, and without the scheme's usual port."""
    parts = urlsplit(url)
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = "" if parts.port in (None, usual) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"
