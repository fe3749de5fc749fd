"""Errors as problem details (RFC 9457), with a sentence that a person understands."""

from http import HTTPStatus
from typing import Any

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from callserver.console.sign_in import NotSignedIn
from callserver.engine.dialer import Refused
from callserver.errors import CallserverError, Impossible, NotAllowed, NotFound


class Unwritable(CallserverError):  # noqa: N818 - what it is, as its neighbours
    """A body that says something which no database keeps."""


_STATUS: tuple[tuple[type[CallserverError], HTTPStatus], ...] = (
    (NotSignedIn, HTTPStatus.UNAUTHORIZED),
    (NotAllowed, HTTPStatus.FORBIDDEN),
    (NotFound, HTTPStatus.NOT_FOUND),
    (Impossible, HTTPStatus.CONFLICT),
    (Unwritable, HTTPStatus.UNPROCESSABLE_ENTITY),
)


def problem(status: HTTPStatus, detail: str, **more: Any) -> Response:
    """One problem document."""
    body = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail}
    return JSONResponse(body | more, status, media_type="application/problem+json")


async def on_error(_: Request, error: Exception) -> Response:
    """Our own errors."""
    status = next(
        (status for kind, status in _STATUS if isinstance(error, kind)), HTTPStatus.BAD_REQUEST
    )
    if isinstance(error, Refused):
        next_at = error.refusal.next_at
        return problem(
            status,
            f"the gate said no: {error}",
            reasons=[reason.value for reason in error.refusal.reasons],
            next_at=None if next_at is None else next_at.isoformat(),
        )
    response = problem(status, str(error))
    if status is HTTPStatus.UNAUTHORIZED:
        response.headers["www-authenticate"] = "Bearer"
    return response


async def on_http(request: Request, error: Exception) -> Response:
    """What the router says: no such address, not this method. Only people read more than the code."""
    status = HTTPStatus(error.status_code if isinstance(error, HTTPException) else 500)
    headers = error.headers if isinstance(error, HTTPException) else None  # which methods do fit
    if not request.url.path.startswith("/api/"):
        return Response(status_code=status, headers=headers)
    said = {
        HTTPStatus.NOT_FOUND: "there is no such address",
        HTTPStatus.METHOD_NOT_ALLOWED: f"{request.method} does not fit this address",
    }
    answer = problem(status, said.get(status, status.phrase))
    answer.headers.update(headers or {})
    return answer


async def on_invalid(_: Request, error: Exception) -> Response:
    """A body that does not fit; names each field and what is wrong with it, never its value."""
    found = error.errors() if isinstance(error, ValidationError) else []
    said = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg']}" for e in found)
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, said or "the body is not JSON")
