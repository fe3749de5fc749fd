"""`callserver register`: issues are exchanged whole, whatever happens to the importer."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from callserver.adapters.config_folder import load
from callserver.database import bulk_facts
from callserver.database import registers as issues
from callserver.database.tables import register_entries, registers, suppressions
from callserver.engine.suppressions import public_registers, register_matching
from callserver.errors import ConfigurationProblem, Impossible, NotFound
from callserver.ports import Tx
from tests.harness.robinson import Invented, official

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
RULES = load(ROOT / "config")
Say = Callable[..., str]


def test_a_register_is_exchanged_whole(say: Say, engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "robinson.txt"
    file.write_text("32200001\n32200002\n")
    say("register", "import", file, "--issued-at", "2026-05-01T00:00:00+02:00")
    file.write_text("32200002\n32200003\n")
    say("register", "import", file)
    with engine.begin() as tx:
        listed = [bool(bulk_facts.listed(tx, [4532200000 + n])) for n in range(5)]
        entries = tx.execute(select(func.count()).select_from(register_entries)).scalar_one()
    assert listed == [False, False, True, True, False]
    assert entries == 2
    (line,) = say("register", "list", "--json").splitlines()
    assert {**json.loads(line), "washed_at": ""} == {
        "name": "robinson",
        "version": 2,
        "kind": "numbers",
        "washed_at": "",
        "size": 2,
        "active": True,
    }
    assert "robinson" in say("register", "list")


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("Navn;Telefon;Mobil\nAne Prove;32200001;32200002\nBo Prove;;32200003\n", 0),
        ("32200001;32200002;2026-11-20\n32200003;;2026-11-20\n", 0),
        ("Telefon;Mobil\n32200001;32200002\n32200003;-\n;\n", 0),
        ("Telefon;Mobil\n32200001;32200002\n32200003;3220004\n", 1),
        ("32200001\n32200002;32200003\n", 0),
        ("32200001;;\n32200002;2026-11-20;32200003\n", 0),
        ("Telefon\n32200001;32200002\n32200003\n", 0),
    ],
)
def test_who_has_two_numbers_in_a_register_is_on_it_under_both(
    say: Say, engine: Engine, tmp_path: Path, text: str, refused: int
) -> None:
    file = tmp_path / "register.csv"
    file.write_text(text)
    said = say("register", "import", file, ends=1 if refused else 0)
    assert f", {refused} refused" in said
    with engine.begin() as tx:
        assert all(bulk_facts.listed(tx, [4532200000 + n]) for n in (1, 2, 3))


def test_a_registers_numbers_are_those_of_their_rows_country(
    say: Say, engine: Engine, tmp_path: Path
) -> None:
    """As in a campaign's list: under Denmark's code the same digits are somebody else's."""
    file = tmp_path / "register.csv"
    file.write_text(
        "Telefon;Land\n32200001;\n32200002;Danmark\n32200003;DK\n41234567;Norge\n+4532200004;Atlantis\n"
    )
    say("register", "import", file)
    with engine.begin() as tx:
        assert all(bulk_facts.listed(tx, [4532200000 + n]) for n in (1, 2, 3, 4))
        assert bulk_facts.listed(tx, [4741234567])
        assert not bulk_facts.listed(tx, [4541234567])
    file.write_text("Telefon;Land\n32200001;\n32200002;DK\n32200003;\n32200004;Atlantis\n")
    assert "1 refused of 4 read" in say("register", "import", file, ends=1)


def test_a_broken_issue_never_replaces_a_whole_one(
    say: Say, engine: Engine, tmp_path: Path
) -> None:
    file = tmp_path / "robinson.txt"
    file.write_text("".join(f"{32200000 + n}\n" for n in range(10)))
    say("register", "import", file)
    file.write_text("phone\nx\n")
    with pytest.raises(Impossible, match="no numbers"):
        say("register", "import", file)
    file.write_text("32200001\n")
    with pytest.raises(Impossible, match="--smaller"):
        say("register", "import", file)
    with engine.begin() as tx:
        assert bool(bulk_facts.listed(tx, [4532200009]))
    say("register", "import", file, "--smaller")
    with engine.begin() as tx:
        assert not bool(bulk_facts.listed(tx, [4532200009]))


