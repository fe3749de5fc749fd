"""The commands as somebody types them, in a folder of their own."""

import json
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from callserver.adapters.config_folder import load
from callserver.domain import hours
from tests.cli.conftest import ROOT, Run


def test_the_package_is_a_command() -> None:
    words = [sys.executable, "-m", "callserver", "check", "nowhere"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, "there is no folder nowhere" in done.stderr) == (2, True)


def test_help_teaches(run: Run) -> None:
    said = run("--help").stdout
    for name in ("check", "import", "export", "explain", "why", "suppress", "audit", "simulate"):
        assert name in said
    assert "Example" in run("import", "--help").stdout


def test_an_old_name_is_refused_and_the_present_one_said(run: Run, tmp_path: Path) -> None:
    said = "CALLSERVER_UPKEEP: is called CALLSERVER_SCHEDULER now"
    assert said in run("migrate", CALLSERVER_UPKEEP="no").stderr
    assert run("migrate", CALLSERVER_UPKEEP="").returncode == 0
    (tmp_path / ".env").write_text("CALLSERVER_UPKEEP=yes\n", "utf-8")
    assert said in run("migrate").stderr
    result = run("upkeep")
    assert result.returncode == 2
    assert "'upkeep' is called 'scheduler' now" in result.stderr


def next_open(at: datetime) -> datetime:
    """When Denmark's calling hours next open."""
    place = hours.place_of("+4532200001", None)
    opens = hours.next_open(load(ROOT / "config").policies["dk"], place, at)
    assert opens is not None
    return opens.astimezone(UTC)


def test_from_a_list_to_the_answer_who_called(run: Run, tmp_path: Path) -> None:
    lines = "ref;navn;telefon;kilde\n1;Anna Prøve;32200001;gade\n2;Bo Prøve;32200002;gade\n"
    (tmp_path / "list.csv").write_text(lines + "3;Carl Prøve;ab1;gade\n", "utf-8")
    dry = run("import", "kanvas", "list.csv", "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert run("export", "contacts", "kanvas").stdout.count("\n") == 1  # the dry run kept nothing
    assert run("import", "kanvas", "list.csv").returncode == 0
    exported = run("export", "contacts", "kanvas").stdout
    assert "Anna Prøve" in exported
    assert exported.count("\n") == 3

    asked = ("explain", "32200001", "--campaign", "kanvas", "--json", "--at")
    tomorrow = datetime.now(UTC).replace(hour=0, minute=0) + timedelta(days=1)
    opens = next_open(tomorrow)  # from before the opening: 9:00, whatever the time is now
    noon = (opens + timedelta(hours=3)).isoformat()
    night = (opens + timedelta(hours=13)).isoformat()  # 22:00
    assert json.loads(run(*asked, noon).stdout)["reasons"] == ["SYS_EXTLIST_STALE"]
    (tmp_path / "register.txt").write_text("32209999\n")
    assert run("register", "import", "register.txt").returncode == 0
    assert json.loads(run(*asked, noon).stdout)["allowed"] is True
    answer = json.loads(run(*asked, night).stdout)
    assert answer["reasons"] == ["TIME_AFTER"]
    assert answer["next_at"] == next_open(opens + timedelta(hours=13)).isoformat()
    assert answer["listed"] is True
    elsewhere = run("explain", "32200009", "--campaign", "kanvas", "--language", "en")
    assert "on no list" in elsewhere.stdout
    assert json.loads(run("explain", "112", "--json").stdout)[0]["reasons"][0] == "NUM_EMERGENCY"

    assert run("suppress", "add", "32200001").returncode == 0
    assert json.loads(run(*asked, noon).stdout)["reasons"] == ["SUP_NUMBER"]
    assert "Opkald frabedt" in run("why", "32200001").stdout
    assert "32200001" not in run("suppress", "list").stdout
    assert run("audit", "show", "--number", "32209998").stdout == ""
    assert run("suppress", "add", "32209998", "--scope", "number").returncode == 0
    (entry,) = map(json.loads, run("audit", "show", "--number", "32209998").stdout.splitlines())
    assert (entry["kind"], entry["scope"]) == ("suppressed", "number")


def test_looking_waits_for_no_writer(run: Run, tmp_path: Path) -> None:

    assert run("suppress", "add", "32200001").returncode == 0
    writer = sqlite3.connect(tmp_path / "c.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")  # held all the while; a command that wants it waits for 30 s
    assert "SUP_NUMBER" in run("explain", "32200001", "--json", "--campaign", "kanvas").stdout
    for words in (
        ("suppress", "list"),
        ("audit", "export"),
        ("audit", "show", "--number", "32200001"),
    ):
        assert run(*words).returncode == 0
    writer.close()
