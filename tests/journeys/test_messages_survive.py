"""A server that is killed while it sends: nobody's receipt is lost, and nobody gets it twice."""

import asyncio
import random
from collections import Counter
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from callserver.adapters.clock import ShiftedClock
from callserver.cli.free_ports import free_port
from callserver.database import accounts
from callserver.database.engines import make_engine
from callserver.database.tables import cases, messages
from callserver.domain.message import MessageState
from callserver.engine.accounts.authentication import hash_of
from tests.harness.databases import sqlite_file
from tests.harness.waiting import eventually
from tests.journeys.test_processes import Process, environment, is_up

controllers = pytest.importorskip("aiosmtpd.controller")

ROUNDS, EACH = 5, 4
HEADERS = {"authorization": "Bearer a token"}


class SlowInbox:
    """Takes every mail, a moment after its text has arrived."""

    def __init__(self) -> None:
        self.got: list[str] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        await asyncio.sleep(0.03)
        self.got.append(str(message_from_bytes(envelope.content)["Message-ID"]))
        await asyncio.sleep(0.03)
        return "250 OK"


async def ask(http: httpx.AsyncClient, number: int) -> int | None:
    """One opt-out by e-mail; its case, if the server acknowledged it."""
    body = {
        "kind": "opt_out",
        "number": f"3220{number:04}",
        "source": "email",
        "reply_by": "email",
        "reply_to": f"person{number}@example.org",
    }
    try:
        reply = await http.post("/api/v1/cases", json=body, headers=HEADERS)
    except httpx.HTTPError:  # the server was killed
        return None
    assert reply.status_code == 200, reply.text
    case: int = reply.json()["id"]
    return case


def states(database: str) -> dict[int, str]:
    """Of each message, by its case."""
    engine = make_engine(database)
    with engine.connect() as tx:
        rows = tx.execute(select(messages.c.case, messages.c.state)).all()
        closed = set(tx.execute(select(cases.c.id).where(cases.c.state == "closed")).scalars())
    engine.dispose()
    assert {case for case, _ in rows} <= closed
    return {case: state for case, state in rows if case is not None}


def in_doubt(counts: dict[int, str]) -> int:
    """How many were not sent: at most one a kill, which its process had in hand."""
    return sum(state != MessageState.SENT for state in counts.values())


async def test_killed_while_it_sends(tmp_path: Path) -> None:
    database = sqlite_file(tmp_path / "sending.db")
    engine = make_engine(database)
    with engine.begin() as tx:
        user = accounts.add(tx, handle="mads", name="Mads Prøve", role="member_service")
        accounts.add_token(tx, hash_of("a token"), user, "crm", datetime.now(UTC))
    engine.dispose()
    inbox, by_chance = SlowInbox(), random.Random(1)
    mail_port = free_port()
    mail = controllers.Controller(inbox, hostname="127.0.0.1", port=mail_port)
    mail.start()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    given = {
        **environment(tmp_path, database, url, ""),
        "CALLSERVER_PORT": str(port),
        "TWILIO_API_URL": "",  # nothing is dialed; a stand-in would keep mail in the folder
        "CALLSERVER_SMTP_URL": f"smtp://127.0.0.1:{mail_port}",
        "CALLSERVER_SMTP_FROM": "Member service <service@example.org>",
    }
    server = Process("serve", given, ShiftedClock(datetime.now(UTC)))
    acknowledged: set[int] = set()
    try:
        async with httpx.AsyncClient(base_url=url, timeout=30) as http:
            await is_up(url)
            for turn in range(ROUNDS):
                numbers = range(turn * EACH, (turn + 1) * EACH)
                answers = await asyncio.gather(*(ask(http, number) for number in numbers))
                acknowledged |= {case for case in answers if case is not None}
                await asyncio.sleep(by_chance.uniform(0, 0.2))
                server.kill()
                server.start()
                await is_up(url)
        await eventually(lambda: in_doubt(states(database)) <= ROUNDS)
    finally:
        server.kill()
        mail.stop()
    left = states(database)
    assert len(acknowledged) == ROUNDS * EACH
    assert acknowledged <= set(left), "a receipt is lost"
    copies = Counter(inbox.got)
    assert set(copies.values()) == {1}, "somebody got the receipt twice"
    sent = [case for case, state in left.items() if state == MessageState.SENT]
    assert len(sent) <= len(copies)
    assert in_doubt(left) <= ROUNDS
