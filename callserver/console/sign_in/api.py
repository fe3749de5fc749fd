"""Signing in and out, and who I am."""

import io
from typing import Literal

import segno
from pydantic import AwareDatetime, Field
from starlette.responses import Response

from callserver.console.authentication import EVERY_SCOPE, YEAR_S, Authenticator
from callserver.console.endpoint import (
    Answer,
    Asked,
    Body,
    Done,
    Endpoint,
    Footing,
    Nothing,
    Visitor,
)
from callserver.database.accounts import Session
from callserver.domain.role import Action
from callserver.engine.accounts.authentication import Authentication, Next, NotSignedIn
from callserver.engine.context import EngineContext


class Credentials(Body):
    handle: str = Field(min_length=1, max_length=100)
    password: str = Field(min_length=1, max_length=200)


class Standing(Answer):
    """What is still owed before anything may be done, and what pages prove their intent with."""

    next: Next
    csrf: str


class NewPassword(Body):
    new: str = Field(max_length=200)
    old: str = Field(default="", max_length=200)


class Code(Body):
    code: str = Field(min_length=6, max_length=12)
    key: str | None = Field(default=None, max_length=64)  # while an authenticator is set up


class CodeSetupView(Answer):
    """What an authenticator reads: as a picture, or by hand."""

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
    refused_attempts: int  # failed attempts to sign in as me that I have not seen yet
    refused_at: AwareDatetime | None  # the latest


class SignInApi:
    """In, out, and who I am."""

    def __init__(self, ctx: EngineContext, let_in: Authentication, door: Authenticator) -> None:
        self._ctx = ctx
        self._authentication = let_in
        self._authenticator = door

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint("POST", "/sign-in", Footing.OPEN, self.sign_in),
            Endpoint("GET", "/sign-in", Footing.ENTERING, self.standing),
            Endpoint("POST", "/sign-in/password", Footing.ENTERING, self.password),
            Endpoint("POST", "/sign-in/code-setup", Footing.ENTERING, self.code_setup),
            Endpoint("POST", "/sign-in/code", Footing.ENTERING, self.code),
            Endpoint("POST", "/sign-out", Footing.ENTERING, self.sign_out),
            Endpoint("GET", "/me", Footing.IN, self.me, EVERY_SCOPE),
            Endpoint("POST", "/me/language", Footing.SESSION, self.language),
            Endpoint("POST", "/me/refused-attempts", Footing.SESSION, self.attempts_seen),
        ]

    async def sign_in(self, asked: Visitor, body: Credentials) -> Standing:
        """Sign in with name and password; the answer says what is still owed."""
        source = self._authenticator.remember_device(asked)
        cookie, lacks = await self._authentication.sign_in(body.handle, body.password, source)
        asked.then.append(lambda response: self._authenticator.remember(response, cookie))
        return Standing(next=lacks, csrf=self._authenticator.csrf(cookie))

    async def standing(self, asked: Asked) -> Standing:
        """What this session still owes."""
        _session(asked)
        _, lacks = await self._authentication.session(asked.cookie)
        return Standing(next=lacks, csrf=self._authenticator.csrf(asked.cookie))

    async def password(self, asked: Asked, body: NewPassword) -> Standing:
        """Choose a password of my own; the old one is asked for unless it was a one-time one."""
        session = _session(asked)
        if session.password_once:
            await self._authentication.choose_password(asked.cookie, session, body.new)
        else:
            source = self._authenticator.source(asked.request)
            await self._authentication.change_password(
                asked.cookie, session, body.old, body.new, source
            )
        return await self.standing(asked)

    async def code_setup(self, asked: Asked, body: Nothing) -> CodeSetupView:
        """A fresh key for an authenticator; it counts once a code of it was given."""
        del body
        made = self._authentication.set_up_code(_session(asked).user)
        picture = io.BytesIO()
        segno.make(made.uri).save(picture, kind="svg", scale=4, xmldecl=False, svgclass=None)
        return CodeSetupView(key=made.key, uri=made.uri, picture=picture.getvalue().decode())

    async def code(self, asked: Asked, body: Code) -> Standing:
        """Give a one-time code."""
        source = self._authenticator.remember_device(asked)
        await self._authentication.give_code(
            asked.cookie, _session(asked), body.code, source, body.key
        )
        return await self.standing(asked)

    async def sign_out(self, asked: Asked, body: Nothing) -> Done:
        """End this session."""
        del body
        _session(asked)
        await self._authentication.sign_out(asked.cookie, asked.user)
        asked.then.append(self._authenticator.forget)
        return Done()

    async def me(self, asked: Asked) -> Me:
        """Who I am and what I may do."""
        user = asked.user
        refused, at = await self._authentication.refused_attempts(user)
        return Me(
            refused_attempts=refused,
            refused_at=at,
            id=user.id,
            handle=user.handle,
            name=user.name,
            role=user.role,
            department=user.department,
            language=asked.language,
            may=[action for action in Action if asked.may(action)],
        )

    async def attempts_seen(self, asked: Asked, body: Nothing) -> Done:
        """I know of the failed attempts to sign in as me."""
        del body
        await self._authentication.attempts_seen(asked.user)
        return Done()

    async def language(self, asked: Asked, body: Language) -> Done:
        """Speak this language with me from now on."""
        chosen = body.language
        await self._authentication.choose_language(asked.user, chosen)

        def remember(response: Response) -> None:
            response.set_cookie("language", chosen, path="/", max_age=YEAR_S, samesite="strict")

        asked.then.append(remember)
        return Done()


def _session(asked: Asked) -> Session:
    """The browser's session.

    Raises:
        NotSignedIn: a token asks, which has none.
    """
    if asked.session is None:
        raise NotSignedIn("this is for signed-in browsers", key="sign_in")
    return asked.session
