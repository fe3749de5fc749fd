"""The demonstration on a real exchange: Asterisk, and SIPp as the telephones of people and robots.

Everything is on loopback and ends with the demonstration. Nobody real is called.
"""

import asyncio
import contextlib
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from callserver.adapters.asterisk import prompts
from callserver.adapters.asterisk.channel_names import TRUNK
from callserver.adapters.asterisk.prompts import Prompt
from callserver.adapters.asterisk.trunk import carrier
from callserver.adapters.clock import ShiftedClock
from callserver.app import create
from callserver.assemble import Server, build
from callserver.cli import asterisk_local
from callserver.cli.invented_data import add_visitor_accounts, enter_line, populate
from callserver.cli.simulated_stack import (
    SEED,
    START,
    Stack,
    StackPlan,
    address,
    listening,
    serving,
    settings,
)
from callserver.errors import ConfigurationProblem
from callserver.ports import Tx
from callserver.settings import instant, proxies
from callserver.simulator import sipp
from callserver.simulator.asgi import document
from callserver.simulator.polling_phoners import PollingPhoner, telephone_number
from callserver.simulator.robots import Robot
from callserver.simulator.sipp import Sipp

HOME = Path(__file__).parents[2]
SCRIPT = HOME / "scripts" / "asterisk"
SCENARIO = Path(sipp.__file__).with_name("telephones.xml")
UP_WITHIN_S = 30
VOICE_TEXT = "Hallo? Ja, det er mig. Hvem er det, jeg taler med?"


def missing() -> str:
    """The programs that this machine lacks for it, in words; empty if it has all."""
    tools = [tool for tool in (sipp.PROGRAM, *prompts.TOOLS) if shutil.which(tool) is None]
    installed = (HOME / ".asterisk/debian/usr/sbin/asterisk").exists() or shutil.which("asterisk")
    lacking = [] if installed else ["Asterisk (scripts/asterisk install)"]
    if not SCRIPT.exists():
        lacking = ["scripts/asterisk, which only the repository has"]
    return ", ".join([*lacking, *tools])


@dataclass(slots=True)
class AsteriskStack(Stack):
    """A running server, and the telephones at its trunk."""

    telephones: Sipp


@contextlib.asynccontextmanager
async def started(plan: StackPlan) -> AsyncIterator[AsteriskStack]:
    """A server that runs until the block ends; its database can be read until then.

    Raises:
        ConfigurationProblem: the exchange did not start.
    """
    listener = listening(plan.port)
    url = address(listener)
    folder = (plan.folder / "exchange").resolve()
    chosen = asterisk_local.prepared(folder, settings(plan, url, ""))
    clock = ShiftedClock(instant("start", START))
    server = build(chosen, clock=clock)
    rules, now, store = server.ctx.rules, clock.now(), server.store
    robots = await store.run(lambda tx: populate(tx, rules, SEED, now, plan.phoners, plan.contacts))
    await store.run(lambda tx: _enter_lines(tx, robots, now))
    staff = await store.run(
        lambda tx: add_visitor_accounts(
            tx, rules, server.authentication, now, first_week=plan.first_week
        )
    )
    await asyncio.to_thread(_make_sounds, folder, server)
    telephones = Sipp(folder, SCENARIO, int(carrier(chosen).first.port), echoes=False)
    network = f"Asterisk in {folder}, SIPp at its trunk"
    stack = AsteriskStack(server, clock, url, network, staff, telephones)
    telephones.start()
    try:
        async with _exchange(folder), serving(create(server), listener, proxies(server.settings)):
            await _until_the_trunk_answers(server)
            async with _phoning(robots, url, clock):
                yield stack
            server.feed.stop()  # open streams would delay the stop
    finally:
        telephones.stop()


async def _until_the_trunk_answers(server: Server) -> None:
    """Wait for the trunk: a dial before it answers would pause the campaign."""
    assert server.exchanges is not None  # noqa: S101 - as the settings say
    for _ in range(UP_WITHIN_S * 10):
        reply = await server.exchanges.each[""].ari.get("endpoints", "PJSIP", TRUNK)
        if reply.ok and reply.body["state"] == "online":
            return
        await asyncio.sleep(0.1)
    raise ConfigurationProblem("the trunk's far end (SIPp) does not answer")


def _enter_lines(tx: Tx, robots: Sequence[Robot], now: datetime) -> None:
    """Give each robot an ordinary telephone, which is called by the trunk."""
    for robot in robots:
        enter_line(tx, robot.user, telephone_number(robot.user), now)


def _make_sounds(folder: Path, server: Server) -> None:
    """Make the exchange's prompts, and the sentence that every called person says."""
    campaigns = server.ctx.rules.current.campaigns.values()
    for _ in prompts.make(
        folder / "sounds", [*prompts.all_prompts(campaigns), Prompt("voice", VOICE_TEXT)]
    ):
        pass
    spoken, voice = folder / "sounds" / "voice.wav", folder / "voice.alaw"
    sox = shutil.which("sox") or "sox"
    subprocess.run([sox, spoken, "-t", "al", voice], check=True, timeout=60)  # noqa: S603


@contextlib.asynccontextmanager
async def _exchange(folder: Path) -> AsyncIterator[None]:
    """An Asterisk that runs until the block ends."""
    log = folder / "out.log"
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            SCRIPT, "run", folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
    try:
        for _ in range(UP_WITHIN_S * 10):
            if b"Asterisk Ready" in log.read_bytes():
                break
            await asyncio.sleep(0.1)
        else:
            raise ConfigurationProblem(f"Asterisk did not start: see {log}")
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


@contextlib.asynccontextmanager
async def _phoning(robots: Sequence[Robot], url: str, clock: ShiftedClock) -> AsyncIterator[None]:
    """The robots work until the block ends."""
    http = httpx.AsyncClient(base_url=url, timeout=30)

    async def api(
        method: str, path: str, token: str, body: Mapping[str, Any] | None
    ) -> tuple[int, dict[str, Any]]:
        content = None if body is None else json.dumps(body).encode()
        reply = await http.request(
            method, path, content=content, headers={"authorization": f"Bearer {token}"}
        )
        return reply.status_code, document(reply.content)

    phoners = [PollingPhoner(robot, api, SEED, clock.now) for robot in robots]
    working = [asyncio.ensure_future(phoner.work()) for phoner in phoners]
    try:
        yield
    finally:
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        await http.aclose()
