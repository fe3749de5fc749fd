"""Short evenings with every fault of the network, and the folder that a stranger gets of each."""

from datetime import datetime
from pathlib import Path

from callserver.cli.simulate import evening, start_of
from callserver.database.engines import make_engine, reading
from callserver.engine.audit_log.publishing import Publisher
from callserver.engine.audit_log.sealing import load_key
from callserver.simulator.evening import Plan, Result
from callserver.simulator.faults import ALL, Faults
from tests.harness.databases import sqlite_file

ROOT = Path(__file__).parents[2]
ORIGIN = "calls.test/log"
"""The log's name, as the server itself publishes it every minute."""

HOURS = 0.06


async def short(
    seed: int, folder: Path, *, hours: float = HOURS, phoners: int = 3, faults: Faults = ALL
) -> tuple[Result, Path]:
    """An evening of some minutes, and its published log. Every other one goes on after closing time."""
    start = start_of(hours, faults=seed % 2 == 0)
    plan = Plan(start=datetime.fromisoformat(start), hours=hours, seed=seed, faults=faults)
    sqlite_file(folder / "evening.db")  # faster than making the tables each time
    result = await evening(plan, phoners, 60, ROOT / "config", folder)
    return result, published(folder)


def published(folder: Path, database: str = "evening.db", into: str = "published") -> Path:
    """The published log of the evening whose files are in this folder. `database`: a file there, or an address."""
    engine = make_engine(database if "://" in database else f"sqlite:///{folder}/{database}")
    target = folder / into
    with reading(engine) as connection:
        Publisher(target, ORIGIN, load_key(folder / "seal.key")).publish(connection)
    engine.dispose()
    return target
