"""Short evenings under the test's hand, each about one thing. Every one of them is lawful: what a server must
refuse is tried, and refused."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from callserver.database import accounts, audit
from callserver.database.accounts import User
from callserver.database.engines import reading
from callserver.domain.audit import EntryKind
from callserver.engine.audit_log.publishing import Publisher
from callserver.engine.audit_log.sealing import load_key
from callserver.ports import Tx
from callserver.simulator.legs import Behaviour
from tests.harness.listening import ListeningSystem
from tests.harness.simulated import in_a_talk

ORIGIN = "calls.example.org/log"
FIRST = "+4532200000"
RINGS_OUT = Behaviour(answers_after=None)
ONE_PERSON = "ref;navn;telefon;født;kilde\nK0;Person 0;32200000;1980-01-01;gade\n"
HOUSEHOLD = "ref;navn;telefon;adresse;kilde\n1;A;32200000;Vej 1;x\n2;B;32200001;Vej 1;x\n"
MORNING = datetime.fromisoformat("2026-05-12T10:00:00+02:00")
CLOSING = datetime.fromisoformat("2026-05-12T21:00:00+02:00")
LATER = 5 * 3600
"""Seconds: more than the rest between two calls."""
System = ListeningSystem


@dataclass(frozen=True)
class Scene:
    """What happens, and the system that it happens in."""

    plays: Callable[[System], Awaitable[None]]
    system: dict[str, Any] = field(default_factory=dict)


WHOLE_EVENING = 400
"""Seconds: what an entry obliges the server to is in the log by then, or is late."""


async def over(system: System) -> None:
    """The evening is over, and something is written in the log later: its end judges what is missing."""
    await system.pass_time(WHOLE_EVENING)
    now = system.clock.now()
    system.write(
        lambda tx: audit.append(tx, now, EntryKind.VERIFIED, by="command", sealed=0, wrong=0)
    )
    await system.pass_time(10)


def published(system: System) -> Path:
    """The log of the system as a stranger gets it."""
    folder = system.folder / "export"
    publisher = Publisher(folder, ORIGIN, load_key(system.folder / "seal.key"))
    with reading(system.server.store.engine) as tx:
        publisher.publish(tx)
    return folder


def user(tx: Tx, key: int) -> User:
    known = accounts.user(tx, key)
    assert known is not None
    return known


async def hangs_up(system: System) -> None:
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(2)


async def ends(system: System, outcome: str, details: Any = None, then: str = "pause") -> None:
    """The person hangs up, and the phoner saves the outcome."""
    await hangs_up(system)
    status, answer = await system.outcome(outcome, details, then=then)
    assert status == 200, answer
    await system.pass_time(2)


async def tries(system: System, path: str, body: Any, *, phoner: int = 1) -> int:
    """A request that a server may refuse, and the time until its consequences are in the log."""
    status, _ = await system.api("POST", path, body, phoner=phoner)
    await system.pass_time(60)
    return status


async def said(system: System, outcome: str, details: Any = None) -> None:
    await in_a_talk(system)
    await ends(system, outcome, details)
