"""The network's requests to the server: signed as Twilio signs, retried as the address requests."""

import base64
import hashlib
import hmac
import random
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import format_datetime
from functools import lru_cache
from urllib.parse import parse_qs

from callserver import forms
from callserver.simulator.asgi import Post
from callserver.simulator.faults import Faults
from callserver.simulator.virtual_time import Agenda, Work

FORM = (b"content-type", b"application/x-www-form-urlencoded; charset=UTF-8")
LATENCY_S = (0.03, 0.2)
RETRY_AFTER_S = 1.0


@dataclass(slots=True)
class CallbackCounts:
    """How many callbacks were sent, made faulty, and answered with an error by the server."""

    sent: int = 0
    doubled: int = 0
    delayed: int = 0
    dropped: int = 0
    failed: int = 0


def sign(token: str, url: str, form: Mapping[str, str]) -> str:
    """X-Twilio-Signature for a form."""
    message = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.digest(token.encode(), message.encode(), hashlib.sha1)).decode()


class Callbacks:
    """Sends requests to the server's webhooks."""

    def __init__(
        self,
        agenda: Agenda,
        post: Post,
        account: str,
        token: str,
        dice: random.Random,
        faults: Faults,
    ) -> None:
        self._agenda = agenda
        self._post = post
        self._account = account
        self._token = token
        self._dice = dice
        self.faults = faults
        self.counts = CallbackCounts()

    async def fetch(self, url: str, form: Mapping[str, str]) -> bytes | None:
        """Ask for instructions at once; None when the server does not answer."""
        status, body = await self._send(url, form)
        return body if status == 200 else None

    def notify(self, url: str | None, form: Mapping[str, str]) -> None:
        """Send the server a callback soon, with this network's faults."""
        if not url:
            return
        stamped = {**form, "Timestamp": format_datetime(self._agenda.clock.now())}
        faults, dice = self.faults, self._dice
        if dice.random() < faults.dropped:
            self.counts.dropped += 1
            return
        wait = dice.uniform(*LATENCY_S)
        if dice.random() < faults.delayed:
            self.counts.delayed += 1
            wait += dice.uniform(1, faults.delay_seconds)
        retries = _retries(url.partition("#")[2])
        self._agenda.after(wait, self._delivery(url, stamped, retries))
        if dice.random() < faults.doubled:
            self.counts.doubled += 1
            again = wait + dice.uniform(0.01, 5)
            self._agenda.after(again, self._delivery(url, stamped, 0))

    async def tell_now(self, url: str | None, form: Mapping[str, str]) -> None:
        """Deliver a callback at once, before the reply to its own order."""
        if url:
            stamped = {**form, "Timestamp": format_datetime(self._agenda.clock.now())}
            await self._send(url, stamped)

    def _delivery(self, url: str, form: Mapping[str, str], left: int) -> Work:
        async def deliver() -> None:
            status, _ = await self._send(url, form)
            if status >= 500 or status == 0:
                if left > 0:
                    self._agenda.after(RETRY_AFTER_S, self._delivery(url, form, left - 1))
                else:
                    self.counts.failed += 1

        return deliver

    async def _send(self, url: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        self.counts.sent += 1
        whole = {"AccountSid": self._account, "ApiVersion": "2010-04-01", **form}
        address = url.partition("#")[0]
        headers = [FORM, (b"x-twilio-signature", sign(self._token, address, whole).encode())]
        try:
            return await self._post(address, headers, forms.encoded(whole))
        except OSError:
            return 0, b""


@lru_cache(maxsize=16)
def _retries(fragment: str) -> int:
    """How often an address with this fragment asks for a failed callback to be repeated."""
    wanted = parse_qs(fragment)
    return int(wanted.get("rc", ["1"])[0]) if "5xx" in wanted.get("rp", [""])[0] else 0
