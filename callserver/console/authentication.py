"""Authenticates requests: by a bearer token, or by a session's cookie with its CSRF value.

A browser sends the cookie with the request of any site; so a request that changes something must also
carry a header that only our own pages can set (the session's CSRF value).
"""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping
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
USER_HEADER = "x-user"  # whose page sends the request
YEAR_S = 365 * 24 * 3600
NO_SCOPE: frozenset[Action] = frozenset()
EVERY_SCOPE = frozenset(Action)


API = "/api/v1"


class Access(Enum):
    """What an address requires that needs no particular action."""

    OPEN = "open"  # nothing: no sign-in
    SIGNING_IN = "signing_in"  # a session whose sign-in may be incomplete: see STEPS
    SESSION = "session"  # a signed-in browser; no token
    SIGNED_IN = "signed_in"  # a signed-in browser, or a token: see Authenticator.authenticate


STEPS: Mapping[Next, frozenset[str]] = {
    Next.PASSWORD: frozenset({"GET /sign-in", "POST /sign-out", "POST /sign-in/password"}),
    Next.CODE_SETUP: frozenset(
        {"GET /sign-in", "POST /sign-out", "POST /sign-in/code-setup", "POST /sign-in/code"}
    ),
    Next.CODE: frozenset({"GET /sign-in", "POST /sign-out", "POST /sign-in/code"}),
    Next.CONFIRMATION: frozenset({"GET /sign-in", "POST /sign-out"}),
    Next.READY: frozenset({"GET /sign-in", "POST /sign-out", "POST /sign-in/password"}),
}
"""The SIGNING_IN requests that a session may make, by the step that is due.

Every other request needs a session with a complete sign-in.
"""


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """A request without a sign-in. `then`: functions that are applied to the response."""

    http: Request
    language: str
    then: list[Callable[[Response], None]] = field(default_factory=list, kw_only=True)


@dataclass(frozen=True, slots=True)
class UserRequest(OpenRequest):
    """A request of a user who may make it."""

    user: User
    scopes: frozenset[Action] | None = None  # of a token; None: signed in
    session: Session | None = None
    cookie: str = ""
    sent: str = ""  # names a request that may come again (engine/once.py); "": it has no key
    admitted_again: Callable[[], Awaitable[object]] | None = None  # after a body that took its time

    def may(self, action: Action) -> bool:
        return may(self.user.role, action, self.scopes)

    @property
    def rights(self) -> frozenset[Action]:
        """Every action that this request may do."""
        return frozenset(action for action in Action if self.may(action))

    @property
    def by(self) -> str:
        """The user's name in the audit log."""
        return f"user:{self.user.id}"

    def sees(self, department: str | None) -> bool:
        """Whether the user may see what belongs to this department."""
        return self.user.department in (None, department)


