"""A simulated system with users of every role, and HTTP clients that sign in to it."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx
import pyotp

from callserver.cli.invented_data import train
from callserver.console.authentication import Authenticator
from callserver.database import accounts
from callserver.domain.role import Role
from callserver.engine.accounts.authentication import new_token
from callserver.engine.accounts.password_hashing import hash_password
from callserver.ports import Tx
from tests.harness.simulated import SimulatedSystem

PASSWORD = "a green bicycle in the rain"


@cache
def _password_hash() -> str:
    return hash_password(PASSWORD)


@dataclass
class Client:
    """One browser's requests, in process: keeps cookies, the CSRF token and the authenticator's key."""

    system: SimulatedSystem
    cookies: httpx.Cookies = field(default_factory=httpx.Cookies)
    csrf: str = ""
    key: str = ""
    address: str = "127.0.0.1"

    async def api(self, method: str, path: str, json: Any = None, **headers: str) -> httpx.Response:
        return await self.request(method, f"/api/v1{path}", json, **headers)

    async def request(
        self, method: str, path: str, json: Any = None, **headers: str
    ) -> httpx.Response:
        async with self.open() as http:
            reply = await http.request(method, path, json=json, headers=headers)
            await self.system.server.ctx.background.idle()
            self.cookies = http.cookies
            return reply

    async def upload(
        self, path: str, content: bytes, content_type: str = "application/octet-stream"
    ) -> httpx.Response:
        async with self.open() as http:
            headers = {"content-type": content_type}
            reply = await http.post(f"/api/v1{path}", content=content, headers=headers)
            await self.system.server.ctx.background.idle()
            return reply

    def open(self) -> httpx.AsyncClient:
        """HTTP with this client's cookies and CSRF token, for many or unusual requests."""
        transport = httpx.ASGITransport(self.system.app, client=(self.address, 1))
        return httpx.AsyncClient(
            transport=transport,
            base_url="http://calls.test",
            cookies=self.cookies,
            headers={"x-csrf": self.csrf},
        )

    def code(self) -> str:
        self.system.clock.set(self.system.clock.now().replace(microsecond=0))
        return pyotp.TOTP(self.key).at(self.system.clock.now())

    async def enter(self, handle: str, password: str = PASSWORD) -> dict[str, Any]:
        """Enter name and password; the answer says what is still required."""
        reply = await self.api("POST", "/sign-in", {"handle": handle, "password": password})
        assert reply.status_code == 200, reply.text
        answer: dict[str, Any] = reply.json()
        self.csrf = answer["csrf"]
        return answer

    async def sign_in(self, handle: str, password: str = PASSWORD) -> "Client":
        """Sign in completely, with a one-time code where the role needs one."""
        answer = await self.enter(handle, password)
        if answer["next"] == "code_setup":
            self.key = (await self.api("POST", "/sign-in/code-setup", {})).json()["key"]
            code = {"code": self.code(), "key": self.key}
            answer = (await self.api("POST", "/sign-in/code", code)).json()
        elif answer["next"] == "code":
            answer = (await self.api("POST", "/sign-in/code", {"code": self.code()})).json()
        assert answer["next"] == "ready", answer
        return self


class StaffedSystem(SimulatedSystem):
    """A simulated system whose users sign in with a name and `PASSWORD`."""

    def add_user(
        self, handle: str, role: Role, department: str | None = "nord", **more: Any
    ) -> int:
        values = {"password": _password_hash(), "password_once": False, **more}
        values |= {"handle": handle, "name": f"{handle.title()} Prøve", "role": role.value}

        def work(tx: Tx) -> int:
            user = accounts.add(tx, department=department, **values)
            train(tx, self.server.ctx.rules, user, self.clock.now())
            return user

        user: int = self.write(work)
        return user

    async def client(self, handle: str) -> Client:
        """A client whose sign-in as this user is complete, by the session alone; see `Client.sign_in`."""
        cookie, hashed = new_token()
        now = self.clock.now()

        def enter(tx: Tx) -> None:
            user = accounts.by_handle(tx, handle)
            assert user is not None
            accounts.open_session(tx, hashed, user.id, now)
            accounts.change_session(tx, hashed, code_given=True)

        self.write(enter)
        server = self.server
        authenticator = Authenticator(server.ctx, server.authentication, server.settings)
        cookies = httpx.Cookies()
        cookies.set(authenticator.cookie, cookie)
        return Client(self, cookies, authenticator.csrf(cookie))
