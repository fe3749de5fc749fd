"""A server with a configuration of its own, and requests of the rules page."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from callserver.database import revisions
from callserver.domain.role import Role
from tests.harness.simulated import ROOT
from tests.harness.staffed import Client, StaffedSystem

DK = "policies/dk.yaml"
ETHICS = {"ethics": "Forsvarligt: færre forstyrres."}
REVIEW = {"why": "Mere fred", **ETHICS}
SATURDAY = '    sat: ["10:00-16:00"]\n  calendars: [DK]'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "config", tmp_path / "config"))


@pytest.fixture
def system(tmp_path: Path, config: Path) -> Iterator[StaffedSystem]:
    made = StaffedSystem(tmp_path, config=config)
    for role in Role:
        made.add_user(role.value, role, "nord" if role is Role.SUPERVISOR else None)
    yield made
    made.close()


async def texts(client: Client) -> dict[str, str]:
    texts: dict[str, str] = (await client.api("GET", "/rules")).json()["texts"]
    return texts


async def edited(client: Client, old: str, new: str, path: str = DK) -> dict[str, Any]:
    text = (await texts(client))[path]
    assert old in text
    return {"texts": {path: text.replace(old, new)}}


def lines(reply: Any) -> list[dict[str, Any]]:
    assert reply.status_code == 200, reply.text
    return [json.loads(line) for line in reply.text.splitlines()]


def said(reply: Any) -> tuple[int, str]:
    return reply.status_code, reply.json()["detail"]


def in_force(system: StaffedSystem) -> str:
    revision: str = system.server.ctx.rules.current.revision
    assert system.read(revisions.current) == revision
    return revision
