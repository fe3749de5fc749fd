"""The commands as somebody types them, in a folder of their own."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import structlog

from callserver.adapters.config_folder import load
from callserver.database import user_lines
from callserver.database.engines import WAL_RESET_FIXED, make_engine
from callserver.database.store import SqliteStore
from callserver.domain import hours
from callserver.errors import ConfigurationProblem
from callserver.settings import from_environment
from tests.harness import processes
from tests.harness.databases import reading_only
from tests.harness.exchange.real import WHY_NOT

HOME = ZoneInfo("Europe/Copenhagen")

ROOT = Path(__file__).parents[2]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def command(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "CALLSERVER_CONFIG": str(ROOT / "config"),
            "CALLSERVER_DATABASE": f"sqlite:///{tmp_path}/c.db",
            "CALLSERVER_SEALS": str(tmp_path / "seals.jsonl"),
            "CALLSERVER_SEAL_KEY": str(tmp_path / "seal.key"),
            "CALLSERVER_KEY": "a key for the tests alone",
            **more,
        }
        return processes.run(*words, environment=environment, folder=tmp_path)

    return command


def test_the_package_is_a_command() -> None:
    words = [sys.executable, "-m", "callserver", "check", "nowhere"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, "there is no folder nowhere" in done.stderr) == (2, True)


def test_help_teaches(run: Run) -> None:
    said = run("--help").stdout
    for name in ("check", "import", "export", "explain", "why", "suppress", "audit", "simulate"):
        assert name in said
    assert "Example" in run("import", "--help").stdout


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


@pytest.mark.parametrize(
    "words",
    [
        ("why", "32123456"),
        ("explain", "32123456"),
        ("import", "kanvas", "people.csv"),
        ("rules", "diff"),
        ("suppress", "export"),
        ("person", "access", "32123456", "answers"),
        ("audit", "receipt", "32123456", "receipts"),
        ("cases", "open", "complaint", "--by", "mads"),
    ],
)
def test_a_language_that_is_not_spoken_is_refused(run: Run, words: tuple[str, ...]) -> None:
    result = run(*words, "--language", "xx")
    assert (result.returncode, result.stderr.splitlines()[-1]) == (
        2,
        "callserver: --language 'xx': should be da or en",
    )


def test_an_old_name_is_refused_and_the_present_one_said(run: Run, tmp_path: Path) -> None:
    said = "CALLSERVER_UPKEEP: is called CALLSERVER_SCHEDULER now"
    assert said in run("migrate", CALLSERVER_UPKEEP="no").stderr
    assert run("migrate", CALLSERVER_UPKEEP="").returncode == 0
    (tmp_path / ".env").write_text("CALLSERVER_UPKEEP=yes\n", "utf-8")
    assert said in run("migrate").stderr
    result = run("upkeep")
    assert result.returncode == 2
    assert "'upkeep' is called 'scheduler' now" in result.stderr


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "mysql://a:hidden@b/c",
        "postgresql://a:hidden@127.0.0.1:1/c",
        "postgresql+psycopg://a:hidden@127.0.0.1:port/c",
        "postgresql+asyncpg://a:hidden@127.0.0.1:1/c",
    ],
)
def test_a_database_that_is_not_there_is_one_sentence(run: Run, url: str) -> None:
    result = run("migrate", CALLSERVER_DATABASE=url)
    assert result.returncode == 2
    assert "database" in result.stderr.lower()
    assert "Traceback" not in result.stderr
    assert "hidden" not in result.stderr


def test_a_set_clock_never_starts_before_what_the_database_knows(run: Run, tmp_path: Path) -> None:
    later = {"CALLSERVER_CLOCK": "2026-05-12T17:10:00+02:00"}
    (tmp_path / "register.txt").write_text("32209999\n")
    assert run("register", "import", "register.txt", **later).returncode == 0
    run("suppress", "add", "32123456", **later)
    clock = {"CALLSERVER_CLOCK": "2026-05-12T17:00:00+02:00"}
    said = json.loads(run("explain", "32123456", "--campaign", "kanvas", "--json", **clock).stdout)
    assert said["reasons"] == ["SUP_NUMBER"]
    assert said["at"] > "2026-05-12T15:10"


def next_open(at: datetime) -> datetime:
    """When Denmark's calling hours next open."""
    place = hours.place_of("+4532200001", None)
    opens = hours.next_open(load(ROOT / "config").policies["dk"], place, at)
    assert opens is not None
    return opens.astimezone(UTC)


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


