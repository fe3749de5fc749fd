"""Lists that are uploaded to the lists page."""

import json
from pathlib import Path
from typing import Any

import httpx

from tests.harness.staffed import Client, StaffedSystem

HEAD = "ref;navn;mobil;født;by\n"
GOOD = "".join(f"L{n};Person {n};322050{n:02};1980-01-01;Skive\n" for n in range(30))
BAD = "X1;=cmd();12 34;1980-01-01;Skive\nX2;To Tal;32205001;01/02/1980;Skive\n"
FILE = (HEAD + GOOD + BAD).encode()


async def sent(client: Client, content: bytes = FILE) -> dict[str, Any]:
    """Send the file; the body of the requests about it."""
    reply = await client.upload("/uploads", content)
    assert reply.status_code == 200, reply.text
    return {"upload": reply.json()["upload"]}


def lines(reply: httpx.Response) -> list[dict[str, Any]]:
    """The lines of a step's progress; the last is its result."""
    assert reply.status_code == 200, reply.text
    return [json.loads(line) for line in reply.text.splitlines()]


def folder(system: StaffedSystem) -> list[Path]:
    """The files that lie on the server."""
    return sorted((system.folder / "uploads").glob("*"))
