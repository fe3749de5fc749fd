"""Folders with settings of their own, where commands run beside a server or instead of it."""

import os
import subprocess
from pathlib import Path

from callserver.simulator.faults import NONE
from tests.harness import processes
from tests.harness.simulated import ROOT, TUESDAY, SimulatedSystem, in_a_talk

KEY = "a key for the tests alone"


class Place:
    """A folder with settings of its own, where commands run."""

    def __init__(self, folder: Path, database: str = "") -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.database = database or f"sqlite:///{folder}/system.db"
        self.environment = {
            **os.environ,
            "CALLSERVER_DATABASE": self.database,
            "CALLSERVER_CONFIG": str(ROOT / "config"),
            "CALLSERVER_KEY": KEY,
            "CALLSERVER_CLOCK": TUESDAY.isoformat(),
            "CALLSERVER_SEAL_KEY": str(folder / "seal.key"),
            "CALLSERVER_SEALS": str(folder / "seals.jsonl"),
            "CALLSERVER_UPLOADS": str(folder / "uploads"),
            "CALLSERVER_MESSAGES": str(folder / "messages"),
        }

    def use(self, database: str) -> None:
        self.database = self.environment["CALLSERVER_DATABASE"] = database

    @property
    def database_file(self) -> Path:
        """Of a SQLite database."""
        return Path(self.database.removeprefix("sqlite:///"))

    @property
    def heads(self) -> Path:
        return self.folder / "seals.jsonl"

    def run(self, *words: object) -> subprocess.CompletedProcess[str]:
        return processes.run(*map(str, words), environment=self.environment)

    def ok(self, *words: object) -> str:
        done = self.run(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


async def busy(folder: Path) -> SimulatedSystem:
    """An evening under way: a person talks, others wait."""
    system = SimulatedSystem(folder, faults=NONE, key=KEY)
    await in_a_talk(system)
    await system.pass_time(10)  # sealed
    return system
