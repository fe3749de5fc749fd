"""Pages: plain HTML from templates, small ES modules beside it, and headers that allow nothing else."""

import hashlib
import mimetypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from importlib.resources import files
from typing import Any

import jinja2
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from callserver import texts
from callserver.console.authentication import (
    YEAR_S,
    Asked,
    Authenticator,
    Footing,
    Visitor,
    language_of,
)
from callserver.console.problems import problem
from callserver.domain.audit import EntryKind
from callserver.domain.role import Action
from callserver.engine.accounts.authentication import NotSignedIn
from callserver.errors import NotAllowed

PACKAGE = "callserver.console"


@dataclass(frozen=True, slots=True)
class Page:
    """One page. It is `templates/<name>.html`, `assets/<name>.js` and the text `<name>.title`."""

    name: str
    path: str
    needs: Action | Footing
    listed: bool = True  # in the navigation of those who may see it


PAGES = (
    Page("sign_in", "/sign-in", Footing.OPEN, listed=False),
    Page("phone", "/phone", Action.PHONE),
    Page("floor", "/floor", Action.SEE_FLOOR),
    Page("who_called", "/who-called", Action.LOOK_UP),
    Page("reports", "/reports", Action.SEE_REPORTS),
    Page("rules", "/rules", Action.SEE_RULES),
    Page("lists", "/lists", Action.EXPORT),
    Page("suppressions", "/suppressions", Action.SUPPRESS),
    Page("accounts", "/accounts", Action.ACCOUNTS),
    Page("log", "/log", Action.SEE_AUDIT),
    Page("books", "/books", Footing.IN),
)
"""In the order of the navigation; the first that a user may see is their front page."""


