"""Pages: HTML from templates, ES modules, and headers that allow nothing else."""

import hashlib
import mimetypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from itertools import groupby
from typing import Any

import jinja2
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from callserver import texts
from callserver.console.authentication import (
    YEAR_S,
    Access,
    Authenticator,
    OpenRequest,
    UserRequest,
    language_of,
)
from callserver.console.problems import problem
from callserver.domain.audit import EntryKind
from callserver.domain.role import Action
from callserver.engine.accounts.authentication import NotSignedIn
from callserver.engine.audit_log.feed import Feed
from callserver.errors import NotAllowed

PACKAGE = "callserver.console"


class Group(StrEnum):
    """A menu of the navigation. Its name is the text `page.group.<group>`."""

    PEOPLE = "people"
    CAMPAIGNS = "campaigns"
    TEAM = "team"
    ADMINISTRATION = "administration"


@dataclass(frozen=True, slots=True)
class Page:
    """One page. It is `templates/<name>.html`, `assets/<name>.js` and the text `<name>.title`."""

    name: str
    path: str
    needs: Action | Access
    group: Group | None = None  # None: a link of its own in the navigation
    listed: bool = True  # in the navigation of users who may see it


PAGES = (
    Page("sign_in", "/sign-in", Access.OPEN, listed=False),
    Page("role_play", "/role-play", Access.OPEN, listed=False),
    Page("phone", "/phone", Action.PHONE),
    Page("floor", "/floor", Action.SEE_FLOOR),
    Page("who_called", "/who-called", Action.LOOK_UP, Group.PEOPLE),
    Page("person", "/person", Action.LOOK_UP, Group.PEOPLE),
    Page("cases", "/cases", Action.SEE_CASES, Group.PEOPLE),
    Page("suppressions", "/suppressions", Action.SUPPRESS, Group.PEOPLE),
    Page("lists", "/lists", Action.EXPORT, Group.CAMPAIGNS),
    Page("rules", "/rules", Action.SEE_RULES, Group.CAMPAIGNS),
    Page("reports", "/reports", Action.SEE_REPORTS, Group.CAMPAIGNS),
    Page("applicants", "/applicants", Action.HIRE, Group.TEAM),
    Page("training", "/training", Access.SIGNED_IN, Group.TEAM),
    Page("support", "/support", Action.GIVE_SUPPORT, Group.TEAM),
    Page("books", "/books", Access.SIGNED_IN, Group.TEAM),
    Page("notices", "/notices", Access.SIGNED_IN, Group.TEAM),
    Page("survey", "/survey", Access.SIGNED_IN, Group.TEAM),
    Page("accounts", "/accounts", Action.ACCOUNTS, Group.ADMINISTRATION),
    Page("log", "/log", Action.SEE_AUDIT, Group.ADMINISTRATION),
)
"""In the order of the navigation, the pages of a group together; the first page that a user may see is their
front page."""


