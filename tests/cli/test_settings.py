"""Settings and configuration, as commands read, check and refuse them."""

import json
import sqlite3
from pathlib import Path

import pytest
import structlog

from callserver.database.engines import WAL_RESET_FIXED, make_engine
from callserver.database.store import SqliteStore
from callserver.errors import ConfigurationProblem
from callserver.settings import from_environment
from tests.cli.conftest import Run


def test_check_and_schema(run: Run, tmp_path: Path) -> None:
    assert run("check").returncode == 0
    bad = tmp_path / "bad"
    (bad / "campaigns").mkdir(parents=True)
    (bad / "campaigns" / "a.yaml").write_text("nmae: a\n")
    result = run("check", str(bad))
    assert result.returncode == 2
    assert "a.yaml:1: nmae: is not a known key; did you mean 'name'?" in result.stdout
    assert json.loads(run("check", str(bad), "--json").stdout)["problems"]
    assert run("schema", "s").returncode == 0
    assert "properties" in json.loads((tmp_path / "s" / "campaign.schema.json").read_text())


def test_check_notes_an_old_sqlite(run: Run) -> None:
    is_old = sqlite3.sqlite_version_info < WAL_RESET_FIXED
    result = run("check")
    assert result.returncode == 0
    assert (f"note: SQLite {sqlite3.sqlite_version} may damage" in result.stdout) == is_old
    notes = json.loads(run("check", "--json").stdout)["notes"]
    assert any("SQLite" in note for note in notes) == is_old
    other = run("check", CALLSERVER_DATABASE="postgresql+psycopg://calls@127.0.0.1/calls")
    assert "SQLite" not in other.stdout
    with structlog.testing.capture_logs() as logged:  # a server does not repeat it at every start
        SqliteStore(make_engine("sqlite://"))
    assert logged == []


def test_a_wrong_setting_is_one_sentence(run: Run) -> None:
    result = run("migrate", CALLSERVER_PORT="many")
    assert result.returncode == 2
    assert "CALLSERVER_PORT" in result.stderr
    assert "Traceback" not in result.stderr


def test_every_command_reads_the_folder_s_dotenv(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "# a comment\n\nexport CALLSERVER_PORT='many'  # of one's own\n", "utf-8"
    )
    result = run("migrate")
    assert result.returncode == 2
    assert "CALLSERVER_PORT='many'" in result.stderr
    assert run("migrate", CALLSERVER_PORT="8000").returncode == 0  # the environment goes first
    assert run("migrate", CALLSERVER_PORT="").returncode == 0  # empty: the default
    (tmp_path / ".env").write_bytes(b"CALLSERVER_PORT=\xff\n")
    assert ".env cannot be read" in run("migrate", CALLSERVER_PORT="8000").stderr


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("CALLSERVER_HOST=one", "one"),
        ("CALLSERVER_HOST = one ", "one"),
        ("CALLSERVER_HOST='one two'", "one two"),
        ('CALLSERVER_HOST="one#two"  # three', "one#two"),
        ("CALLSERVER_HOST='$HOME ${HOME}'", "$HOME ${HOME}"),
        ("export CALLSERVER_HOST=one\r", "one"),
        ("CALLSERVER_HOST=one\nCALLSERVER_HOST=two", "two"),
        ("CALLSERVER_HOST=", "127.0.0.1"),
        ("# CALLSERVER_HOST=one", "127.0.0.1"),
    ],
)
def test_a_dotenv_is_read_as_people_write_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, host: str
) -> None:
    (tmp_path / ".env").write_text(written + "\n", "utf-8", newline="")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CALLSERVER_HOST", raising=False)
    assert from_environment().host == host


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CALLSERVER_CALLS_PER_SECOND", "0"),
        ("CALLSERVER_CALLS_PER_SECOND", "nan"),
        ("CALLSERVER_TRUNK_RATES", "+4532123400"),
        ("CALLSERVER_TRUNK_RATES", "+4532123400=0"),
        ("CALLSERVER_TRUNK_RATES", "32123400=5"),
        ("CALLSERVER_TRUNK_RATES", "=5"),
        ("CALLSERVER_TRUNK_RATES", "+4532123400=5;+4532123401,+4532123400=2"),
        ("CALLSERVER_PORT", "99999"),
        ("CALLSERVER_LOG_LEVEL", "loud"),
        ("CALLSERVER_PUBLISH_SECONDS", "0"),
        ("CALLSERVER_WITNESS_QUORUM", "-1"),
        ("CALLSERVER_MOST_UPLOAD_MB", "-200"),
        ("CALLSERVER_ALARM_MAIL", "drift@example.org, vagt"),
        ("TWILIO_API_URL", "localhost:1"),
        ("CALLSERVER_PUBLIC_URL", "https://user:word@calls.example.org"),
        ("CALLSERVER_PUBLIC_URL", "https://calls.example.org/?a=b"),
        ("CALLSERVER_PUBLIC_URL", "https://[::1"),
        ("ASTERISK_URL", "127.0.0.1:8088"),
        ("ASTERISK_PREFIXES", "+45,46"),
        ("ASTERISK_CHANNELS", "0"),
        ("ASTERISK_SIP_PORT", "0"),
    ],
)
def test_a_setting_that_no_server_could_use_is_refused(name: str, value: str) -> None:
    with pytest.raises(ConfigurationProblem, match=name):
        from_environment({name: value})