def test_a_number_that_is_none_is_repeated_with_the_reason(run: Run) -> None:
    said = run("suppress", "add", "32123456", "12345678").stderr
    assert "'12345678': This telephone number does not exist." in said


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
    assert run("audit", "show", "--number", "32200002").returncode == 0
    assert run("audit", "show", "--number", "32209998").stdout == ""
    assert run("suppress", "add", "32209998", "--scope", "number").returncode == 0
    (entry,) = map(json.loads, run("audit", "show", "--number", "32209998").stdout.splitlines())
    assert (entry["kind"], entry["scope"]) == ("suppressed", "number")


def test_users_and_their_tokens(run: Run) -> None:
    made = run("user", "add", "maja", "--department", "nord", "--line", "client:phoner_1")
    assert made.returncode == 0
    user, password = made.stdout.split()
    assert user == "1"
    assert len(password) > 12
    assert run("user", "add", "maja").returncode == 2
    for words in (("--department", "nrod"), ("--line", "32123456"), ("--role", "boss")):
        wrong = run("user", "add", "bo", *words)
        assert (wrong.returncode, words[1] in wrong.stderr) == (2, True)
    assert run("user", "reset", "maja").stdout.strip() not in ("", password)
    token = run("token", "add", "maja", "--name", "softphone", "--scope", "phone").stdout.strip()
    assert len(token) > 30
    listed = run("token", "list").stdout
    assert "softphone" in listed
    assert token not in listed
    beyond = run("token", "add", "maja", "--scope", "see_audit")
    assert beyond.returncode == 2
    assert "phoner may not see_audit" in beyond.stderr
    assert run("token", "drop", "1").returncode == 0
    assert run("token", "drop", "1").returncode == 2
    assert run("user", "off-board", "maja").returncode == 0
    assert run("user", "add", "asger", "--role", "administrator").returncode == 0
    early = run("user", "checklist", "maja", "--complete")
    assert (early.returncode, "not done yet: keys" in early.stderr) == (2, True)
    ticks = [word for item in ("keys", "material", "equipment") for word in ("--tick", item)]
    today = datetime.now(HOME).date().isoformat()
    done = run("user", "checklist", "maja", *ticks, "--letter-on", today, "--complete")
    assert (done.returncode, "maja: complete" in done.stdout) == (0, True), done.stderr
    assert run("user", "checklist", "maja", "--untick", "keys").returncode == 2
    assert run("user", "checklist", "asger", "--tick", "keys").returncode == 2  # not announced
    announced = run("user", "checklist", "asger", "--announce")
    assert (announced.returncode, "asger: announced" in announced.stdout) == (0, True)
    assert run("user", "checklist", "asger", "--withdraw").returncode == 0
    last = run("user", "off-board", "asger")
    assert (last.returncode, "administrator" in last.stderr) == (2, True)
    assert run("token", "add", "maja").returncode == 2


STRANGER = "+4528123456"
LINES = {
    "+4532200001": 2,  # on a list
    "+4520304050": 2,  # has opted out
    "sip:114@carrier.example": 2,
    "sip:4640111213@carrier.example": 2,
    "sip:maja@carrier.example": 2,  # a host that the settings do not allow
    "+46701234567": 2,
    "+881612345678": 2,
    "client:phoner_7": 2,  # another's
    "sip:telephone_7": 2,
    STRANGER: 0,  # entered; it is not rung before it is confirmed
}


