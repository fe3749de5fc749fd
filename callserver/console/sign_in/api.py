"""Signing in and out, and the signed-in user."""

import io
from typing import Literal

import segno
from pydantic import AwareDatetime, Field
from starlette.responses import Response

from callserver.console.authentication import EVERY_SCOPE, YEAR_S, Authenticator
from callserver.console.endpoint import (
    Access,
    Answer,
    Body,
    Done,
    Endpoint,
    Nothing,
    OpenRequest,
    UserRequest,
)
from callserver.database.accounts import Session
from callserver.domain.role import Action
from callserver.engine.accounts.authentication import Authentication, Next, NotSignedIn
from callserver.engine.context import EngineContext


class Credentials(Body):
    handle: str = Field(min_length=1, max_length=100)
    password: str = Field(min_length=1, max_length=200)


class SignInState(Answer):
    """The next step of the sign-in, and the session's CSRF value."""

    next: Next
    csrf: str


class NewPassword(Body):
    new: str = Field(max_length=200)
    old: str = Field(default="", max_length=200)


class Code(Body):
    code: str = Field(min_length=6, max_length=12)
    key: str | None = Field(default=None, max_length=64)  # during the set-up of an authenticator


class CodeSetupView(Answer):
    """The key for an authenticator, as text and as a QR code."""

    key: str
    uri: str
    picture: str  # SVG


class Language(Body):
    language: Literal["da", "en"]


class Me(Answer):
    id: int
    handle: str
    name: str
    role: str
    department: str | None
    language: str
    may: list[Action]
    refused_attempts: int  # failed attempts to sign in as me, since I last acknowledged them
    refused_at: AwareDatetime | None  # the latest


class SignInApi:
    """Signs users in and out."""

    def __init__(
        self, ctx: EngineContext, authentication: Authentication, authenticator: Authenticator
    ) -> None:
        self._ctx = ctx
        self._authentication = authentication
        self._authenticator = authenticator

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("POST", "/sign-in", Access.OPEN, self.sign_in),
            Endpoint("GET", "/sign-in", Access.SIGNING_IN, self.state),
            Endpoint("POST", "/sign-in/password", Access.SIGNING_IN, self.password),
            Endpoint("POST", "/sign-in/code-setup", Access.SIGNING_IN, self.code_setup),
            Endpoint("POST", "/sign-in/code", Access.SIGNING_IN, self.code),
            Endpoint("POST", "/sign-out", Access.SIGNING_IN, self.sign_out),
            Endpoint("GET", "/me", Access.SIGNED_IN, self.me, EVERY_SCOPE),
            Endpoint("POST", "/me/language", Access.SESSION, self.language),
            Endpoint("POST", "/me/refused-attempts", Access.SESSION, self.attempts_seen),
        ]

    async def sign_in(self, request: OpenRequest, body: Credentials) -> SignInState:
        """Sign in with name and password; the answer holds the next step."""
        source = self._authenticator.remember_device(request)
        cookie, due_step = await self._authentication.sign_in(body.handle, body.password, source)
        request.then.append(lambda response: self._authenticator.remember(response, cookie))
        return SignInState(next=due_step, csrf=self._authenticator.csrf(cookie))

    async def state(self, request: UserRequest) -> SignInState:
        """The state of this session's sign-in."""
        _session(request)
        _, due_step = await self._authentication.session(request.cookie)
        return SignInState(next=due_step, csrf=self._authenticator.csrf(request.cookie))

    async def password(self, request: UserRequest, body: NewPassword) -> SignInState:
        """Choose a new password; the old one is required unless it was a one-time password."""
        session = _session(request)
        if session.password_once:
            await self._authentication.choose_password(request.cookie, session, body.new)
        else:
            source = self._authenticator.source(request.http)
            await self._authentication.change_password(
                request.cookie, session, body.old, body.new, source
            )
        return await self.state(request)

    async def code_setup(self, request: UserRequest, body: Nothing) -> CodeSetupView:
        """A new key for an authenticator; it takes effect when one of its codes is entered."""
        del body
        setup = self._authentication.set_up_code(_session(request).user)
        picture = io.BytesIO()
        segno.make(setup.uri).save(picture, kind="svg", scale=4, xmldecl=False, svgclass=None)
        return CodeSetupView(key=setup.key, uri=setup.uri, picture=picture.getvalue().decode())

    async def code(self, request: UserRequest, body: Code) -> SignInState:
        """Enter a one-time code."""
        source = self._authenticator.remember_device(request)
        await self._authentication.give_code(
            request.cookie, _session(request), body.code, source, body.key
        )
        return await self.state(request)

    async def sign_out(self, request: UserRequest, body: Nothing) -> Done:
        """End this session."""
        del body
        _session(request)
        await self._authentication.sign_out(request.cookie, request.user)
        request.then.append(self._authenticator.forget)
        return Done()

    async def me(self, request: UserRequest) -> Me:
        """The signed-in user and their rights."""
        user = request.user
        refused, at = await self._authentication.refused_attempts(user)
        return Me(
            refused_attempts=refused,
            refused_at=at,
            id=user.id,
            handle=user.handle,
            name=user.name,
            role=user.role,
            department=user.department,
            language=request.language,
            may=[action for action in Action if request.may(action)],
        )

    async def attempts_seen(self, request: UserRequest, body: Nothing) -> Done:
        """Acknowledge the failed attempts to sign in as me."""
        del body
        await self._authentication.attempts_seen(request.user)
        return Done()

    async def language(self, request: UserRequest, body: Language) -> Done:
        """Set my language."""
        chosen = body.language
        await self._authentication.choose_language(request.user, chosen)

        def remember(response: Response) -> None:
            response.set_cookie("language", chosen, path="/", max_age=YEAR_S, samesite="strict")

        request.then.append(remember)
        return Done()


def _session(request: UserRequest) -> Session:
    """The browser's session.

    Raises:
        NotSignedIn: the request has a token instead.
    """
    if request.session is None:
        raise NotSignedIn("this is for signed-in browsers", key="sign_in")
    return request.session
