"""`callserver user` and `token`: accounts, tokens, lines, and the checklist when somebody leaves."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from callserver.database import user_lines
from callserver.database.engines import make_engine
from tests.cli.conftest import Run

HOME = ZoneInfo("Europe/Copenhagen")


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
