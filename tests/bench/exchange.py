"""A real exchange with real sound: what calls cost with the server, beside Asterisk's own dialplan.

The same Asterisk, telephones and number of legs in both: phoners' telephones are called, contacts' at
the trunk, and each pair hears each other. On its own, Asterisk rings the phoner and its dialplan's
Dial() the contact. SIPp plays both sides where there are many, at the cost of this machine's cores.
"""

import asyncio
import contextlib
import os
import secrets
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select

from callserver.adapters.asterisk import softphones
from callserver.adapters.asterisk.channel_names import TELEPHONES
from callserver.adapters.asterisk.client import Ari
from callserver.adapters.config_folder import load
from callserver.cli.free_ports import free_port
from callserver.database import softphones as kept
from callserver.database import tables
from callserver.database.softphones import Softphone
from callserver.engine.lists.importer import import_list
from callserver.ports import Tx
from tests.bench.measuring import Figure, percentile
from tests.harness.exchange.process import ProcessSystem
from tests.harness.exchange.real import (
    ROOT,
    WHY_NOT,
    Called,
    Exchange,
    await_trunk,
    make,
)
from tests.harness.exchange.sip import Talk, Telephone
from tests.harness.exchange.tones import tone

ROUNDS = 20
"""Calls whose first sound is waited for, of each kind."""

TALK_S = 10
DIALS_S = 15