def test_a_variable_that_is_only_called_like_a_field_is_no_setting() -> None:
    assert from_environment({"host": "elsewhere", "PORT": "9"}) == from_environment({})


def test_a_slip_in_the_name_of_a_setting_is_refused(run: Run, tmp_path: Path) -> None:
    for name, meant in (
        ("CALLSERVER_ALARM_MIAL", "CALLSERVER_ALARM_MAIL"),
        ("TWILIO_TOKEN", "TWILIO_AUTH_TOKEN"),
    ):
        (tmp_path / ".env").write_text(f"{name}=a\n", "utf-8")
        assert f".env: {name} is not a setting; did you mean {meant}?" in run("migrate").stderr


def test_what_belongs_to_other_programs_may_stand_in_env(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("OTHER=1\nTWILIO_PHONE_NUMBER=+4532200001\n", "utf-8")
    assert run("migrate").returncode == 0


def test_check_says_which_setting_a_server_lacks(run: Run) -> None:
    enough = {"TWILIO_ACCOUNT_SID": "AC0", "TWILIO_AUTH_TOKEN": "0"}
    assert "does not start yet: TWILIO_ACCOUNT_SID" in run("check").stdout
    assert "does not start yet: CALLSERVER_KEY" in run("check", CALLSERVER_KEY="", **enough).stdout
    for settings in enough, {"CALLSERVER_PROVIDER": "simulated"}:
        assert "does not start" not in run("check", **settings).stdout


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CALLSERVER_DATABASE", "nonsense"),
        ("CALLSERVER_POOLER", "postgresql+psycopg://pooler.example.org/c"),
        ("CALLSERVER_SMTP_URL", "mail.example.org"),
        ("CALLSERVER_ALARM_MAIL", "drift@example.org"),
        ("CALLSERVER_WITNESSES", "nowhere.txt"),
        ("CALLSERVER_PUBLISH_COMMAND", "copy-log"),
        ("CALLSERVER_PROVIDER", "asterisk"),
        ("ASTERISK_TRUNK_NUMBERS", "+46"),
        ("ASTERISK_CODECS", "g729"),
    ],
)
def test_check_says_which_setting_a_server_would_refuse(run: Run, name: str, value: str) -> None:
    enough = {"TWILIO_ACCOUNT_SID": "AC0", "TWILIO_AUTH_TOKEN": "0"}
    refused = {**enough, name: value}
    if name.startswith("ASTERISK_"):
        refused |= {"CALLSERVER_PROVIDER": "asterisk", "ASTERISK_PASSWORD": "a-word-for-tests"}
    wrong = "ASTERISK_PASSWORD" if value == "asterisk" else name
    assert f"does not start yet: {wrong}" in run("check", **refused).stdout
    server = run("scheduler", **refused)  # starts as `serve` does, and takes no port
    assert (server.returncode, f"callserver: {wrong}" in server.stderr) == (2, True)


def test_a_configuration_folder_that_is_not_there(run: Run) -> None:
    result = run("check", "nowhere")
    assert result.returncode == 2
    assert "there is no folder nowhere" in result.stderr
    result = run("explain", "32200001", CALLSERVER_CONFIG="nowhere")
    assert result.returncode == 2
    assert "there is no folder nowhere" in result.stderr


def test_a_command_in_another_folder_leaves_no_database_there(run: Run, tmp_path: Path) -> None:
    result = run(
        "user", "list", CALLSERVER_DATABASE="sqlite:///var/c.db", CALLSERVER_CONFIG="config"
    )
    assert result.returncode == 2
    assert "run commands in the folder that `callserver init` made" in result.stderr
    assert not (tmp_path / "var").exists()


def test_a_set_clock_never_starts_before_what_the_database_knows(run: Run, tmp_path: Path) -> None:
    later = {"CALLSERVER_CLOCK": "2026-05-12T17:10:00+02:00"}
    (tmp_path / "register.txt").write_text("32209999\n")
    assert run("register", "import", "register.txt", **later).returncode == 0
    run("suppress", "add", "32123456", **later)
    clock = {"CALLSERVER_CLOCK": "2026-05-12T17:00:00+02:00"}
    said = json.loads(run("explain", "32123456", "--campaign", "kanvas", "--json", **clock).stdout)
    assert said["reasons"] == ["SUP_NUMBER"]
    assert said["at"] > "2026-05-12T15:10"
