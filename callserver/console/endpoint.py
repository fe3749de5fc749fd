"""How an address of the JSON API is declared: by the signature of one method.

`async def ready(self, request: UserRequest, body: Pause, campaign: str) -> SeatView`: `body` and `query`
are validated by their models, other parameters are parts of the path, the return type is the answer's
model, and the first line of the docstring is the summary. The OpenAPI document is made of the same.
"""

import hashlib
import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from callserver.console.authentication import (
    NO_SCOPE,
    Access,
    Authenticator,
    OpenRequest,
    UserRequest,
)
from callserver.domain.role import Action
from callserver.errors import Impossible, NotAllowed, NotFound

MOST_BYTES = 1024 * 1024
KEY_HEADER = "idempotency-key"


class Body(BaseModel):
    """A request body: closed, so that a misspelt key is an error and not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """The body of an answer."""

    model_config = ConfigDict(frozen=True)


class Done(Answer):
    """The request was carried out."""

    done: bool = True


Act = Callable[..., Awaitable[Any]]


class Unstorable(Impossible):
    """A body with a text that the database cannot store."""


class TooLarge(NotAllowed):
    """A body that is too large."""


@dataclass(frozen=True)
class Endpoint:
    """One address, and what a request needs to use it."""

    method: str
    path: str  # below /api/v1, with {names}
    needs: Action | Access
    act: Act
    scopes: frozenset[Action] = NO_SCOPE  # of tokens that may use it, where no action is needed
    makes: bool = False  # something, once for a key (engine/once.py)

    @cached_property
    def hints(self) -> Mapping[str, Any]:
        return get_type_hints(self.act)

    @property
    def body(self) -> type[BaseModel] | None:
        return self.hints.get("body")

    @property
    def query(self) -> type[BaseModel] | None:
        return self.hints.get("query")

    @property
    def answer(self) -> type[BaseModel] | None:
        """The answer's model; None: a file or a stream."""
        annotation = self.hints["return"]
        return (
            annotation
            if isinstance(annotation, type) and issubclass(annotation, BaseModel)
            else None
        )

    @property
    def summary(self) -> str:
        return (inspect.getdoc(self.act) or "").partition("\n")[0]

    @property
    def in_path(self) -> Mapping[str, type]:
        """The parts of the path, by name."""
        known = ("request", "body", "query", "return")
        return {name: kind for name, kind in self.hints.items() if name not in known}

    def route(self, authenticator: Authenticator) -> Route:
        """The address as Starlette serves it."""
        in_path, body_model, query_model = self.in_path, self.body, self.query

        async def serve(request: Request) -> Response:
            # First: a body may come slowly, and the user lose the right meanwhile.
            raw = b"" if body_model is None else await read(request)
            admit = partial(authenticator.authenticate, request, self.needs, self.scopes)
            user_request = await admit()
            given: dict[str, Any] = {
                name: _part(kind, request.path_params[name]) for name, kind in in_path.items()
            }
            if body_model is not None:
                given["body"] = body_model.model_validate_json(_storable(raw) or b"{}")
                if self.makes and isinstance(user_request, UserRequest):
                    user_request = replace(user_request, sent=_sent(user_request, raw))
            elif isinstance(user_request, UserRequest) and self.method != "GET":
                user_request = replace(user_request, admitted_again=admit)
            if query_model is not None:
                given["query"] = query_model.model_validate(dict(request.query_params))
            result = await self.act(user_request, **given)
            if isinstance(result, Response):
                return result
            body = result.model_dump_json(by_alias=True).encode()
            response = Response(body, media_type="application/json")
            for follow_up in user_request.then:
                follow_up(response)
            return response

        return Route(f"/api/v1{self.path}", serve, methods=[self.method])


def _part(kind: type, text: str) -> Any:
    """One part of the path; where an id is expected, any other text is not found."""
    if kind is not int:
        return text
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise NotFound("not found", key="not_found")
    return int(text)


def _sent(request: UserRequest, raw: bytes) -> str:
    """Names this request of this user; another body is another request. Empty: it has no key."""
    key = request.http.headers.get(KEY_HEADER, "")
    if not key:
        return ""
    parts = (str(request.user.id), request.http.url.path, key)
    return hashlib.sha256("\0".join(parts).encode() + b"\0" + raw).hexdigest()


def _storable(raw: bytes) -> bytes:
    if b"\\u0000" in raw:
        raise Unstorable("a text holds the character NUL, which no database takes", key="nul")
    return raw


async def read(request: Request, most: int = MOST_BYTES) -> bytes:
    """The body.

    Raises:
        TooLarge: it has more than `most` bytes.
    """
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > most:
            raise TooLarge("the body is too large", key="too_large")
    return bytes(content)


class Nothing(Body):
    """An empty body."""


__all__ = [
    "Access",
    "Answer",
    "Body",
    "Done",
    "Endpoint",
    "Nothing",
    "OpenRequest",
    "UserRequest",
    "read",
]