def exchange(phoners: int) -> list[Figure]:
    """Everything about a real exchange; nothing, with the reason, where there is none."""
    if WHY_NOT:
        return [Figure("an exchange with sound", f"left out: {WHY_NOT}", "-", "-", "-", good=True)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("first", "many", "seats"):
            (folder / part).mkdir()
        return asyncio.run(_measured(folder, phoners))


async def _measured(folder: Path, phoners: int) -> list[Figure]:
    exchange = _exchange(folder)
    try:
        async with httpx.AsyncClient() as http:
            return [
                *await _first_sound(folder / "first", exchange, exchange.ari(http)),
                *await _many(folder, exchange, exchange.ari(http), phoners),
            ]
    finally:
        exchange.stop()


def _exchange(folder: Path) -> Exchange:
    """One with a way out of its own besides: the peer's."""
    exchange = make(folder)
    (folder / "sounds").mkdir()
    etc = folder / "etc"
    with (etc / "extensions.conf").open("a") as dialplan:
        dialplan.write(f"[{TELEPHONES}]\nexten = _+X.,1,Dial(PJSIP/${{EXTEN}}@trunk,30)\n")
    with (etc / "modules.conf").open("a") as modules:
        modules.write("load = app_dial.so\nload = bridge_native_rtp.so\n")
    exchange.start()
    return exchange


@contextlib.asynccontextmanager
async def _system(
    folder: Path, exchange: Exchange, called: Called, list_: str, phoners: int
) -> AsyncIterator[ProcessSystem]:
    system = ProcessSystem(folder, exchange, called)
    system.log_level = "error"
    system.fill(list_, phoners)
    system.begin()
    try:
        await system.up()
        yield system
    finally:
        while system.processes:
            system.kill()
        for telephone in system.telephones:
            telephone.die()
        system.close()


def contacts(first: int, count: int, ending: str) -> str:
    rows = [f"K{n};Person {n};32{n}{ending};1980-01-01;gade" for n in range(first, first + count)]
    return "\n".join(["ref;navn;telefon;født;kilde", *rows, ""])


# -- how soon the two hear each other ---------------------------------------------------------------


async def _first_sound(folder: Path, exchange: Exchange, ari: Ari) -> list[Figure]:
    contact = await Telephone("contact", exchange.sip).open(exchange.trunk_port)
    contact.speaks = tone(650)
    await asyncio.to_thread(await_trunk, exchange, "online")
    called = Called(folder, 9)
    own: list[float] = []
    theirs: list[float] = []
    list_ = contacts(2001, ROUNDS, "00")
    try:
        async with _system(folder, exchange, called, list_, 1) as system:
            phoner = await system.on_shift()
            phoner.speaks = tone(400)
            other = await system.telephone(2)
            other.speaks = tone(400)
            for _ in range(ROUNDS):
                await system.ready()
                own += await _heard_after(
                    contact, phoner, lambda: system.api("POST", "/hang-up", {})
                )
                await system.wait_for(lambda: system.seat_row().state == "wrapping_up")
                await system.outcome("no_thanks")
                await _originated(ari, 2, 2001)
                theirs += await _heard_after(contact, other, lambda: other.hang_up(_talk(other)))
                await system.wait_for(lambda: other.talk is None)
    finally:
        contact.die()
    return [_compared("from answer to sound", own, theirs)]


async def _heard_after(
    contact: Telephone, phoner: Telephone, hang_up: Callable[[], Awaitable[object]]
) -> list[float]:
    """Seconds from the contact's answer until they hear the phoner, and until they are heard."""
    talk = await _answered(contact)
    for _ in range(200):
        await asyncio.sleep(0.01)
        if talk.loud() and phoner.talk and phoner.talk.loud(talk.answered_at):
            break
    delays = [_first(talk, talk), _first(phoner.talk or talk, talk)]
    await hang_up()
    await asyncio.wait_for(talk.ended.wait(), 5)
    return delays


def _talk(telephone: Telephone) -> Talk:
    assert telephone.talk is not None
    return telephone.talk


async def _answered(contact: Telephone) -> Talk:
    for _ in range(1000):
        await asyncio.sleep(0.01)
        if contact.talk is not None and contact.talk.answered:
            return contact.talk
    raise AssertionError("nobody was called")


def _first(ear: Talk, answered: Talk) -> float:
    since = answered.answered_at
    return (
        next(packet.at for packet in ear.heard if packet.at >= since and len(set(packet.sound)) > 8)
        - since
    )


def _compared(what: str, own: list[float], theirs: list[float]) -> Figure:
    def said(times: list[float]) -> str:
        return f"{statistics.median(times) * 1e3:.0f} / {percentile(times, 0.99) * 1e3:.0f} ms"

    factor = statistics.median(own) / statistics.median(theirs)
    worst = percentile(own, 0.99) / percentile(theirs, 0.99)
    return Figure(
        f"{what} (median / p99 of {len(own)})",
        said(own),
        f"{said(theirs)} (Asterisk's Dial)",
        f"{factor:.2f}× / {worst:.2f}×",
        "≤ 2×",
        factor <= 2,
    )


# -- what many calls cost ---------------------------------------------------------------------------


async def _many(folder: Path, exchange: Exchange, ari: Ari, phoners: int) -> list[Figure]:
    called = Called(folder, exchange.trunk_port)
    seats_port = free_port()
    seats = Called(folder / "seats", seats_port, "phoners.xml")
    called.start()
    try:
        await asyncio.to_thread(await_trunk, exchange, "online")
        list_ = contacts(3001, phoners, "00")
        async with _system(folder / "many", exchange, called, list_, phoners) as system:
            await _sign_in(system, phoners, seats_port)
            seats.start()
            await _everybody(system, phoners, "/shift", _line)
            await system.wait_for(lambda: _states(system).count("paused") == phoners, 60)
            await _everybody(system, phoners, "/ready", lambda _: {})
            await system.wait_for(lambda: _states(system).count("talking") == phoners, 60)
            own = await _while_talking(exchange, system, ari)
            dialed = await _dialing(exchange, system, phoners)
        await _end_all(ari)
        await _until_up(ari, 0)
        for phoner in range(1, phoners + 1):
            await _originated(ari, phoner, 3000 + phoner)
        await _until_up(ari, 2 * phoners)
        theirs = await _while_talking(exchange, None, ari)
    finally:
        called.stop()
        seats.stop()
    return [_talking(phoners, own, theirs), dialed]


async def _sign_in(system: ProcessSystem, phoners: int, port: int) -> None:
    """Every phoner's telephone, at one address, where SIPp will answer for all of them."""
    password = secrets.token_urlsafe(16)
    names = [f"telephone_{phoner}" for phoner in range(1, phoners + 1)]

    def add(tx: Tx) -> None:
        for phoner, name in enumerate(names, 1):
            kept.store(tx, Softphone(name, phoner, softphones.digest(name, password), None))

    system.write(add)
    telephone = await Telephone("", system.exchange.sip).open(port)
    for telephone.name in names:
        for _ in range(50):
            if await telephone.register(password) == 200:
                break
            await asyncio.sleep(0.1)  # the server has not told the exchange yet
    telephone.die()
    await asyncio.sleep(0.1)


def _line(phoner: int) -> Any:
    return {"campaign": "kanvas", "line": f"sip:telephone_{phoner}"}


async def _everybody(
    system: ProcessSystem, phoners: int, path: str, body: Callable[[int], Any]
) -> None:
    for phoner in range(1, phoners + 1):
        await system.do("POST", path, body(phoner), phoner=phoner)


def _states(system: ProcessSystem) -> list[str]:
    query = select(tables.seats.c.state, tables.seats.c.connected).order_by(tables.seats.c.phoner)
    rows = system.read(lambda tx: tx.execute(query).all())
    return [state if connected else "connecting" for state, connected in rows]


async def _dialing(exchange: Exchange, system: ProcessSystem, phoners: int) -> Figure:
    """Everybody dials as fast as people answer, talks for two seconds, and notes the outcome."""
    campaign = load(ROOT / "config").campaigns["kanvas"]
    more = contacts(4001, phoners * DIALS_S // 2, "01")
    system.write(lambda tx: import_list(tx, campaign, more.encode(), system.clock.now()))
    await _everybody(system, phoners, "/hang-up", lambda _: {})
    clock, before = _Used.of(exchange, system), len(system.calls())
    while (used := _Used.of(exchange, system) - clock).seconds < DIALS_S:
        for phoner, state in enumerate(_states(system), 1):
            if state == "wrapping_up":
                await system.outcome("no_thanks", phoner, then="ready")
        await asyncio.sleep(0.25)
    calls = len(system.calls()) - before
    cost = used.server / calls * 1e3
    return Figure(
        f"{phoners} phoners who only dial: {calls / used.seconds:.0f} calls a second",
        f"{cost:.0f} ms of the server a call ({used.server / used.seconds:.0%} of a core)",
        f"{used.asterisk / used.seconds:.0%} (Asterisk, the same calls)",
        "-",
        "≤ 60 ms",
        cost <= 60,
    )


def _talking(phoners: int, own: "_Used", theirs: "_Used") -> Figure:
    asterisk, alone = own.asterisk / own.seconds, theirs.asterisk / theirs.seconds
    server = own.server / own.seconds
    return Figure(
        f"{phoners} talks at once, sound both ways: {phoners / (asterisk + server):.0f} a core",
        f"Asterisk {asterisk:.0%} of a core, the server {server:.1%}; {own.lost:.2%} lost",
        f"{alone:.0%}; {theirs.lost:.2%} lost (Asterisk's Dial)",
        f"{(asterisk + server) / alone:.2f}×",
        "≤ 2×",
        (asterisk + server) / alone <= 2,
    )


@dataclass(frozen=True, slots=True)
class _Used:
    """Seconds of CPU, and of the clock; the share of packets that Asterisk missed."""

    asterisk: float
    server: float
    seconds: float
    lost: float = 0

    @classmethod
    def of(cls, exchange: Exchange, system: ProcessSystem | None) -> "_Used":
        server = _cpu(system.processes[0].pid) if system is not None else 0
        return cls(_cpu(exchange.pid), server, time.monotonic())

    def __sub__(self, before: "_Used") -> "_Used":
        return _Used(
            self.asterisk - before.asterisk,
            self.server - before.server,
            self.seconds - before.seconds,
        )


def _cpu(process: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _while_talking(exchange: Exchange, system: ProcessSystem | None, ari: Ari) -> _Used:
    before, began = await _packets(ari), _Used.of(exchange, system)
    await asyncio.sleep(TALK_S)
    used, after = _Used.of(exchange, system) - began, await _packets(ari)
    came, lost = (later - earlier for later, earlier in zip(after, before, strict=True))
    return replace(used, lost=lost / (came + lost))


async def _packets(ari: Ari) -> tuple[int, int]:
    """Packets that came from telephones so far, and those that are missing between them."""
    came = lost = 0
    for channel in (await ari.get("channels")).body:
        statistics = await ari.get("channels", str(channel["id"]), "rtp_statistics")
        came += statistics.body["rxcount"]
        lost += statistics.body["rxploss"]
    return came, lost


async def _originated(ari: Ari, phoner: int, number: int) -> None:
    """Asterisk's own way: a telephone is called, then the dialplan dials."""
    made = await ari.post(
        "channels",
        endpoint=f"PJSIP/telephone_{phoner}",
        context=TELEPHONES,
        extension=f"+4532{number}00",
        priority="1",
        callerId="+4532123400",
    )
    assert made.ok, made


async def _until_up(ari: Ari, count: int) -> None:
    for _ in range(300):
        channels = (await ari.get("channels")).body
        if [channel["state"] for channel in channels].count("Up") == count:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"not {count} legs, but {len(channels)}")


async def _end_all(ari: Ari) -> None:
    for channel in (await ari.get("channels")).body:
        await ari.delete("channels", channel["id"])