def test_an_older_issue_is_confirmed(say: Say, tmp_path: Path, engine: Engine) -> None:
    """It lacks the people who were entered since."""
    newer, older = tmp_path / "newer.csv", tmp_path / "older.csv"
    newer.write_text("phone\n32200001\n32200002\n")
    older.write_text("phone\n32200001\n32200003\n")
    say("register", "import", newer)
    day = ("--washed-at", "2025-01-01T00:00:00+01:00")
    with pytest.raises(Impossible, match="--older"):
        say("register", "import", older, *day)
    with engine.begin() as tx:
        assert bool(bulk_facts.listed(tx, [4532200002]))
    say("register", "import", older, *day, "--older")
    with engine.begin() as tx:
        assert not bool(bulk_facts.listed(tx, [4532200002]))


def test_another_countrys_register_is_refused(say: Say, tmp_path: Path, engine: Engine) -> None:
    """It would count as fresh, and protect nobody."""
    file = tmp_path / "r.csv"
    file.write_text("phone\n32200001\n")
    say("register", "import", file)
    file.write_text("phone\n" + "".join(f"+467012345{n:02}\n" for n in range(20)))
    with pytest.raises(Impossible, match="SE"):
        say("register", "import", file)
    with engine.begin() as tx:
        assert bool(bulk_facts.listed(tx, [4532200001]))


