"""An evening on a real Asterisk with a hostile network in between; then Asterisk, the people and the database are
compared. What it checks holds however fast the machine is."""

import asyncio
import contextlib
import itertools
import logging
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from starlette.applications import Starlette

from callserver.app import create
from callserver.database.calls import CallRow
from callserver.database.tables import listenings
from callserver.engine.audit_log.behaviour import check
from tests.harness.evenings import published
from tests.harness.exchange.hostile import Faults, Hostile
from tests.harness.exchange.real import Called, Exchange, await_trunk
from tests.harness.exchange.sip import Telephone
from tests.harness.exchange.system import SUPERVISOR, ExchangeSystem, living
from tests.harness.exchange.town import Town
from tests.harness.waiting import PATIENCE_S, eventually

pytestmark = pytest.mark.timeout(300)

SEED = int(os.environ.get("CALLSERVER_SEED", "1"))
"""CALLSERVER_SEED=7 plays other evenings."""

PHONERS = (1, 2, 3, 4)
LASTS_S = 30

ORDERS = Faults(refused=0.04, reset=0.03, unanswered=0.03, late=0.03)
EVENTS = Faults(lost=0.05, twice=0.05, delayed=0.05, cut_after_s=12)
BOTH = Faults(0.02, 0.01, 0.01, 0.02, 0.03, 0.03, 0.03, 25)
ANSWERS = Faults(refused=0.05)

LONGEST_CALL_S = 60

SILENCE_S = 13
"""So long after a telephone has died the person hears an apology: ten seconds, and the time to look."""


class HostileEvening(ExchangeSystem):
    """Phoners and a listener act, by a seed, as people and their telephones do."""

    def __init__(
        self, folder: Path, exchange: Exchange, called: Called, faults: Faults, database: str = ""
    ) -> None:
        super().__init__(folder, exchange, called)
        self.database = database or self.database
        self.hostile = Hostile(exchange.settings.asterisk_url, SEED, faults)
        self._turns: Iterator[Starlette] = iter(())
        self.proxy = self.hostile
        self.opted_out: dict[str, float] = {}
        self.ends_at = time.monotonic() + LASTS_S
        self.crashed_at = 0.0

    @contextlib.asynccontextmanager
    async def second_server(self) -> AsyncIterator[None]:
        """One more server on the same database: requests go to both in turn, and it takes the events over."""
        first, second = self.app, create(self._build())
        async with second.router.lifespan_context(second):
            self._turns = itertools.cycle([first, second])
            handing_over = asyncio.ensure_future(self._hand_over(first))
            try:
                yield
                await handing_over
            finally:
                handing_over.cancel()
                self._turns, self.app = itertools.repeat(first), first

    async def _hand_over(self, first: Starlette) -> None:
        await asyncio.sleep(LASTS_S / 3)
        await first.state.events[""].stop()
        await asyncio.sleep(LASTS_S / 3)
        first.state.events[""].start()

    async def api(
        self, method: str, path: str, body: Any = None, *, phoner: int = 1
    ) -> tuple[int, Any]:
        self.app = next(self._turns, self.app)
        return await super().api(method, path, body, phoner=phoner)

    @property
    def lasts(self) -> bool:
        """Longer on a slow machine, on which nobody has been called yet."""
        over_s = time.monotonic() - self.ends_at
        return over_s < 0 or (over_s < PATIENCE_S and not self.attempts())

    def attempts(self) -> dict[str, CallRow]:
        """The calls that the carrier did not refuse, by number."""
        return {f"+{call.number}": call for call in self.calls() if call.cause != "declined"}

    async def at_desk(self, user: int) -> Telephone:
        """A telephone that has signed in, however often that fails."""
        while True:
            with contextlib.suppress(Exception):
                return await self.telephone(user)
            await asyncio.sleep(0.5)

    async def phoner(self, user: int) -> None:
        chance = random.Random(user + SEED)
        telephone = await self.at_desk(user)
        telephone.speaks = noise
        body = {"campaign": "kanvas", "line": f"sip:telephone_{user}"}
        while self.lasts:
            await asyncio.sleep(0.2)
            found = [seat for seat in self.seats() if seat.phoner == user]
            if not found or found[0].state == "off":
                await self.api("POST", "/shift", body, phoner=user)
                continue
            (seat,) = found
            if seat.outcome_owed or seat.state == "wrapping_up":
                await self._outcome(user, seat.call, chance.choice(["no_thanks", "never"]))
            elif seat.state == "paused":
                await self.api("POST", "/ready", {}, phoner=user)
            elif seat.state == "talking" and chance.random() < 0.1:
                await self.api("POST", "/hang-up", {}, phoner=user)
            elif chance.random() < 0.01:
                telephone.die()
                telephone = await self.at_desk(user)
                telephone.speaks = noise
            elif chance.random() < 0.01:
                await self.api("POST", "/off", {}, phoner=user)

    async def _outcome(self, user: int, attempt: str | None, key: str) -> None:
        number = next((f"+{call.number}" for call in self.calls() if call.attempt == attempt), "")
        status, _ = await self.outcome(key, phoner=user, then="ready")
        if status < 300 and key == "never":
            self.opted_out[number] = time.monotonic()

    async def crashes(self) -> None:
        """Asterisk is killed in the middle of the evening, and started again."""
        await asyncio.sleep(LASTS_S / 2)
        self.crashed_at = time.monotonic()
        await asyncio.to_thread(self.exchange.restart)

    async def listener(self) -> None:
        await self.at_desk(SUPERVISOR)
        chance = random.Random(SUPERVISOR)
        while self.lasts:
            await asyncio.sleep(1)
            for seat in self.seats()[:1]:
                mode = chance.choice(["silent", "coach", "join"])
                body = {"seat": seat.id, "mode": mode, "why": "quality"}
                await self.api("POST", "/listenings", body, phoner=SUPERVISOR)
                await asyncio.sleep(chance.uniform(1, 6))
                await self.api("POST", "/listenings/stop", {}, phoner=SUPERVISOR)

    async def everybody_goes(self) -> bool:
        """Whether everybody is off, and nothing is open."""
        for seat in self.seats():
            if seat.outcome_owed or seat.state == "wrapping_up":
                await self.outcome("no_thanks", phoner=seat.phoner, then="pause")
            if seat.state == "talking":
                await self.api("POST", "/hang-up", {}, phoner=seat.phoner)
            if seat.state != "off":
                await self.api("POST", "/off", {}, phoner=seat.phoner)
        await self.api("POST", "/listenings/stop", {}, phoner=SUPERVISOR)
        await asyncio.sleep(0.5)
        return (
            all(call.ended_at is not None for call in self.calls())
            and all((seat.state, seat.leg) == ("off", None) for seat in self.seats())
            and all(row.ended_at is not None for row in self.rows(select(listenings)))
        )