class Authenticator:
    """Authenticates and authorises requests."""

    def __init__(
        self, ctx: EngineContext, authentication: Authentication, settings: Settings
    ) -> None:
        self._ctx = ctx
        self._authentication = authentication
        self._origin = origin_of(settings.public_url)
        self.secure = settings.public_url.startswith("https://")
        self.cookie = "__Host-session" if self.secure else "session"
        self.device = "__Host-device" if self.secure else "device"

    async def authenticate(
        self, request: Request, needs: Action | Access, scopes: frozenset[Action] = NO_SCOPE
    ) -> OpenRequest:
        """The request with its user: a UserRequest unless the address is open.

        `scopes`: where no action is needed, a token with limited scopes must have one of these. Without
        them such a token may not use the address.

        Raises:
            NotSignedIn: no valid session or token.
            NotAllowed: the role or the token does not allow it.
        """
        if needs is Access.OPEN:
            self._check_origin(request)
            return OpenRequest(request, language_of(request))
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            user_request = await self._bearer(request, token.strip())
        else:
            user_request = await self._browser(request, signing_in=needs is Access.SIGNING_IN)
        if not _is_allowed(user_request, needs, scopes):
            raise NotAllowed("your role does not include this", key="not_allowed")
        return user_request

    async def _bearer(self, request: Request, token: str) -> UserRequest:
        now, hashed = self._ctx.clock.now(), hash_of(token)
        owner = await self._ctx.store.peek(lambda tx: accounts.by_token(tx, hashed, now))
        if owner is None:
            raise NotSignedIn("this token is not valid", key="sign_in")
        user, scopes = owner
        return UserRequest(request, language_of(request, user), user, scopes)

    async def _browser(self, request: Request, *, signing_in: bool) -> UserRequest:
        cookie = request.cookies.get(self.cookie, "")
        if not cookie:
            raise NotSignedIn("sign in, please", key="sign_in")
        session, due_step = await self._authentication.session(cookie)
        # Until then the user sees the sign-in page, which has the browser's language.
        language = language_of(request, session.user if due_step is Next.READY else None)
        step = f"{request.method} {request.url.path.removeprefix(API)}"
        if due_step is not Next.READY and not (signing_in and step in STEPS[due_step]):
            raise NotSignedIn("finish signing in, please", key="sign_in")
        if signing_in and step not in STEPS[due_step]:
            raise Impossible("this step is not due", key="step_not_due")
        self._check_origin(request)
        if request.method not in SAFE:
            given = request.headers.get(CSRF_HEADER, "").encode()
            if not hmac.compare_digest(given, self.csrf(cookie).encode()):
                raise NotAllowed("the page is out of date; reload it", key="reload")
        if not signing_in:
            check_page_of(session.user, request.headers.get(USER_HEADER, ""))
        return UserRequest(request, language, session.user, None, session, cookie)

    def _check_origin(self, request: Request) -> None:
        """Only our own pages may send requests that change something.

        Raises:
            NotAllowed: the request comes from another site.
        """
        if request.method not in SAFE and not from_own_page(request.headers, self._origin):
            raise NotAllowed("the page is out of date; reload it", key="reload")

    def csrf(self, cookie: str) -> str:
        """The value that our own pages send with a request that changes something."""
        return hmac.digest(self._ctx.secret, f"csrf:{cookie}".encode(), hashlib.sha256).hex()

    def remember(self, response: Response, cookie: str) -> None:
        """Set the session's cookie."""
        response.set_cookie(
            self.cookie, cookie, path="/", secure=self.secure, httponly=True, samesite="strict"
        )

    def source(self, request: Request) -> Source:
        """The source of a request, by which attempts are counted."""
        address = "" if request.client is None else request.client.host
        device = request.cookies.get(self.device, "")
        return Source(address, hash_of(device) if device else "")

    def remember_device(self, user_request: OpenRequest) -> Source:
        """The source of the request. A new browser gets a device cookie with a successful response."""
        source = self.source(user_request.http)
        if source.device:
            return source
        token, hashed = new_token()

        def remember(response: Response) -> None:
            response.set_cookie(
                self.device,
                token,
                path="/",
                max_age=YEAR_S,
                secure=self.secure,
                httponly=True,
                samesite="strict",
            )

        user_request.then.append(remember)
        return Source(source.address, hashed)

    def forget(self, response: Response) -> None:
        response.delete_cookie(
            self.cookie, path="/", secure=self.secure, httponly=True, samesite="strict"
        )


def check_page_of(user: User, id_on_page: str) -> None:
    """The page of one user shows nothing to the next, who has signed in in another tab of the browser.

    Raises:
        NotAllowed: it is another user's page.
    """
    if id_on_page not in ("", str(user.id)):
        raise NotAllowed("the page is out of date; reload it", key="reload")


def _is_allowed(
    user_request: UserRequest, needs: Action | Access, scopes: frozenset[Action]
) -> bool:
    """Whether role and token allow it."""
    if isinstance(needs, Action):
        return user_request.may(needs)
    if needs is Access.SIGNED_IN:
        return user_request.scopes is None or bool(user_request.scopes & scopes)
    return user_request.session is not None


def language_of(request: Request, user: User | None = None) -> str:
    """The language chosen in this browser, else the user's, else the browser's, else Danish.

    The user's language is kept with the request, so that errors are answered in it as well.
    """
    if user is not None:
        request.state.language = user.language
    chosen = request.cookies.get("language", "") or getattr(request.state, "language", "")
    chosen = chosen or request.headers.get("accept-language", "")[:2].lower()
    return chosen if chosen in LANGUAGES else LANGUAGES[0]


def from_own_page(headers: Mapping[str, str], own: str) -> bool:
    """Whether one of our own pages sent the request, according to the browser; `own` is their origin.

    Browsers send the origin with requests that change something; other clients send neither header.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    return headers.get("origin", own) == own


def origin_of(url: str) -> str:
    """A URL's origin as browsers write it: without a path and without the scheme's default port."""
    parts = urlsplit(url)
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = "" if parts.port in (None, usual) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"
