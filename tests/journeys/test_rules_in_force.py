"""Two real servers on one PostgreSQL: they agree on the rules in force, wherever these were changed."""

import asyncio
import shutil
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from callserver.adapters.clock import ShiftedClock
from callserver.cli.free_ports import free_port
from callserver.database import accounts
from callserver.database.engines import make_engine
from callserver.engine.accounts.authentication import hash_of
from tests.harness.waiting import eventually
from tests.journeys.test_processes import ROOT, START, Process, environment, is_up

DK = "policies/dk.yaml"


def fill(database: str, clock: ShiftedClock) -> None:
    engine = make_engine(database)
    with engine.begin() as tx:
        for role in ("administrator", "leader"):
            key = accounts.add(tx, handle=role, name=role, role=role)
            accounts.add_token(tx, hash_of(role), key, "test", clock.now())
    engine.dispose()


@pytest.mark.timeout(120)
async def test_two_servers_agree_on_the_rules_in_force(tmp_path: Path, postgres_url: str) -> None:
    clock = ShiftedClock(START)
    fill(postgres_url, clock)
    folders = [Path(shutil.copytree(ROOT / "config", tmp_path / name)) for name in ("one", "two")]
    ports = (free_port(), free_port())
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    processes = [
        Process(
            "serve",
            {
                **environment(tmp_path, postgres_url, urls[0], "http://127.0.0.1:9"),
                "CALLSERVER_PORT": str(port),
                "CALLSERVER_CONFIG": str(folder),
            },
            clock,
        )
        for port, folder in zip(ports, folders, strict=True)
    ]

    try:
        async with httpx.AsyncClient() as http:

            async def api(server: int, who: str, method: str, path: str, body: Any = None) -> Any:
                headers = {"authorization": f"Bearer {who}"}
                address = f"{urls[server]}/api/v1{path}"
                reply = await http.request(method, address, json=body, headers=headers)
                assert reply.status_code == 200, reply.text
                return reply.json()

            async def revisions() -> list[str]:
                replies = [await http.get(f"{url}/healthz") for url in urls]
                return [reply.json()["revision"] for reply in replies]

            async def agree(on: str) -> None:
                async def both() -> bool:
                    return await revisions() == [on, on]

                await eventually(both)

            for url in urls:
                await is_up(url)
            first = (await revisions())[0]
            await agree(first)

            # What is not looser, at one server's console, is in force at the other as well.
            text = (await api(0, "administrator", "GET", "/rules"))["texts"][DK]
            change = {
                "texts": {DK: text.replace("gap_hours: 4", "gap_hours: 6")},
                "why": "Mere fred",
                "ethics": "Forsvarligt",
            }
            made = await api(0, "administrator", "POST", "/rules/proposals", change)
            await agree(made["revision"])
            assert "gap_hours: 6" in (folders[0] / DK).read_text("utf-8")
            assert "gap_hours: 4" in (folders[1] / DK).read_text("utf-8")  # another machine's

            # Looser files beside the second server wait; they are approved at the first.
            path = folders[1] / DK
            (folders[1] / "change.yaml").write_text(
                'why: "Prøve"\nethics: "Forsvarligt"\n', "utf-8"
            )
            path.write_text(text.replace("gap_hours: 4", "gap_hours: 2"), "utf-8")
            waiting: list[Any] = []

            async def proposed() -> bool:
                rules = await api(0, "leader", "GET", "/rules")
                waiting[:] = [
                    proposal for proposal in rules["proposals"] if proposal["state"] == "open"
                ]
                return bool(waiting)

            await eventually(proposed)
            assert [proposal["by"] for proposal in waiting] == [None]
            await agree(made["revision"])
            seen = {"revision": waiting[0]["revision"]}
            address = f"/rules/proposals/{waiting[0]['id']}/approve"
            await api(0, "leader", "POST", address, seen)
            await agree(waiting[0]["revision"])

            # The first one's folder is as it was then; a restart takes nothing back.
            shutil.rmtree(folders[0])
            shutil.copytree(ROOT / "config", folders[0])
            assert processes[0].end() in (0, -signal.SIGTERM)
            processes[0].start()
            await is_up(urls[0])
            await asyncio.sleep(3)
            await agree(waiting[0]["revision"])
    finally:
        for process in processes:
            process.kill()
