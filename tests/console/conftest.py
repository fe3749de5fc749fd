"""A server with somebody of each role, and browsers that sign in to it over real HTTP (in process)."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest
from argon2 import PasswordHasher

from callserver.database import accounts
from callserver.domain.role import NEEDS_CODE, Role
from tests.house import TestHouse

PASSWORD = "a green bicycle in the rain"


@dataclass
class Browser:
    """Somebody's browser: keeps cookies, sends the proof of intent, remembers the authenticator."""

    house: TestHouse
    cookies: httpx.Cookies = field(default_factory=httpx.Cookies)
    csrf: str = ""
    key: str = ""

    def request(self, method: str, path: str, json: Any = None, **headers: str) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.house.app, client=("127.0.0.1", 1))
            async with httpx.AsyncClient(
                transport=transport, base_url="http://calls.test", cookies=self.cookies
            ) as http:
                sent = {"x-csrf": self.csrf, **headers}
                reply = await http.request(method, path, json=json, headers=sent)
                await self.house.server.ctx.background.idle()
                self.cookies = http.cookies
                return reply

        return asyncio.run(send())

    def api(self, method: str, path: str, json: Any = None, **headers: str) -> httpx.Response:
        return self.request(method, f"/api/v1{path}", json, **headers)

    @contextmanager
    def open(self) -> Iterator[Callable[..., httpx.Response]]:
        """Many requests one after another, in one event loop: method, path, query, body."""
        loop = asyncio.new_event_loop()
        transport = httpx.ASGITransport(self.house.app, client=("127.0.0.1", 1))
        http = httpx.AsyncClient(
            transport=transport, base_url="http://calls.test", cookies=self.cookies
        )

        def send(method: str, path: str, query: Any, body: Any) -> httpx.Response:
            async def sent() -> httpx.Response:
                headers = {"x-csrf": self.csrf, "content-type": "application/json"}
                content = json.dumps(body).encode()
                return await http.request(
                    method, path, params=query, content=content, headers=headers
                )

            return loop.run_until_complete(sent())

        try:
            yield send
        finally:
            loop.run_until_complete(self.house.server.ctx.background.idle())
            loop.run_until_complete(http.aclose())
            loop.close()

    def code(self) -> str:
        self.house.clock.set(self.house.clock.now().replace(microsecond=0))
        return pyotp.TOTP(self.key).at(self.house.clock.now())

    def sign_in(self, handle: str, password: str = PASSWORD) -> dict[str, Any]:
        """Name and password; what is owed after it."""
        reply = self.api("POST", "/sign-in", {"handle": handle, "password": password})
        assert reply.status_code == 200, reply.text
        found: dict[str, Any] = reply.json()
        self.csrf = found["csrf"]
        return found

    def all_in(self, handle: str, password: str = PASSWORD) -> "Browser":
        """Sign in, whatever is owed."""
        found = self.sign_in(handle, password)
        if found["next"] == "code_setup":
            self.key = self.api("POST", "/sign-in/code-setup", {}).json()["key"]
            given = {"code": self.code(), "key": self.key}
            found = self.api("POST", "/sign-in/code", given).json()
        assert found["next"] == "ready", found
        return self


class House(TestHouse):
    """A house with a user of each role, all of one password."""

    def add_user(
        self, handle: str, role: Role, department: str | None = "nord", **more: Any
    ) -> int:
        values = {"password": self.hashed, "password_once": False, **more}
        values |= {"handle": handle, "name": f"{handle.title()} Prøve", "role": role.value}
        made: int = self.write(lambda tx: accounts.add(tx, department=department, **values))
        return made

    hashed = ""

    def browser(self, handle: str) -> Browser:
        return Browser(self).all_in(handle)


@pytest.fixture(scope="session")
def hashed() -> str:
    """The password's hash, a quick one: signing in is not what most tests are about."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


@pytest.fixture
def house(tmp_path: Path, hashed: str) -> Iterator[House]:
    made = House(tmp_path)
    made.hashed = hashed
    for role in Role:
        department = "nord" if role in (Role.PHONER, Role.SUPERVISOR) else None
        made.add_user(role.value, role, department)
    yield made
    made.close()


__all__ = ["NEEDS_CODE"]