def test_an_import_that_was_overtaken_gives_up(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The later one clears the earlier one's entries away: an empty register must not take over."""
    put = issues.put_into_force

    def overtaken(tx: Tx, name: str, version: int, size: int) -> bool:
        monkeypatch.setattr(issues, "put_into_force", put)
        tx.rollback()  # this importer pauses here, and another loads a newer issue meanwhile
        public_registers.load(engine, range(100, 110), name, NOW, NOW, RULES)
        with engine.begin() as again:
            return put(again, name, version, size)

    monkeypatch.setattr(issues, "put_into_force", overtaken)
    with pytest.raises(Impossible, match="overtook"):
        public_registers.load(engine, range(10), "robinson", NOW, NOW, RULES)
    with engine.begin() as tx:
        assert bool(bulk_facts.listed(tx, [105]))
        assert not bool(bulk_facts.listed(tx, [5]))
    assert held(engine) == {"in force": 10}


def held(engine: Engine) -> dict[str, int]:
    """How many entries there are, of the issue in force and of others."""
    with engine.connect() as tx:
        active = tx.execute(select(registers.c.version).where(registers.c.active)).scalar_one()
        version = register_entries.c.version
        sizes = tx.execute(select(version, func.count()).group_by(version))
        return {"in force" if key == active else "other": size for key, size in sizes}


def test_entries_that_come_after_their_issue_was_overtaken_are_dropped(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newer import has cleared the older one's issue away while that was still being loaded."""
    monkeypatch.setattr(public_registers, "CHUNK", 3)

    def another(done: int) -> None:
        if done == 6:
            public_registers.load(engine, range(100, 110), "robinson", NOW, NOW, RULES)

    with pytest.raises(Impossible, match="overtook"):
        public_registers.load(engine, range(10), "robinson", NOW, NOW, RULES, progress=another)
    assert held(engine) == {"in force": 10}


Put = Callable[[], None]


def loaded(
    monkeypatch: pytest.MonkeyPatch, engine: Engine, numbers: range, issued: datetime
) -> Put:
    """An import that has loaded its issue, and puts it into force when it is told to."""
    put, waiting = public_registers.put_into_force, list[Put]()
    with monkeypatch.context() as patch:
        patch.setattr(
            public_registers,
            "put_into_force",
            lambda *args, **kwargs: waiting.append(lambda: put(*args, **kwargs)),
        )
        public_registers.load(engine, numbers, "robinson", issued, NOW, RULES)
    return waiting[0]


def test_an_earlier_import_does_not_replace_a_later_one_that_is_in_force(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The later one has not cleared the earlier one's issue away yet."""
    earlier = loaded(monkeypatch, engine, range(10), NOW)
    tried: list[bool] = []

    def between(_: Engine) -> None:
        with pytest.raises(Impossible, match="overtook"):
            earlier()
        tried.append(True)

    monkeypatch.setattr(register_matching, "reopen_in_parts", between)
    public_registers.load(engine, range(100, 110), "robinson", NOW, NOW, RULES)
    assert tried
    assert held(engine) == {"in force": 10}
    with engine.begin() as tx:
        assert bool(bulk_facts.listed(tx, [105]))


def test_a_newer_issue_that_came_into_force_meanwhile_stays(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = loaded(monkeypatch, engine, range(100, 110), NOW)
    older = loaded(monkeypatch, engine, range(10), NOW - timedelta(days=90))
    newer()
    with pytest.raises(Impossible, match="--older"):
        older()
    with engine.begin() as tx:
        assert bool(bulk_facts.listed(tx, [105]))


def test_an_import_that_fails_behind_the_exchange_leaves_its_issue_in_force(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(_: Engine) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(register_matching, "reopen_in_parts", dies)
    with pytest.raises(KeyboardInterrupt):
        public_registers.load(engine, range(10), "robinson", NOW, NOW, RULES)
    assert held(engine) == {"in force": 10}


KILLED = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from callserver.database.engines import make_engine
from callserver.adapters.config_folder import load
from callserver.engine.suppressions import public_registers, register_matching

def progress(done):
    print("chunk" if done < len(numbers) else "loaded", flush=True)

public_registers.CHUNK = 500
numbers = range(int(sys.argv[2]), int(sys.argv[2]) + 20_000)
now = datetime.now(UTC)
rules = load(Path(sys.argv[3]))
engine = make_engine(sys.argv[1])
public_registers.load(engine, numbers, "robinson", now, now, rules, progress=progress)
print("done", flush=True)
"""
CHUNKS = 40


def kill_at(url: str, first: int, line: int, wait: float) -> str:
    """Load an issue in a process of its own and kill it behind one of its lines; what it said."""
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, url, str(first), str(ROOT / "config")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert child.stdout is not None
    said = "".join(child.stdout.readline() for _ in range(line))
    time.sleep(wait)
    child.send_signal(signal.SIGKILL)
    said += child.stdout.read()
    child.stdout.close()
    child.wait()
    return said


def test_an_importer_killed_in_mid_load_leaves_no_half_register(
    engine: Engine, url: str, full: bool
) -> None:
    """SIGKILL at any instant: the whole old issue is in force, or the whole new one."""
    public_registers.load(engine, range(20_000), "robinson", NOW, NOW, RULES)
    dice = random.Random(6)
    lines = [dice.randint(1, CHUNKS) for _ in range(40)] + [CHUNKS + 1] * 10
    first, halves = 0, 0
    for number, line in enumerate(lines if full else [2, 39, CHUNKS + 1, CHUNKS + 1]):
        coming = (number + 1) * 100_000
        wait = dice.random() * (0.002 if line <= CHUNKS else 0.03)
        said = kill_at(url, coming, line, wait)
        with engine.begin() as tx:
            (active,) = tx.execute(select(registers).where(registers.c.active))
            held = tx.execute(
                select(func.min(register_entries.c.number), func.count()).where(
                    register_entries.c.version == active.version
                )
            ).one()
            sizes = (
                select(func.count())
                .select_from(register_entries)
                .group_by(register_entries.c.version)
            )
            halves += any(0 < size < 20_000 for size in tx.execute(sizes).scalars())
        assert held[1] == active.size == 20_000
        assert held[0] == coming if "done" in said else held[0] in (first, coming)
        assert "loaded" in said or held[0] == first
        first = held[0]
    assert halves
    public_registers.load(engine, range(20_000), "robinson", NOW, NOW, RULES, older=True)
    with engine.begin() as tx:
        left = tx.execute(select(func.count()).select_from(register_entries)).scalar_one()
    assert left == 20_000, "the halves that dead importers left are cleared away"


@pytest.mark.parametrize("command", [("register", "import"), ("suppress", "import")])
def test_the_official_layout_of_names_and_addresses_is_refused(
    say: Say, engine: Engine, tmp_path: Path, command: tuple[str, str]
) -> None:
    """Its date of issue and its house numbers are no telephone numbers."""
    file = tmp_path / "robinson.txt"
    columns = ("Prøve,Åse".ljust(34), "Prøvevej 12".ljust(34), "".ljust(34), "8000 Aarhus C", "751")
    file.write_bytes(("20261001\r\n" + "#".join(columns) + "\r\n").encode("latin-1"))
    with pytest.raises(ConfigurationProblem, match="fixed columns"):
        say(*command, file)
    with engine.begin() as tx:
        assert tx.execute(select(func.count()).select_from(register_entries)).scalar_one() == 0
        assert tx.execute(select(func.count()).select_from(suppressions)).scalar_one() == 0


def test_the_official_file_is_compared_with_the_lists(
    say: Say, engine: Engine, tmp_path: Path
) -> None:
    people = tmp_path / "people.csv"
    people.write_text(
        "ref;navn;telefon;adresse;postnr\n"
        "R0;Åse Prøve;32200000;Prøvevej 12;8000\n"
        "R1;Bo Prøve;32200001;;8000\n"
        "R2;Carl Prøve;32200002;Prøvevej 12;8000\n"
    )
    say("import", "kanvas", people)
    file = tmp_path / "robinson.txt"
    file.write_bytes(official([Invented("Prøve,Åse"), Invented("Prøve,Bo")]))
    said = say("register", "import", file)
    assert "2 names and addresses, 0 refused of 2 read" in said
    assert "1 listed, 1 unsure (`callserver register unsure`), 1 not listed" in said
    (line,) = say("register", "list", "--json").splitlines()
    issue = json.loads(line)
    assert (issue["kind"], issue["size"]) == ("people", 2)
    assert issue["washed_at"].startswith("2026-04-01")
    (line,) = [line for line in say("register", "unsure").splitlines() if line.startswith("{")]
    person = json.loads(line)
    assert person["own"] == [
        {"campaign": "kanvas", "name": "Bo Prøve", "address": "", "postcode": "8000"}
    ]
    assert [entry["name"] for entry in person["entries"]] == ["Prøve,Bo"]
    with pytest.raises(ConfigurationProblem, match="yes or no"):
        say("register", "decide", person["contact"], "perhaps")
    assert "not on the register" in say("register", "decide", person["contact"], "no")
    with pytest.raises(NotFound):
        say("register", "decide", 999, "no")
    assert "{" not in say("register", "unsure")
    file.write_bytes(file.read_bytes() + b"Pr\xf8ve,Cut#")
    said = say("register", "import", file, ends=1)
    assert "1 record cannot be read" in said
    assert "lines 5 (columns)" in said
    assert "Cut" not in said


def test_a_register_on_which_nobody_stands_is_one_if_somebody_says_so(
    say: Say, engine: Engine, tmp_path: Path
) -> None:
    file = tmp_path / "robinson.txt"
    file.write_text("phone\n")
    with pytest.raises(Impossible, match="--smaller"):
        say("register", "import", file)
    assert "still missing" not in say("register", "import", file, "--smaller")


def test_an_issue_of_tomorrow_is_refused(say: Say, engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "robinson.txt"
    file.write_text("32200001\n")
    with pytest.raises(Impossible, match="future"):
        say("register", "import", file, "--washed-at", "2098-01-01T00:00:00+01:00")


@pytest.mark.parametrize(
    ("head", "column"),
    [
        ("ref;navn;telefon", "ref"),
        ("telefon;kilde", "kilde"),
        ("phone;Member", "Member"),
        ("telefon;Ring ikke", "Ring ikke"),
    ],
)
def test_a_campaigns_list_is_no_register(
    say: Say, engine: Engine, tmp_path: Path, head: str, column: str
) -> None:
    """It fits by its size, and would put everybody on the list on the register, and take everybody else off."""
    file = tmp_path / "members.csv"
    file.write_text("phone\n32200009\n")
    say("register", "import", file)
    row = ";".join("32200001" if name in ("telefon", "phone") else "x" for name in head.split(";"))
    file.write_text(f"{head}\n{row}\n")
    with pytest.raises(ConfigurationProblem, match=rf"members.csv, line 1: the column '{column}'"):
        say("register", "import", file)
    file.write_text("id;phone;date\n1;32200009;2026-01-01\n")
    say("register", "import", file)
    with engine.begin() as tx:
        assert bulk_facts.listed(tx, [4532200001, 4532200009]) == {4532200009}


def test_the_command_says_which_register_is_still_missing(
    say: Say, engine: Engine, tmp_path: Path
) -> None:
    file = tmp_path / "robinson.txt"
    file.write_text("32200001\n")
    assert "still missing for the policies in use: robinson" in say(
        "register", "import", file, "--name", "another"
    )
    assert "missing" not in say("register", "import", file)


def test_rows_that_cannot_be_read_end_the_command_with_an_error(
    say: Say, engine: Engine, tmp_path: Path
) -> None:
    file = tmp_path / "robinson.txt"
    file.write_text("phone\n32200001\n32200002\nx\n")
    assert "1 refused" in say("register", "import", file, ends=1)
    with engine.begin() as tx:
        assert bulk_facts.listed(tx, [4532200001, 4532200002]) == {4532200001, 4532200002}
    assert "x" in (tmp_path / "robinson.txt.refused.csv").read_text("utf-8-sig")
