"""Errors as problem details (RFC 9457), with a sentence in the user's language."""

from http import HTTPStatus
from typing import Any

import structlog
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from callserver import texts
from callserver.console.authentication import language_of
from callserver.console.endpoint import TooLarge, Unstorable
from callserver.console.headers import ALWAYS
from callserver.domain.listening import Denial
from callserver.domain.notice import MayHoldNumber
from callserver.domain.validation_messages import sentence
from callserver.engine.accounts.authentication import NotSignedIn
from callserver.engine.dialing.manual_dial import DialRefused
from callserver.engine.listening.sessions import Denied
from callserver.engine.outcomes.record import NotAgreed
from callserver.errors import (
    CallserverError,
    ConfigurationProblem,
    Impossible,
    NotAllowed,
    NotFound,
    TooMany,
)

_STATUS: tuple[tuple[type[CallserverError], HTTPStatus], ...] = (
    (TooMany, HTTPStatus.TOO_MANY_REQUESTS),
    (Unstorable, HTTPStatus.UNPROCESSABLE_ENTITY),
    (TooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (NotSignedIn, HTTPStatus.UNAUTHORIZED),
    (NotAllowed, HTTPStatus.FORBIDDEN),
    (NotFound, HTTPStatus.NOT_FOUND),
    (Impossible, HTTPStatus.CONFLICT),
    (ConfigurationProblem, HTTPStatus.CONFLICT),
)


log = structlog.get_logger(__name__)


class Problem(BaseModel):
    """A problem document."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    reasons: list[str] | None = None  # of the gate's refusal
    next_at: str | None = None  # when the rules permit it again
    confirm: str | None = None  # the field that confirms the same request


def problem(status: HTTPStatus, detail: str, **more: Any) -> Response:
    """A response with a problem document."""
    document = Problem(title=status.phrase, status=status, detail=detail, **more)
    body = document.model_dump_json(exclude_none=True).encode()
    return Response(body, status, ALWAYS, media_type="application/problem+json")


def said(error: CallserverError, language: str) -> str:
    """The error's sentence in the reader's language: its own, or that of its cause."""
    if error.key:
        return texts.say(language, f"error.{error.key}", **error.values)
    if isinstance(error.__cause__, texts.InvalidInput):
        return error.__cause__.sentence.in_language(language)
    return str(error) if language == "en" else texts.say(language, "page.error")


async def on_error(request: Request, error: Exception) -> Response:
    """Errors of callserver."""
    status = next(
        (status for kind, status in _STATUS if isinstance(error, kind)), HTTPStatus.BAD_REQUEST
    )
    language = language_of(request)
    if isinstance(error, DialRefused):
        next_at = error.refusal.next_at
        reasons = [reason.value for reason in error.refusal.reasons]
        return problem(
            status,
            " ".join(texts.say(language, f"reason.{reason}") for reason in reasons),
            reasons=reasons,
            next_at=None if next_at is None else next_at.isoformat(),
        )
    if isinstance(error, NotAgreed):
        return _not_agreed(error, language)
    if isinstance(error, Denied):
        return _denied(error, language)
    detail = said(error, language) if isinstance(error, CallserverError) else str(error)
    confirm = "has_no_number" if isinstance(error, MayHoldNumber) else None
    response = problem(status, detail, confirm=confirm)
    if status is HTTPStatus.UNAUTHORIZED:
        response.headers["www-authenticate"] = "Bearer"
    if isinstance(error, TooMany):
        response.headers["retry-after"] = str(error.retry_after_s)
    return response


def _not_agreed(error: NotAgreed, language: str) -> Response:
    why = " ".join(texts.say(language, f"reason.{reason}") for reason in error.reasons)
    key = "error.outside_hours" if error.confirmable else "error.call_back_refused"
    return problem(
        HTTPStatus.CONFLICT,
        texts.say(language, key, why=why),
        reasons=[reason.value for reason in error.reasons],
        next_at=None if error.next_at is None else error.next_at.isoformat(),
        confirm="confirm_outside_hours" if error.confirmable else None,
    )


def _denied(error: Denied, language: str) -> Response:
    """Why a user may not listen. A seat of another department is not found."""
    if Denial.DEPARTMENT in error.reasons:
        return problem(HTTPStatus.NOT_FOUND, texts.say(language, "error.not_found"))
    permanent = {Denial.ROLE, Denial.NOT_MENTOR, Denial.NOT_SIGNED} & set(error.reasons)
    return problem(
        HTTPStatus.FORBIDDEN if permanent else HTTPStatus.CONFLICT,
        " ".join(texts.say(language, f"listen_no.{no.value}") for no in error.reasons),
        reasons=[no.value for no in error.reasons],
    )


async def on_unavailable(request: Request, error: Exception) -> Response:
    """The database is locked, full or out of reach: nothing was stored; the client may try again."""
    log.warning("not_served", path=request.url.path, error=type(error).__name__)
    response = problem(
        HTTPStatus.SERVICE_UNAVAILABLE, texts.say(language_of(request), "error.unavailable")
    )
    response.headers["retry-after"] = "5"
    return response


async def on_disconnect(_: Request, __: Exception) -> Response:
    """The client has disconnected: nobody reads this answer, and the server has not failed."""
    return Response(status_code=HTTPStatus.BAD_REQUEST)


async def on_crash(request: Request, _: Exception) -> Response:
    """An unexpected error: the log has the details, the answer only a general sentence."""
    said = texts.say(language_of(request), "page.error")
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, said)


async def on_invalid(request: Request, error: Exception) -> Response:
    """An invalid body: names each field and what is wrong with it, never its value."""
    language = language_of(request)
    errors = error.errors(include_input=False) if isinstance(error, ValidationError) else []
    sentences = "; ".join(
        f"{'.'.join(map(str, details['loc'])) or 'body'}: {sentence(details).in_language(language)}"
        for details in errors
    )
    return problem(
        HTTPStatus.UNPROCESSABLE_ENTITY, sentences or texts.say(language, "error.not_json")
    )
