"""Files of this installation: made for their own user only; what others reach is named."""

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

from callserver import settings
from callserver.database.engines import make_engine
from callserver.errors import ConfigurationProblem
from callserver.settings import Settings, check_key, from_environment
from tests.harness import processes

ROOT = Path(__file__).parents[2]
KEY = "a key for the tests alone"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def run(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("CALLSERVER")},
        "CALLSERVER_CONFIG": str(ROOT / "config"),
        "CALLSERVER_DATABASE": f"sqlite:///{folder}/var/system.db",
        "CALLSERVER_SEAL_KEY": str(folder / "var" / "seal.key"),
        "CALLSERVER_SEALS": str(folder / "var" / "seals.jsonl"),
        "CALLSERVER_UPLOADS": str(folder / "var" / "uploads"),
        "CALLSERVER_KEY": KEY,
        **more,
    }
    return processes.run(*words, environment=environment, folder=folder)


def test_a_command_makes_files_for_its_own_user_only(tmp_path: Path) -> None:
    assert run(tmp_path, "migrate").returncode == 0
    made = [path for path in tmp_path.rglob("*") if path != tmp_path]
    assert made
    assert [path for path in made if mode(path) & 0o077] == []


def test_a_new_database_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        engine = make_engine(f"sqlite:///{tmp_path}/x.db")
        with engine.begin() as tx:
            tx.exec_driver_sql("CREATE TABLE t (x)")
            assert [path.name for path in tmp_path.iterdir() if mode(path) & 0o077] == []
    finally:
        os.umask(before)


def test_check_names_what_others_reach_with_the_remedy(tmp_path: Path) -> None:
    assert run(tmp_path, "migrate").returncode == 0
    assert run(tmp_path, "check").returncode == 0
    database, dotenv = tmp_path / "var" / "system.db", tmp_path / ".env"
    database.chmod(0o644)
    dotenv.write_text("CALLSERVER_LOG_LEVEL=info\n")
    dotenv.chmod(0o640)
    said = run(tmp_path, "check")
    assert said.returncode == 2
    assert f"chmod 0600 {database}" in said.stdout
    assert "chmod 0600 .env" in said.stdout
    listed = json.loads(run(tmp_path, "check", "--json").stdout)["problems"]
    assert {Path(line["file"]).name for line in listed} == {"system.db", ".env"}


def test_check_names_a_folder_in_which_others_could_replace_the_files(tmp_path: Path) -> None:
    assert run(tmp_path, "migrate").returncode == 0
    folder = tmp_path / "var"
    folder.chmod(0o777)
    said = run(tmp_path, "check")
    assert said.returncode == 2
    assert f"chmod 0755 {folder}" in said.stdout.replace("\n", "")
    folder.chmod(0o1777)
    assert run(tmp_path, "check").returncode == 0


def test_the_examples_key_and_short_ones_are_refused_by_every_command(tmp_path: Path) -> None:
    said = run(tmp_path, "serve", CALLSERVER_KEY="change-me-and-keep-me")
    assert (said.returncode, "CALLSERVER_KEY" in said.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []
    for key in ("change-me-and-keep-me", "short", "a" * 40, "my example key 12345"):
        with pytest.raises(ConfigurationProblem, match="CALLSERVER_KEY"):
            check_key(Settings(key=key))
    example = (ROOT / "config" / "env.example").read_text("utf-8")
    given = dict(line.split("=", 1) for line in example.splitlines() if line[:1].isalpha())
    assert given["CALLSERVER_KEY"] == ""
    check_key(Settings(key="6f1c8e0b57a94d2e"))
    check_key(Settings(key=""))


def test_trusted_proxies_are_addresses_and_none_by_default() -> None:
    assert settings.proxies(Settings()) == []
    right = from_environment({"CALLSERVER_TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8,::1"})
    assert settings.proxies(right) == ["127.0.0.1", "10.0.0.0/8", "::1"]
    for wrong in ("*", "proxy.example.org", "10.0.0.0/99"):
        with pytest.raises(ConfigurationProblem, match="CALLSERVER_TRUSTED_PROXIES"):
            from_environment({"CALLSERVER_TRUSTED_PROXIES": wrong})
    with pytest.raises(ConfigurationProblem, match="should be like"):
        settings.instant("--at", "0001-01-01T00:00:00+14:00")
