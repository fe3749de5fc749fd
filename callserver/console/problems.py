"""Errors as problem details (RFC 9457), with a sentence in the user's language."""

from http import HTTPStatus
from typing import Any

import structlog
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from callserver import texts
from callserver.console.authentication import language_of
from callserver.console.endpoint import TooLarge, Unwritable
from callserver.console.headers import ALWAYS
from callserver.domain.listening import Denial
from callserver.domain.validation_messages import sentence
from callserver.engine.accounts.authentication import NotSignedIn
from callserver.engine.dialing.manual_dial import Refused
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
    (Unwritable, HTTPStatus.UNPROCESSABLE_ENTITY),
    (TooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (NotSignedIn, HTTPStatus.UNAUTHORIZED),
    (NotAllowed, HTTPStatus.FORBIDDEN),
    (NotFound, HTTPStatus.NOT_FOUND),
    (Impossible, HTTPStatus.CONFLICT),
    (ConfigurationProblem, HTTPStatus.CONFLICT),
)


log = structlog.get_logger(__name__)


class Problem(BaseModel):
    """What went wrong."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    reasons: list[str] | None = None  # the gate's, when it said no
    next_at: str | None = None  # when the rules next say yes
    confirm: str | None = None  # the field that, set in the same request, confirms it


def problem(status: HTTPStatus, detail: str, **more: Any) -> Response:
    """One problem document."""
    made = Problem(title=status.phrase, status=status, detail=detail, **more)
    body = made.model_dump_json(exclude_none=True).encode()
    return Response(body, status, ALWAYS, media_type="application/problem+json")


def said(error: CallserverError, language: str) -> str:
    """The error's sentence in the reader's language: its own, or that of what it was raised from."""
    if error.key:
        return texts.say(language, f"error.{error.key}", **error.values)
    if isinstance(error.__cause__, texts.InvalidInput):
        return error.__cause__.sentence.in_language(language)
    return str(error) if language == "en" else texts.say(language, "page.error")


async def on_error(request: Request, error: Exception) -> Response:
    """Our own errors."""
    status = next(
        (status for kind, status in _STATUS if isinstance(error, kind)), HTTPStatus.BAD_REQUEST
    )
    language = language_of(request)
    if isinstance(error, Refused):
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
    response = problem(status, detail)
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
    """Why somebody may not listen. A seat of another department does not exist for them."""
    if Denial.DEPARTMENT in error.reasons:
        return problem(HTTPStatus.NOT_FOUND, texts.say(language, "error.not_found"))
    standing = {Denial.ROLE, Denial.NOT_MENTOR} & set(error.reasons)
    return problem(
        HTTPStatus.FORBIDDEN if standing else HTTPStatus.CONFLICT,
        " ".join(texts.say(language, f"listen_no.{no.value}") for no in error.reasons),
        reasons=[no.value for no in error.reasons],
    )


async def on_unavailable(request: Request, error: Exception) -> Response:
    """The database is locked, full or out of reach: nothing was kept, and trying again may help."""
    log.warning("not_served", path=request.url.path, error=type(error).__name__)
    response = problem(
        HTTPStatus.SERVICE_UNAVAILABLE, texts.say(language_of(request), "error.unavailable")
    )
    response.headers["retry-after"] = "5"
    return response


async def on_disconnect(_: Request, __: Exception) -> Response:
    """The client is gone: nobody reads this answer, and nothing is wrong with the server."""
    return Response(status_code=HTTPStatus.BAD_REQUEST)


async def on_crash(request: Request, _: Exception) -> Response:
    """An error of our own making: the log has it, the answer says only that there was one."""
    said = texts.say(language_of(request), "page.error")
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, said)


async def on_invalid(request: Request, error: Exception) -> Response:
    """A body that does not fit; names each field and what is wrong with it, never its value."""
    language = language_of(request)
    errors = error.errors(include_input=False) if isinstance(error, ValidationError) else []
    told = "; ".join(
        f"{'.'.join(map(str, problem_found['loc'])) or 'body'}: {sentence(problem_found).in_language(language)}"
        for problem_found in errors
    )
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, told or texts.say(language, "error.not_json"))
