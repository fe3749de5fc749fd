"""What a call leaves on the disk: rows and indexes of the database by table, and the heads file."""

import asyncio
import sqlite3
import tempfile
from pathlib import Path

from callserver.cli.simulate import evening
from callserver.simulator.evening import Plan
from tests.bench.large import STARTED
from tests.bench.measuring import Figure
from tests.harness.simulated import ROOT

HEADS_FILE, DATABASE = 512, 2560
"""Bytes per call: half of what they were on 2026-11-28."""

NAMED = 6


def sizes(hours: float) -> list[Figure]:
    """After an evening of 60 phoners: the database without free pages, in bytes for each call."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plan = Plan(start=STARTED, hours=hours)
        asyncio.run(evening(plan, 60, 3000, ROOT / "config", folder))
        heads = (folder / "seals.jsonl").stat().st_size
        file = sqlite3.connect(folder / "evening.db", isolation_level=None)
        file.execute("VACUUM")
        (calls,) = file.execute("SELECT count(*) FROM calls").fetchone()
        (lists,) = file.execute(
            "SELECT sum(pgsize) FROM dbstat WHERE name LIKE 'contacts%' OR name = 'revisions'"
        ).fetchone()
        parts = dict(
            file.execute(
                "SELECT tbl_name, sum(pgsize) FROM dbstat JOIN sqlite_schema USING (name)"
                " GROUP BY tbl_name ORDER BY 2 DESC"
            ).fetchall()
        )
        file.close()
    of_calls = {name: size for name, size in parts.items() if name not in ("contacts", "revisions")}
    shown = ", ".join(f"{name} {size // calls}" for name, size in list(of_calls.items())[:NAMED])
    total = sum(of_calls.values()) // calls
    per_call = heads // calls
    return [
        Figure(
            f"database, bytes for each of {calls:,} calls",
            f"{total:,}",
            shown,
            f"lists {lists // calls}",
            f"≤ {DATABASE:,}",
            total <= DATABASE,
        ),
        Figure(
            "heads file, bytes for each call",
            f"{per_call:,}",
            "-",
            "-",
            f"≤ {HEADS_FILE}",
            per_call <= HEADS_FILE,
        ),
    ]
