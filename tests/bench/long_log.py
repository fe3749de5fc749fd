"""What a search costs in a log of years: entries as an evening writes them, rare kinds among them."""

import json
import tempfile
import time
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import Engine

from callserver.database import audit, migrate
from callserver.database.audit import LogQuery
from callserver.database.engines import make_engine
from callserver.domain.audit import EntryKind, stamp
from tests.bench.measuring import Figure, timed
from tests.harness.simulated import TUESDAY

OF_A_CALL = ("permitted", "seat", "placed", "reported", "seat", "reported", "seat", "outcome")
RARE_EVERY = 100_000
"""How many other entries lie between two of the rare kind."""


def generate(engine: Engine, count: int) -> None:
    """So many entries, about eight per call, with one of a rare kind now and then."""

    def row(number: int) -> tuple[Any, ...]:
        kind = OF_A_CALL[number % len(OF_A_CALL)]
        if number % RARE_EVERY == 1000:
            kind = EntryKind.RESTORED.value
        call = f"{number // len(OF_A_CALL):020}"
        at = TUESDAY + timedelta(seconds=number / 10)
        body = json.dumps({"at": stamp(at), "kind": kind, "call": call}).encode()
        return int(at.timestamp() * 1e6), kind, number // len(OF_A_CALL) % 10**6, call, body, number

    with engine.begin() as tx:
        raw: Any = tx.connection.dbapi_connection
        raw.executemany(
            "INSERT INTO audit (at, kind, contact, call, body, leaf) VALUES (?, ?, ?, ?, ?, ?)",
            map(row, range(count)),
        )


def searching(count: int) -> list[Figure]:
    """Processor seconds of the first page of each search."""
    searches = {
        "by a rare kind": LogQuery(kinds=(EntryKind.RESTORED.value,)),
        "by two rare kinds": LogQuery(kinds=(EntryKind.RESTORED.value, EntryKind.CLOCK.value)),
        "by a common kind": LogQuery(kinds=(EntryKind.SEAT.value,)),
        "of an hour": LogQuery(since=TUESDAY, until=TUESDAY + timedelta(hours=1)),
        "of a call": LogQuery(call=f"{7:020}"),
    }
    with tempfile.TemporaryDirectory() as folder:
        engine = make_engine(f"sqlite:///{folder}/l.db", durable=False, server=True)
        migrate.upgrade(engine)
        began = time.process_time()
        generate(engine, count)
        per_entry = (time.process_time() - began) / count
        figures = []
        with engine.begin() as tx:
            for what, asked in searches.items():
                took = min(timed(partial(audit.search, tx, asked, 100)) for _ in range(3))
                figures.append(
                    Figure(
                        f"log of {count:,} entries, search {what}",
                        f"{took * 1000:.1f} ms",
                        f"writing an entry {per_entry * 1e6:.0f} µs",
                        "-",
                        "≤ 500 ms",
                        took <= 0.5,
                    )
                )
            assert len(audit.search(tx, searches["by a rare kind"], 100)) == -(-count // RARE_EVERY)
        engine.dispose()
    return figures