def noise(count: int) -> bytes:
    return bytes((count * 7 + n) % 256 for n in range(160))


@pytest.mark.parametrize(
    ("first", "faults", "crashes"),
    [
        (2000, ORDERS, False),
        (3000, EVENTS, False),
        (4000, BOTH, False),
        (5000, ANSWERS, False),
        (6000, EVENTS, True),
    ],
    ids=["orders", "events", "both", "answers", "crash"],
)
async def test_nobody_is_left_over_after_a_hostile_evening(
    exchange: tuple[Exchange, Called],
    tmp_path: Path,
    first: int,
    faults: Faults,
    crashes: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await hostile_evening(exchange, tmp_path, first, faults, caplog, crashes=crashes)


async def test_nobody_is_left_over_after_a_hostile_evening_of_two_servers(
    exchange: tuple[Exchange, Called],
    tmp_path: Path,
    postgres_url: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await hostile_evening(exchange, tmp_path, 7000, BOTH, caplog, postgres_url)


async def hostile_evening(
    exchange: tuple[Exchange, Called],
    tmp_path: Path,
    first: int,
    faults: Faults,
    caplog: pytest.LogCaptureFixture,
    database: str = "",
    *,
    crashes: bool = False,
) -> None:
    """An evening, and what was left of it. `database`: of two servers."""
    server, called = exchange
    called.stop()
    town = Town(server.sip, SEED)
    await town.open(server.trunk_port)
    try:
        await asyncio.to_thread(await_trunk, server, "online")
        system = HostileEvening(tmp_path, server, called, faults, database)
        people = range(first, first + 200)
        rows = [f"K{n};Person {n};32{n}00;1980-01-01;gade" for n in people]
        list_ = "\n".join(["ref;navn;telefon;født;kilde", *rows, ""])
        async with living(system, list_, len(PHONERS)):
            system.employ()
            more = [system.crashes()] if crashes else []
            async with system.second_server() if database else contextlib.nullcontext():
                await asyncio.gather(*map(system.phoner, PHONERS), system.listener(), *more)
            system.hostile.peace()
            await eventually(system.everybody_goes, 3 * PATIENCE_S)
            await nothing_is_left(system, town)
    finally:
        town.answer_the_rest()
        town.die()
        called.start()
        await asyncio.to_thread(await_trunk, server, "online")
    assert system.hostile.met
    nobody_is_wronged(system, town)
    system.close()
    behaviour = check(published(tmp_path, database or "system.db", "judged"))
    assert [str(violation) for violation in behaviour.violations] == []
    assert not [record for record in caplog.records if record.exc_info], "a traceback in the log"
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert not [error for error in errors if "carrier" not in str(error.msg)]


async def nothing_is_left(system: ExchangeSystem, town: Town) -> None:
    ari = system.own.ari

    async def empty() -> bool:
        return not [*await ari.every("channels"), *await ari.every("bridges")]

    await eventually(empty)
    await eventually(lambda: all(ring.over for ring in town.rings if ring.answered_at))


def nobody_is_wronged(system: HostileEvening, town: Town) -> None:
    calls = system.attempts()
    assert calls
    numbers = {f"+{contact.number}" for contact in system.contacts()}
    rings = [ring for ring in town.rings if ring.number in numbers]
    times = Counter(ring.number for ring in rings)
    assert set(times) <= {f"+{call.number}" for call in system.calls()}
    again = {number for number, count in times.items() if count > 1}
    assert not again, (
        [ring for ring in rings if ring.number in again],
        [call for call in system.calls() if f"+{call.number}" in again],
    )
    for ring in rings:
        opted_out = system.opted_out.get(ring.number)
        assert opted_out is None or ring.at < opted_out
        if not ring.at < system.crashed_at < ring.at + LONGEST_CALL_S:
            assert ring.silence_s < SILENCE_S, ring
        if not ring.answered_at:
            assert calls.get(ring.number) is None or calls[ring.number].answered_at is None
