"""Calling hours follow the newer of the machine's and the package's rules of time zones."""

import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

CONFIG = Path(__file__).parents[1] / "config"

# 21:30 in Nuuk since 2023, and 20:30 by the rules before: the hours end at 21:00.
ASK = """
import sys, zoneinfo
zoneinfo.reset_tzpath(to=[sys.argv[1]])
from datetime import UTC, datetime
from pathlib import Path
from callserver.adapters.config_folder import load
from callserver.domain.hours import is_open, place_of
policy = load(Path(sys.argv[2])).policies["dk_rk"]
print(is_open(policy, place_of("+299221234", "America/Nuuk"), datetime(2026, 1, 13, 23, 30, tzinfo=UTC)))
"""


def machine(folder: Path, version: str) -> Path:
    """Rules of time zones as a machine has them, in which Nuuk's clock is that of before 2023."""
    (folder / "America").mkdir()
    old = files("tzdata.zoneinfo").joinpath("Etc", "GMT+3").read_bytes()
    (folder / "America" / "Nuuk").write_bytes(old)
    (folder / "tzdata.zi").write_text(version)
    return folder


@pytest.mark.parametrize(
    ("version", "is_open"),
    [("# version 2022a\n", False), ("", False), ("# version 2999a\n", True)],
)
def test_the_newer_rules_hold(version: str, is_open: bool, tmp_path: Path) -> None:
    folder = str(machine(tmp_path, version))
    said = subprocess.run(
        [sys.executable, "-c", ASK, folder, str(CONFIG)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert said.stdout.strip() == str(is_open)
