"""A simulated system with users of every role, and HTTP clients that sign in to it."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx
import pyotp
from argon2 import PasswordHasher

from callserver.database import accounts
from callserver.domain.role import Role
from tests.harness.simulated import SimulatedSystem

PASSWORD = "a green bicycle in the rain"


@cache
def _password_hash() -> str:
    """A cheap hash: signing in is not what most tests are about."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


@dataclass
class Client:
    """One browser's requests, in process: keeps cookies, the CSRF token and the authenticator's key."""

    system: SimulatedSystem
    cookies: httpx.Cookies = field(default_factory=httpx.Cookies)
    csrf: str = ""
    key: str = ""

    async def send(
        self, method: str, path: str, json: Any = None, **headers: str
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self.system.app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://calls.test", cookies=self.cookies
        ) as http:
            reply = await http.request(
                method, path, json=json, headers={"x-csrf": self.csrf, **headers}
            )
            await self.system.server.ctx.background.idle()
            self.cookies = http.cookies
            return reply

    def request(self, method: str, path: str, json: Any = None, **headers: str) -> httpx.Response:
        return asyncio.run(self.send(method, path, json, **headers))

    def api(self, method: str, path: str, json: Any = None, **headers: str) -> httpx.Response:
        return self.request(method, f"/api/v1{path}", json, **headers)

    @contextmanager
    def open(self) -> Iterator[Callable[..., httpx.Response]]:
        """Many requests one after another, in one event loop: method, path, query, body."""
        loop = asyncio.new_event_loop()
        transport = httpx.ASGITransport(self.system.app, client=("127.0.0.1", 1))
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
            loop.run_until_complete(self.system.server.ctx.background.idle())
            loop.run_until_complete(http.aclose())
            loop.close()

    def code(self) -> str:
        self.system.clock.set(self.system.clock.now().replace(microsecond=0))
        return pyotp.TOTP(self.key).at(self.system.clock.now())

    def enter(self, handle: str, password: str = PASSWORD) -> dict[str, Any]:
        """Enter name and password; the answer, which says what is still required."""
        reply = self.api("POST", "/sign-in", {"handle": handle, "password": password})
        assert reply.status_code == 200, reply.text
        answer: dict[str, Any] = reply.json()
        self.csrf = answer["csrf"]
        return answer

    def sign_in(self, handle: str, password: str = PASSWORD) -> "Client":
        """Sign in completely, with a one-time code where the role needs one."""
        answer = self.enter(handle, password)
        if answer["next"] == "code_setup":
            self.key = self.api("POST", "/sign-in/code-setup", {}).json()["key"]
            code = {"code": self.code(), "key": self.key}
            answer = self.api("POST", "/sign-in/code", code).json()
        elif answer["next"] == "code":
            answer = self.api("POST", "/sign-in/code", {"code": self.code()}).json()
        assert answer["next"] == "ready", answer
        return self


class StaffedSystem(SimulatedSystem):
    """A simulated system whose users sign in with a name and `PASSWORD`."""

    def add_user(
        self, handle: str, role: Role, department: str | None = "nord", **more: Any
    ) -> int:
        values = {"password": _password_hash(), "password_once": False, **more}
        values |= {"handle": handle, "name": f"{handle.title()} Prøve", "role": role.value}
        user: int = self.write(lambda tx: accounts.add(tx, department=department, **values))
        return user

    def client(self, handle: str) -> Client:
        """A client signed in as this user."""
        return Client(self).sign_in(handle)
