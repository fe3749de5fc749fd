"""Short evenings with every fault of the network: their published logs are those of a lawful server."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from callserver.engine.audit_log.behaviour import check
from callserver.errors import ConfigurationProblem
from tests.harness import evenings

SEEDS = range(int(os.environ.get("CALLSERVER_EVENINGS", "20")))
"""CALLSERVER_EVENINGS=1000 runs them all, some thirty minutes on one core."""


@pytest.mark.parametrize("seed", SEEDS)
def test_a_short_evening_with_faults_is_accepted(seed: int, tmp_path: Path) -> None:
    result, folder = asyncio.run(evenings.short(seed, tmp_path))
    behaviour = check(folder)
    assert [str(violation) for violation in behaviour.violations] == []
    assert behaviour.accepted
    assert behaviour.counts["permitted"] >= 1
    assert result.verdict.clean


def test_the_evenings_have_what_the_specification_is_about(tmp_path: Path) -> None:
    """Among a few evenings everything happens that a rule could be broken in."""
    missing = {"permitted", "refused", "placed", "silent", "reported", "settled", "stopped"}
    missing |= {"seat", "outcome", "suppressed", "marked", "call_back"}
    missing |= {"listening_started", "listening_changed", "listening_stopped", "heard"}
    for seed in range(60):
        (tmp_path / str(seed)).mkdir()
        _, folder = asyncio.run(evenings.short(seed, tmp_path / str(seed)))
        missing -= check(folder).counts.keys()
        if not missing:
            break
    assert not missing


def command(folder: Path, run_in: Path) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, "-m", "callserver", "audit", "behaviour", str(folder)]
    clean = {"PATH": "/usr/bin:/bin", "CALLSERVER_DATABASE": "nothing that could be opened"}
    return subprocess.run(
        arguments, cwd=run_in, env=clean, capture_output=True, text=True, check=False
    )


def test_the_command_needs_the_folder_alone(tmp_path: Path) -> None:
    _, folder = asyncio.run(evenings.short(1, tmp_path))
    done = command(folder, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("accepted: ")
    for bundle in (folder / "tile" / "entries").rglob("*"):
        if bundle.is_file():
            bundle.write_bytes(bundle.read_bytes().replace(b'"permitted"', b'"permitteD"'))
    done = command(folder, tmp_path)
    assert done.returncode == 1
    assert "permit-first: reserved without a permit for this seat" in done.stdout
    assert "the entries do not lead to the root of the signed checkpoint" in done.stdout
    assert "rejected: " in done.stdout


def test_a_folder_without_a_log_is_no_log(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationProblem):
        check(tmp_path)