def test_a_line_entered_by_command_is_checked_as_on_the_page(run: Run, tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text("ref;navn;telefon\nK1;Anna;32200001\n", "utf-8")
    assert run("import", "kanvas", str(people)).returncode == 0
    assert run("suppress", "add", "20304050").returncode == 0
    words = ("--department", "nord", "--line")
    values = {
        line: run("user", "add", f"u{at}", *words, line).returncode for at, line in enumerate(LINES)
    }
    assert values == LINES
    assert run("user", "list").stdout.count("phoner") == 1
    engine = make_engine(f"sqlite:///{tmp_path}/c.db")
    with engine.begin() as tx:
        assert user_lines.confirmed(tx) == []
        assert user_lines.current(tx, 1, STRANGER) is not None
    engine.dispose()


def test_without_the_key_no_line_is_entered(run: Run) -> None:
    words = ("user", "add", "maja", "--department", "nord", "--line", STRANGER)
    wrong = run(*words, CALLSERVER_KEY="")
    assert (wrong.returncode, "CALLSERVER_KEY" in wrong.stderr) == (2, True)


async def test_an_exported_log_is_verified_without_the_database(run: Run, tmp_path: Path) -> None:
    from callserver.adapters.clock import SystemClock
    from callserver.database.store import open_store
    from callserver.engine.audit_log.sealing import Sealer

    for number in range(6):
        run("suppress", "add", f"3220000{number}")
    store = open_store(f"sqlite:///{tmp_path}/c.db", inline=True)
    sealer = Sealer(store, SystemClock(), tmp_path / "seal.key", tmp_path / "seals.jsonl")
    await sealer.seal()
    store.close()
    assert run("audit", "verify").returncode == 0
    assert run("audit", "export", "log.txt").returncode == 0
    nowhere = {"CALLSERVER_DATABASE": "sqlite:////nowhere/at/all.db"}
    assert run("audit", "verify", "log.txt", **nowhere).returncode == 0
    lines = (tmp_path / "log.txt").read_text().splitlines(keepends=True)
    (tmp_path / "cut.txt").write_text("".join(lines[:-2]))
    result = run("audit", "verify", "cut.txt", **nowhere)
    assert result.returncode == 1
    assert "the tail is cut" in result.stdout
    (tmp_path / "torn.txt").write_text("".join(lines[:-1]) + "5 not base64!\n")
    result = run("audit", "verify", "torn.txt", **nowhere)
    assert result.returncode == 2
    assert "torn.txt:6: this is not an entry" in result.stderr
    (tmp_path / "huge.txt").write_text(f"{10**20} e30=\n{lines[0]}")
    result = run("audit", "verify", "huge.txt", **nowhere)
    assert result.returncode == 2
    assert "huge.txt:1: this is not an entry" in result.stderr
    with (tmp_path / "seals.jsonl").open("ab") as heads:
        heads.write(b'{"at":"20')  # a server is writing just now
    assert run("audit", "verify").returncode == 0


def test_looking_waits_for_no_writer(run: Run, tmp_path: Path) -> None:
    import sqlite3

    assert run("suppress", "add", "32200001").returncode == 0
    writer = sqlite3.connect(tmp_path / "c.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")  # held all the while; a command that wants it waits for 30 s
    assert "SUP_NUMBER" in run("explain", "32200001", "--json", "--campaign", "kanvas").stdout
    for words in (("suppress", "list"), ("audit", "export"), ("audit", "show", "--contact", "1")):
        assert run(*words).returncode == 0
    writer.close()


def test_the_demo_on_an_exchange_says_what_is_missing(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    result = run("demo", "--asterisk", "--folder", str(folder), PATH="")
    assert result.returncode == 2
    for tool in ("sipp", "espeak-ng", "sox"):
        assert tool in result.stderr
    assert folder.exists(), "nothing was emptied or begun"


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
def test_the_demo_on_an_exchange_rings_nobody_without_a_permit(run: Run) -> None:
    words = ("demo", "--asterisk", "--minutes", "0.2", "--headless", "--phoners", "3")
    result = run(*words, "--config", str(ROOT / "config"))
    assert result.returncode == 0, result.stderr
    said = result.stdout.replace("\n", " ")
    rang = re.search(r"telephones that rang, as recorded at the trunk: (\d+)", said)
    assert rang is not None
    assert int(rang[1]) > 0
    assert "of them with neither a permit nor a confirmed line: 0" in said


@pytest.mark.parametrize(
    "words",
    [
        ("suppress", "add", "32200001"),
        ("user", "add", "lea", "--role", "leader"),
        ("declare-restore",),
        ("why", "32200001"),
    ],
)
def test_a_database_that_only_reads_is_named_in_a_sentence(
    run: Run, postgres_url: str, words: tuple[str, ...]
) -> None:
    with reading_only(postgres_url):
        done = run(*words, CALLSERVER_DATABASE=postgres_url)
    assert done.returncode == 2, done.stderr
    assert "the database cannot be used: cannot execute" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_cannot_be_made_is_an_error_in_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("schema", "file/below")
    assert (done.returncode, done.stderr) == (2, "callserver: file/below: Not a directory\n")


def test_a_full_disk_is_an_error_in_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("navn;telefon\nAne Prove;32200001\nBo Prove;x\n")
    done = run("import", "kanvas", "list.csv", "--refused", "/dev/full")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        2,
        "callserver: a file, or what the command says, cannot be written: No space left on device",
    )
    assert "Traceback" not in done.stderr
    assert "Ane Prove" not in run("export", "contacts", "kanvas").stdout


def test_an_argument_in_another_encoding_is_an_error_in_one_line(run: Run) -> None:
    done = run("user", "off-board", os.fsdecode(b"S\xf8ren"))
    assert (done.returncode, done.stderr) == (2, "callserver: 'S\\udcf8ren': is not UTF-8\n")


def test_words_for_the_log_in_another_encoding_are_an_error_in_one_line(run: Run) -> None:
    done = run("suppress", "export", "--by", os.fsdecode(b"S\xf8ren"))
    assert (done.returncode, done.stderr) == (2, "callserver: 'S\\udcf8ren': is not UTF-8\n")


@pytest.mark.parametrize(
    "words",
    [
        ("suppress", "add", "--contact"),
        ("notice", "show", "--by", "mads"),
        ("audit", "show", "--contact"),
    ],
)
def test_a_number_larger_than_any_that_is_stored_is_an_error_in_one_line(
    run: Run, words: tuple[str, ...]
) -> None:
    run("user", "add", "mads", "--role", "administrator")
    done = run(*words, "9" * 20)
    assert done.returncode == 2
    assert done.stderr.startswith("callserver: a number or a date is too large")
    assert "Traceback" not in done.stderr


def test_a_list_may_be_named_in_another_encoding(run: Run, tmp_path: Path) -> None:
    for name in (b"f\xf8rste.csv", b"m\xe5 ikke ringes.csv"):
        (tmp_path / os.fsdecode(name)).write_text("navn;telefon\nAne Prove;32200001\n")
    done = run("import", "kanvas", os.fsdecode(b"f\xf8rste.csv"))
    assert done.returncode == 0, done.stderr
    assert "»første«" in run("export", "contacts", "kanvas").stdout
    done = run("import", "kanvas", os.fsdecode(b"m\xe5 ikke ringes.csv"))
    assert (done.returncode, "'må ikke ringes'" in done.stderr) == (2, True)


@pytest.mark.parametrize("words", [("why", "32200001"), ("export", "contacts", "kanvas")])
def test_a_terminal_of_another_encoding_breaks_nothing_off(
    run: Run, tmp_path: Path, words: tuple[str, ...]
) -> None:
    (tmp_path / "list.csv").write_text("navn;telefon\nŁucja Prøve;32200001\n", "utf-8")
    assert run("import", "kanvas", "list.csv").returncode == 0
    environment = {
        **os.environ,
        "CALLSERVER_CONFIG": str(ROOT / "config"),
        "CALLSERVER_DATABASE": f"sqlite:///{tmp_path}/c.db",
        "CALLSERVER_KEY": "a key for the tests alone",
        "PYTHONIOENCODING": "ascii",
    }
    command = [sys.executable, "-m", "callserver", *words]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120, env=environment)
    assert done.returncode == 0, done.stderr
    if words[0] == "export":  # a file is the same on every terminal
        assert "Łucja Prøve" in done.stdout.decode()
