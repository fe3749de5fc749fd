"""No page that a browser shows sorts, counts or compares phoners by the outcomes of their calls.

Two equal evenings (tests/harness/ranking.py) stand still while their pages are opened.
"""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route

from callserver.console.pages import PAGES
from callserver.domain.role import MAY, Action, Role
from tests.browser import looking
from tests.browser.conftest import WAIT_MS, wait_for_scripts
from tests.browser.looking import settle
from tests.harness.ranking import evening, pairs, ranks, rows
from tests.harness.staffed import Client, StaffedSystem

pytestmark = [pytest.mark.skipif(bool(looking.WHY_NOT), reason=looking.WHY_NOT)]

URL = "http://calls.test"
OPENS = {"floor": ("#seats button", "#panel"), "log": ("#search button.main", "#result")}
"""What is pressed on a page before it is read, and what must have opened by then."""

READ = """() => {
  const parts = "tr, li, article, dl, figure, button, p, [aria-label]";
  const said = (part) => `${part.getAttribute("aria-label") ?? ""} ${part.innerText ?? ""}`;
  const rows = [...document.querySelectorAll(`main :is(${parts})`)]
    .filter((part) => part.checkVisibility()).map(said);
  const lines = document.querySelector("main").innerText.split("\\n");
  return [...rows, ...lines].map((line) => line.replace(/\\s+/g, " ").trim()).filter(Boolean);
}"""
"""Each part of a page that may be a row of a list, a table or a chart, on one line; and what the page shows."""

PLANTED = {
    "list": """(made) => `<ol>${made.toSorted((a, b) => b[1] - a[1])
      .map(([name]) => `<li>${name}</li>`).join("")}</ol>`""",
    "table": """(made) => `<table>${made
      .map(([name, n]) => `<tr><td>${name}</td><td>${n} of 3</td></tr>`).join("")}</table>`""",
    "cards": """(made) => made
      .map(([name, n]) => `<article><h3>${name}</h3><p>${n}</p></article>`).join("")""",
    "chart": """(made) => `<svg role="img">${made
      .map(([name, n]) => `<rect aria-label="${name}: ${n}" width="${n + 1}" height="9" />`)
      .join("")}</svg>`""",
    "order of blocks": """(made) => made.toSorted((a, b) => b[1] - a[1])
      .map(([name]) => `<div>${name}</div>`).join("")""",
}
"""What compares phoners, as HTML of their names and agreements."""


class StandingSystem:
    """A system whose time stands still after its evening, in a thread of its own."""

    def __init__(self, folder: Path, wins: int) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.system: StaffedSystem = self.run(evening(folder, wins))
        self.clients: dict[Role, Client] = {}
        self.contexts: list[BrowserContext] = []
        self._assets: dict[str, tuple[int, bytes, str]] = {}
        for role in Role:
            self.clients[role] = self.run(self._signed_in(role))

    async def _signed_in(self, role: Role) -> Client:
        self.system.add_user(role.value, role, None)
        return await self.system.client(role.value)

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def close(self) -> None:
        for context in self.contexts:
            context.close()

        async def close() -> None:
            self.system.close()

        self.run(close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def answer(self, role: Role, route: Route) -> None:
        """The server's own answer to a request of a page; live updates do not come."""
        if urlsplit(route.request.url).path.endswith("/events"):
            route.abort()
            return
        url = route.request.url
        answer = self._assets.get(url) or self.run(self._asked(role, route.request))
        if urlsplit(url).path.startswith("/assets/"):
            self._assets[url] = answer  # routed requests are not cached by the browser
        status, content, kind = answer
        route.fulfill(status=status, body=content, content_type=kind)

    async def _asked(self, role: Role, request: Request) -> tuple[int, bytes, str]:
        body, kind = request.post_data_buffer, request.headers.get("content-type", "")
        async with self.clients[role].open() as http:
            http.cookies.set("language", "en")
            headers = {"content-type": kind} if body else {}
            reply = await http.request(request.method, request.url, content=body, headers=headers)
        await self.system.server.ctx.background.idle()
        return reply.status_code, reply.content, reply.headers.get("content-type", "")

    def window(self, browser: Browser, role: Role) -> Page:
        context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 800})
        context.route("**/*", partial(self.answer, role))
        context.set_default_timeout(WAIT_MS)
        context.clock.set_fixed_time(self.system.clock.now())  # durations on a page stand still too
        self.contexts.append(context)
        page = context.new_page()
        wait_for_scripts(page)
        return page


@pytest.fixture(scope="module")
def systems(
    chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[StandingSystem, StandingSystem]]:
    del chromium  # it is closed after them
    folders = [tmp_path_factory.mktemp("evenings") / name for name in ("first", "second")]
    for folder in folders:
        folder.mkdir()
    made = [StandingSystem(folder, wins) for wins, folder in enumerate(folders, 1)]
    yield made[0], made[1]
    for window in made:
        window.close()


def shown(page: Page, path: str, name: str) -> str:
    """What a page shows, line by line."""
    page.goto(URL + path)
    settle(page)
    if name in OPENS:
        pressed, opens = OPENS[name]
        page.locator(pressed).first.click()
        page.locator(opens).wait_for()
        settle(page)
    return read(page)


def read(page: Page) -> str:
    return "\n".join(["the page", *page.evaluate(READ)])


def test_no_page_ranks_phoners(
    chromium: Browser, systems: tuple[StandingSystem, StandingSystem]
) -> None:
    names_phoners: set[str] = set()
    for role in Role:
        windows = [system.window(chromium, role) for system in systems]
        for page in PAGES:
            if not page.listed or (isinstance(page.needs, Action) and page.needs not in MAY[role]):
                continue
            first, second = (shown(window, page.path, page.name) for window in windows)
            if rows(first):
                names_phoners.add(page.name)
            # In the order of time; an opt-out or a mark names who recorded it.
            if page.name == "log":
                assert not pairs(first) + pairs(second), role
            else:
                assert not ranks(first, second), (role, page.path)
    assert {"floor", "training", "accounts", "log"} <= names_phoners


def test_a_planted_ranking_is_found(
    chromium: Browser, systems: tuple[StandingSystem, StandingSystem]
) -> None:
    made = ([("Phoner 1", 3), ("Phoner 2", 0)], [("Phoner 1", 0), ("Phoner 2", 3)])
    windows = [system.window(chromium, Role.LEADER) for system in systems]
    before = [shown(window, "/reports", "reports") for window in windows]
    assert not ranks(before[0], before[1])
    for name, markup in PLANTED.items():
        for window, of_phoners in zip(windows, made, strict=True):
            plant = f"""(made) => {{
              document.querySelector("#planted")?.remove();
              const html = `<div id="planted">${{({markup})(made)}}</div>`;
              document.querySelector("main").insertAdjacentHTML("beforeend", html);
            }}"""
            window.evaluate(plant, of_phoners)
        assert ranks(read(windows[0]), read(windows[1])), name