class Pages:
    """The routes of pages, assets and texts."""

    def __init__(
        self,
        authenticator: Authenticator,
        feed: Feed,
        connect: Sequence[str] = (),
        pages: Sequence[Page] = PAGES,
    ) -> None:
        self._authenticator = authenticator
        self._feed = feed
        self._pages = pages
        self._assets = _assets()
        self._revision = _revision()
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
                return self._choose_language(request)
            try:
                user_request = await self._authenticator.authenticate(request, page.needs)
            except NotSignedIn:
                return self._redirect("/sign-in")
            except NotAllowed:
                return self.not_found(request)
            is_signed_in = isinstance(user_request, UserRequest)
            position = str(await self._feed.end()) if is_signed_in else ""
            return self._render(page.name, user_request, log_position=position)

        return serve

    async def _home(self, request: Request) -> Response:
        try:
            user_request = await self._authenticator.authenticate(request, Access.SIGNED_IN)
        except NotAllowed:
            return self._redirect("/sign-in")
        listed = self._listed(user_request)
        return self._redirect(listed[0].path) if listed else self.not_found(request)

    async def on_http(self, request: Request, error: Exception) -> Response:
        """The router's errors: as a page, as a problem document for the API, as a status for the provider."""
        status = HTTPStatus(error.status_code if isinstance(error, HTTPException) else 500)
        # A 405 has the allowed methods.
        headers = error.headers if isinstance(error, HTTPException) else None
        path, language = request.url.path, language_of(request)
        if path.startswith("/api/"):
            known = status in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)
            said = texts.say(language, f"error.http_{status.value}" if known else "page.error")
            answer = problem(status, said)
            answer.headers.update(headers or {})
            return answer
        if path.startswith("/twilio/") or status is not HTTPStatus.NOT_FOUND:
            return Response(status_code=status, headers=headers)
        return self.not_found(request)

    def not_found(self, request: Request) -> Response:
        """The answer for a page that does not exist, or that this user may not see."""
        open_request = OpenRequest(request, language_of(request))
        return self._render("not_found", open_request, HTTPStatus.NOT_FOUND)

    def _listed(self, user_request: OpenRequest) -> list[Page]:
        if not isinstance(user_request, UserRequest):
            return []
        return [page for page in self._pages if page.listed and _open_to(user_request, page.needs)]

    def _render(
        self,
        name: str,
        user_request: OpenRequest,
        status: HTTPStatus = HTTPStatus.OK,
        log_position: str = "",
    ) -> Response:
        language = user_request.language
        signed_in = user_request if isinstance(user_request, UserRequest) else None
        values = {
            "page": name,
            "language": language,
            "log_position": log_position,
            "other": next(code for code in texts.LANGUAGES if code != language),
            "t": lambda key, **values: texts.say(language, key, **values),
            "assets": f"/assets/{self._revision}",
            "menus": _menus(self._listed(user_request)),
            "user": None if signed_in is None else signed_in.user,
            "csrf": "" if signed_in is None else self._authenticator.csrf(signed_in.cookie),
            "may": (lambda _: False) if signed_in is None else signed_in.may,
            "signing_in": self._authenticator.cookie in user_request.http.cookies,
            "action": Action,
            "kinds": sorted(EntryKind, key=lambda kind: texts.say(language, f"kind.{kind.value}")),
        }
        body = self._env.get_template(f"{name}.html").render(values)
        headers = {**self._headers, "x-revision": self._revision}  # see assets/live.js
        return Response(body, status, headers, media_type="text/html")

    def _choose_language(self, request: Request) -> Response:
        """Remember the language of the chosen link in this browser."""
        response = self._redirect(request.url.path)
        chosen = request.query_params["language"]
        response.set_cookie("language", chosen, path="/", max_age=YEAR_S, samesite="strict")
        return response

    def _redirect(self, path: str) -> Response:
        return RedirectResponse(path, HTTPStatus.SEE_OTHER, self._headers)

    async def _texts(self, request: Request) -> Response:
        language = request.path_params["language"]
        if language not in texts.LANGUAGES:
            return Response(status_code=HTTPStatus.NOT_FOUND)
        return JSONResponse(texts.catalogue(language), headers=self._cache_headers(request))

    async def _asset(self, request: Request) -> Response:
        path = request.path_params["path"]
        if path not in self._assets:
            return Response(status_code=HTTPStatus.NOT_FOUND)
        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        return Response(self._assets[path], media_type=kind, headers=self._cache_headers(request))

    def _cache_headers(self, request: Request) -> dict[str, str]:
        """The address contains the revision of the content: the browser may cache the present one for good."""
        is_present = request.path_params["revision"] == self._revision
        return {
            "cache-control": f"public, max-age={YEAR_S}, immutable" if is_present else "no-store",
            "x-content-type-options": "nosniff",
        }


def _open_to(user_request: UserRequest, needs: Action | Access) -> bool:
    return user_request.may(needs) if isinstance(needs, Action) else needs is Access.SIGNED_IN


def _menus(listed: Sequence[Page]) -> list[tuple[Group | None, list[Page]]]:
    """The navigation: a link for each page without a group, then a menu for each group with several pages."""
    menus: list[tuple[Group | None, list[Page]]] = []
    for group, grouped in groupby(listed, key=lambda page: page.group):
        pages = list(grouped)
        as_links = group is None or len(pages) == 1
        menus += [(None, pages)] if as_links else [(group, pages)]
    return menus


@cache
def _assets() -> Mapping[str, bytes]:
    """Every file under assets/, as it was when the first page was made."""
    contents: dict[str, bytes] = {}

    def walk(folder: Any, prefix: str) -> None:
        for entry in folder.iterdir():
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                walk(entry, f"{prefix}{entry.name}/")
            else:
                contents[f"{prefix}{entry.name}"] = entry.read_bytes()

    walk(files(PACKAGE).joinpath("assets"), "")
    return contents


@cache
def _revision() -> str:
    hashed = hashlib.sha256()
    for path, content in sorted(_assets().items()):
        hashed.update(path.encode() + b"\0" + hashlib.sha256(content).digest())
    for language in texts.LANGUAGES:
        hashed.update(repr(sorted(texts.catalogue(language).items())).encode())
    return hashed.hexdigest()[:12]


def _headers(connect: Sequence[str]) -> dict[str, str]:
    """A page may load its own scripts, styles and addresses and use the microphone, nothing else."""
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
        "form-action": "'none'",  # scripts send forms: nothing typed may end up in an address
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