class Pages:
    """The routes of pages and what belongs to them."""

    def __init__(
        self, door: Authenticator, connect: Sequence[str] = (), pages: Sequence[Page] = PAGES
    ) -> None:
        self._authenticator = door
        self._pages = pages
        self._assets = _assets()
        self._revision = _revision(self._assets)
        self._env = jinja2.Environment(
            loader=jinja2.PackageLoader(PACKAGE),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._headers = _headers(connect)

    def routes(self) -> list[Route]:
        return [
            Route("/", self._home),
            Route("/assets/{revision}/texts.{language}.json", self._texts),
            Route("/assets/{revision}/{path:path}", self._asset),
            *(Route(page.path, self._serve(page)) for page in self._pages),
        ]

    def _serve(self, page: Page) -> Callable[[Request], Any]:
        async def serve(request: Request) -> Response:
            if request.query_params.get("language") in texts.LANGUAGES:
                return self._speak(request)
            try:
                asked = await self._authenticator.ask(request, page.needs)
            except NotSignedIn:
                return self._elsewhere("/sign-in")
            except NotAllowed:
                return self.lost(request)
            return self._render(page.name, asked)

        return serve

    async def _home(self, request: Request) -> Response:
        try:
            asked = await self._authenticator.ask(request, Footing.IN)
        except NotAllowed:
            return self._elsewhere("/sign-in")
        seen = self._listed(asked)
        return self._elsewhere(seen[0].path) if seen else self.lost(request)

    async def on_http(self, request: Request, error: Exception) -> Response:
        """What the router says: a page for people, a problem for machines, a code for the provider."""
        status = HTTPStatus(error.status_code if isinstance(error, HTTPException) else 500)
        headers = error.headers if isinstance(error, HTTPException) else None  # which methods fit
        path, language = request.url.path, language_of(request)
        if path.startswith("/api/"):
            known = status in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)
            said = texts.say(language, f"error.http_{status.value}" if known else "page.error")
            answer = problem(status, said)
            answer.headers.update(headers or {})
            return answer
        if path.startswith("/twilio/") or status is not HTTPStatus.NOT_FOUND:
            return Response(status_code=status, headers=headers)
        return self.lost(request)

    def lost(self, request: Request) -> Response:
        """There is no such page, or not for this user: the same answer."""
        visitor = Visitor(request, language_of(request))
        return self._render("not_found", visitor, HTTPStatus.NOT_FOUND)

    def _listed(self, asked: Visitor) -> list[Page]:
        if not isinstance(asked, Asked):
            return []
        return [page for page in self._pages if page.listed and _open_to(asked, page.needs)]

    def _render(self, name: str, asked: Visitor, status: HTTPStatus = HTTPStatus.OK) -> Response:
        language = asked.language
        somebody = asked if isinstance(asked, Asked) else None
        values = {
            "page": name,
            "language": language,
            "other": next(code for code in texts.LANGUAGES if code != language),
            "t": lambda key, **values: texts.say(language, key, **values),
            "assets": f"/assets/{self._revision}",
            "listed": self._listed(asked),
            "user": None if somebody is None else somebody.user,
            "csrf": "" if somebody is None else self._authenticator.csrf(somebody.cookie),
            "may": (lambda _: False) if somebody is None else somebody.may,
            "entering": self._authenticator.cookie in asked.request.cookies,
            "action": Action,
            "kinds": sorted(EntryKind, key=lambda kind: texts.say(language, f"kind.{kind.value}")),
        }
        body = self._env.get_template(f"{name}.html").render(values)
        return Response(body, status, self._headers, media_type="text/html")

    def _speak(self, request: Request) -> Response:
        """The language was chosen by its link: remembered in this browser."""
        response = self._elsewhere(request.url.path)
        chosen = request.query_params["language"]
        response.set_cookie("language", chosen, path="/", max_age=YEAR_S, samesite="strict")
        return response

    def _elsewhere(self, path: str) -> Response:
        return RedirectResponse(path, HTTPStatus.SEE_OTHER, self._headers)

    async def _texts(self, request: Request) -> Response:
        language = request.path_params["language"]
        if language not in texts.LANGUAGES:
            return Response(status_code=HTTPStatus.NOT_FOUND)
        return JSONResponse(texts.catalogue(language), headers=self._kept(request))

    async def _asset(self, request: Request) -> Response:
        path = request.path_params["path"]
        if path not in self._assets:
            return Response(status_code=HTTPStatus.NOT_FOUND)
        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        return Response(self._assets[path], media_type=kind, headers=self._kept(request))

    def _kept(self, request: Request) -> dict[str, str]:
        """The address names the content, so the browser may keep it for ever; another one it may not."""
        same = request.path_params["revision"] == self._revision
        return {
            "cache-control": f"public, max-age={YEAR_S}, immutable" if same else "no-store",
            "x-content-type-options": "nosniff",
        }


def _open_to(asked: Asked, needs: Action | Footing) -> bool:
    return asked.may(needs) if isinstance(needs, Action) else needs is Footing.IN


def _assets() -> Mapping[str, bytes]:
    """Every file under assets/, read once."""
    found: dict[str, bytes] = {}

    def walk(folder: Any, before: str) -> None:
        for entry in folder.iterdir():
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                walk(entry, f"{before}{entry.name}/")
            else:
                found[f"{before}{entry.name}"] = entry.read_bytes()

    walk(files(PACKAGE).joinpath("assets"), "")
    return found


def _revision(assets: Mapping[str, bytes]) -> str:
    hashed = hashlib.sha256()
    for path in sorted(assets):
        hashed.update(path.encode() + b"\0" + hashlib.sha256(assets[path]).digest())
    for language in texts.LANGUAGES:
        hashed.update(repr(sorted(texts.catalogue(language).items())).encode())
    return hashed.hexdigest()[:12]


def _headers(connect: Sequence[str]) -> dict[str, str]:
    """What a page may do: its own scripts, styles and addresses, the microphone, nothing else."""
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "media-src": " ".join(
            ["'self'", "blob:", *(source for source in connect if "https" in source)]
        ),
        "connect-src": " ".join(["'self'", *connect]),
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    return {
        "content-security-policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "cross-origin-opener-policy": "same-origin",
        "permissions-policy": "microphone=(self), camera=(), geolocation=()",
    }
