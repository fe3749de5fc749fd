"""`callserver suppress`: opt-outs in, opt-outs ended, what rings silenced."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select, update

from callserver.database import accounts, marks, suppressions
from callserver.database.store import AnyStore
from callserver.database.tables import audit, calls, contacts
from callserver.database.tables import suppressions as table
from callserver.domain import subject
from callserver.domain.facts import Scope
from callserver.domain.marks import MarkKind
from callserver.engine.lists import number_files
from callserver.engine.suppressions import opt_outs
from callserver.engine.suppressions.opt_outs import Origin
from callserver.errors import CallserverError, ConfigurationProblem, Impossible
from callserver.ports import Tx
from tests.harness.commands import Say

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
ASKED = (
    *("--asked-on", YESTERDAY),
    *("--channel", "letter", "--why", "the member wrote to us", "--by", "astrid"),
)


@pytest.fixture
def people(say: Say, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("ref;telefon;navn\n1;32200001;Bo Bech\n2;32200001;Ida Bech\n3;32200002;Per\n")
    say("import", "kanvas", file)


def suppressed(engine: Engine) -> list[tuple[str, str]]:
    with engine.connect() as tx:
        query = select(table.c.subject, table.c.scope).where(table.c.lifted_at.is_(None))
        return [(about, scope) for about, scope in tx.execute(query.order_by(table.c.id))]


def entries(engine: Engine, kind: str) -> list[dict[str, object]]:
    with engine.connect() as tx:
        query = select(audit.c.body).where(audit.c.kind == kind).order_by(audit.c.id)
        return [json.loads(body) for body in tx.execute(query).scalars()]


def listed(tx: Tx, numbers: list[int], name: str, at: datetime) -> int:
    return opt_outs.add_listed(tx, Scope.NUMBER, numbers, name, Origin(by="test", at=at))


def a_call(tx: Tx, number: int, *, answered: bool = False) -> None:
    tx.execute(
        insert(calls).values(
            attempt=f"a{number}",
            campaign="kanvas",
            path="list",
            number=number,
            person=number,
            household=subject.household_key(None, number),
            seat=number,
            phoner=1,
            caller_id="+4532123400",
            room="r",
            revision="r",
            permit_at=NOW,
            state="ringing",
            answered_at=NOW if answered else None,
        )
    )


def stopped(engine: Engine) -> set[int]:
    with engine.connect() as tx:
        query = select(calls.c.number).where(calls.c.stop_wanted == "suppressed")
        return set(tx.execute(query).scalars())


def test_numbers_are_suppressed_and_what_rings_is_silenced(say: Say, engine: Engine) -> None:
    with engine.begin() as tx:
        for number in (4532200001, 4532200002, 4532200003):
            a_call(tx, number, answered=number == 4532200002)
    say("suppress", "add", "32 20 00 01", "+4532200002", "--by", "user:3")
    assert suppressed(engine) == [("number:4532200001", "number"), ("number:4532200002", "number")]
    assert stopped(engine) == {4532200001}
    logged = entries(engine, "suppressed")
    assert [(entry["suppression"], entry["by"]) for entry in logged] == [
        (1, "user:3"),
        (2, "user:3"),
    ]
    assert not any("4532200001" in json.dumps(entry) for entry in logged)


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(("scope", "many"), [("person", 2), ("complaint", 2), ("household", 1)])
def test_scopes_reach_everyone_at_the_number(
    say: Say, engine: Engine, scope: str, many: int
) -> None:
    say("suppress", "add", "32200001", "--scope", scope)
    assert [kept_scope for _, kept_scope in suppressed(engine)] == [scope] * many


@pytest.mark.usefixtures("people")
def test_one_contact_is_suppressed(say: Say, engine: Engine) -> None:
    say("suppress", "add", "--contact", "3", "--scope", "org", "--purpose", "GIFT")
    with engine.connect() as tx:
        row = tx.execute(select(table)).one()
        person = tx.execute(select(contacts.c.person).where(contacts.c.id == 3)).scalar_one()
    assert (row.subject, row.scope, row.purpose) == (f"person:{person}", "org", "GIFT")


def test_an_erased_number_is_kept_as_a_hash_and_silenced(say: Say, engine: Engine) -> None:
    with engine.begin() as tx:
        a_call(tx, 4532200001)
    say("suppress", "add", "32200001", "--scope", "hash")
    assert suppressed(engine) == [(subject.of_hash(4532200001, b"a key"), "hash")]
    assert stopped(engine) == {4532200001}


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["add"], "name telephone numbers"),
        (["add", "112"], "'112': This telephone number does not exist"),
        (["add", "32200009", "--scope", "person"], "nobody is known"),
        (["add", "--contact", "99"], "no contact 99"),
        (["add", "32200001", "--purpose", "GIFT"], "the scope 'org' only"),
        (["lift", *ASKED], "or one suppression"),
        (["lift", "32200001", *ASKED, "--by", "nobody"], "no user 'nobody'"),
        (["import", "missing.csv"], "No such file"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    say: Say, engine: Engine, words: list[str], said: str
) -> None:
    with pytest.raises(CallserverError, match=said):
        say("suppress", *words)
    assert suppressed(engine) == []


@pytest.mark.usefixtures("people")
def test_one_unknown_number_undoes_them_all(say: Say, engine: Engine) -> None:
    with pytest.raises(Impossible):
        say("suppress", "add", "32200001", "32200009", "--scope", "person")
    assert suppressed(engine) == []


@pytest.mark.usefixtures("people")
def test_a_lift_is_proposed_by_a_user_with_the_right_and_ends_nothing(
    say: Say, engine: Engine
) -> None:
    for scope in ("number", "person", "household"):
        say("suppress", "add", "32200001", "--scope", scope)
    with engine.begin() as tx:
        tx.execute(update(table).values(at=datetime.now(UTC) - timedelta(days=3)))
        accounts.add(tx, handle="astrid", name="Astrid", role="administrator", department=None)
        accounts.add(tx, handle="sigrid", name="Sigrid", role="supervisor", department="nord")
        accounts.add(tx, handle="left", name="Left", role="administrator", left_at=NOW)
    before = suppressed(engine)
    words = ("suppress", "lift", "32200001", *ASKED)
    with pytest.raises(CallserverError, match="may not lift"):
        say(*words, "--by", "sigrid")
    with pytest.raises(CallserverError, match="no user 'left'"):
        say(*words, "--by", "left")
    with pytest.raises(CallserverError, match="a few words"):
        say(*words, "--why", " ")
    with pytest.raises(CallserverError, match="no names"):
        say(*words, "--by", "astrid", "--why", "Ida asked for it")
    with pytest.raises(CallserverError, match="newer than the opt-out"):
        say(*words, "--by", "astrid", "--asked-on", "2020-01-01")
    result = say(*words, "--by", "astrid")
    assert "3 to be lifted" in result  # the number, and both persons who are known at it
    assert result.count("not part of it") == 1
    assert suppressed(engine) == before
    [entry] = entries(engine, "lift_proposed")
    assert (entry["channel"], entry["by"]) == ("letter", "user:1")
    assert entries(engine, "lifted") == []


def test_a_list_of_opt_outs(say: Say, engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "no.csv"
    file.write_text("navn;Telefon\nBo;32200001\nIda;ab\nPer;+4532200002\nBo;32 20 00 01\n")
    with engine.begin() as tx:
        a_call(tx, 4532200002)
    first = say("suppress", "import", file, "--list", "fra brevene", ends=1)
    assert "2 suppressed, 0 unchanged, 1 duplicate, 4 rows read" in first
    assert "1 row holds something that could not be read" in first
    assert "lines 3" in first
    assert stopped(engine) == {4532200002}
    refused = file.with_name("no.csv.refused.csv").read_text("utf-8-sig").splitlines()
    assert refused[1].startswith("Ida;ab;3;Telefon;number_letters;")
    again = say("suppress", "import", file, "--list", "fra brevene", ends=1)
    assert "0 suppressed, 2 unchanged" in again
    assert [entry["count"] for entry in entries(engine, "suppressed")] == [2, 0]
    shown = say("suppress", "list", "--list", "fra brevene", "--json").splitlines()
    assert [json.loads(line)["subject"] for line in shown] == [
        "number:•••••• 02",
        "number:•••••• 01",
    ]
    plain = say("suppress", "list", "--plain", "--most", "1")
    assert "number:4532200002" in plain
    assert "more than 1" in plain


def test_a_newer_list_outlasts_an_older_consent(store: AnyStore) -> None:
    """Otherwise the number would count as suppressed and still be called: the consent came after."""
    number, person = 4532200001, 77
    with store.engine.begin() as tx:
        suppressions.add(tx, subject.of_number(number), Scope.NUMBER, NOW, "test")
        tx.execute(
            insert(contacts).values(
                campaign="leads",
                person=person,
                household=1,
                number=number,
                place="DK Europe/Copenhagen",
                rank=1,
                status="done",
            )
        )
        later = [NOW + timedelta(days=day) for day in range(4)]
        assert listed(tx, [number], "a", later[1]) == 0
        marks.mark(tx, subject.of_person(person), MarkKind.CONSENT_GIVEN, later[2])
        assert listed(tx, [number], "b", later[3]) == 1
        assert listed(tx, [number], "b", later[3]) == 0


@pytest.mark.parametrize(
    ("text", "numbers", "refused"),
    [
        ("32200001\n32200002\n", [4532200001, 4532200002], 0),
        ("phone\n32200001\n", [4532200001], 0),
        ("Spærrede\n32200001\nx\n", [4532200001], 1),
        ("32 20 00 01;Bo\n;Ida\n", [4532200001], 1),
        ("a;Mobil\nx;32200001\nonly\n", [4532200001], 1),
    ],
)
def test_files_of_numbers(text: str, numbers: list[int], refused: int) -> None:
    file = number_files.read(text.encode())
    assert (file.numbers, len(file.refused)) == (numbers, refused)
    assert file.read == len(numbers) + refused


def test_a_file_that_does_not_say_where_its_numbers_are() -> None:
    with pytest.raises(ConfigurationProblem, match="--column"):
        number_files.read(b"a;b\n32200001;32200002\n")
    assert number_files.read(b"a;b\n32200001;32200002\n", column="B").numbers == [4532200002]
    with pytest.raises(ConfigurationProblem, match="no column 'c'"):
        number_files.read(b"a;b\n32200001;32200002\n", column="c")


def test_many_opt_outs_in_a_moment(engine: Engine, full: bool) -> None:
    count = 1_000_000 if full else 30_000
    raw = b"phone\n" + b"".join(b"%d\n" % (32200000 + n) for n in range(count))
    started = time.monotonic()
    numbers = number_files.read(raw).numbers
    with engine.begin() as tx:
        assert listed(tx, numbers, "many", NOW) == len(numbers)
    assert time.monotonic() - started < 60


@pytest.mark.parametrize("words", ["4532200001", "Bo, 32 20 00 01", "", " ", "x" * 201])
def test_who_did_it_is_told_without_numbers(say: Say, words: str) -> None:
    with pytest.raises(CallserverError, match="written to the log"):
        say("suppress", "add", "32200001", "--by", words)
    assert "1 suppressed" in say("suppress", "add", "32200001", "--by", "user:7, 2026-05-12")


def test_without_the_key_an_answer_says_what_it_lacks(
    say: Say, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    say("suppress", "add", "32200001")
    monkeypatch.setenv("CALLSERVER_KEY", "")
    with engine.begin() as tx:
        tx.execute(update(table).values(at=datetime.now(UTC) - timedelta(days=3)))
        accounts.add(tx, handle="astrid", name="Astrid", role="administrator", department=None)
    said = say("suppress", "lift", "32200001", *ASKED)
    assert "1 to be lifted" in said
    assert "CALLSERVER_KEY is not set" in said


def test_a_first_line_that_is_no_number_loses_nobody_else() -> None:
    """One number a line, and the very first has a slip: it is refused as any other line."""
    file = number_files.read(b"1220001\n32200002\n")
    assert file.numbers == [4532200002]
    assert [(row.line, row.reason) for row in file.refused] == [(1, "number_invalid")]


def test_opt_outs_are_exported_for_the_membership_system(say: Say, tmp_path: Path) -> None:
    say("suppress", "add", "32123456", "--by", "mads")
    printed = say("suppress", "export", "--language", "en", "--separator", ";")
    header, row = printed.splitlines()
    assert header == "reference;number;applies_to;scope;purpose;since;lifted"
    assert row.startswith(";004532123456;the number;number;;")
    file = tmp_path / "new.csv"
    say("suppress", "export", file, "--since", "2999-01-01")
    assert file.read_text("utf-8").splitlines() == [header.replace(";", ",")]


@pytest.mark.parametrize(
    ("row", "is_meant"),
    [
        ("K1;Anna Holm;32200000", True),  # her former number
        (";A. Holm;32200000", True),
        (";Bo Berg;32200000", False),  # somebody else has it now
        ("K1;Anna Holm;32200099", True),  # by her reference
        ("K1;Bo Berg;32200099", False),  # a row's number, or another system's reference
        ("K1;;32200099", False),
        (";Anna Holm;32200099", False),
        ("K1;Anna Holm;", True),
    ],
)
def test_a_row_with_a_name_is_about_the_person(
    say: Say, engine: Engine, tmp_path: Path, row: str, is_meant: bool
) -> None:
    """Whatever number a list gives them."""
    people = tmp_path / "people.csv"
    for number in ("32200000", "32200077"):
        people.write_text(f"ref;navn;telefon;kilde\nK1;Anna Holm;{number};gade\n")
        say("import", "kanvas", people)
    file = tmp_path / "no.csv"
    file.write_text(f"medlemsnr;navn;telefon\n{row}\n;;32200098\n")
    ends = 0 if row.split(";")[2] else 1
    said = say("suppress", "import", file, ends=ends)
    assert ("people whom rows name" in said) is is_meant
    with engine.begin() as tx:
        anna = tx.execute(select(contacts.c.person)).scalar_one()
        about = suppressions.for_subjects(tx, [subject.of_person(anna)])
    assert [row.scope for row in about] == ([Scope.PERSON] if is_meant else [])
    again = say("suppress", "import", file, ends=ends)
    assert "people whom rows name" not in again


def test_how_the_person_told_us_is_recorded(say: Say, engine: Engine, people: None) -> None:
    say("suppress", "add", "32200002", "--scope", "person", "--received-by", "letter")
    with engine.begin() as tx:
        (row,) = suppressions.newest_first(tx, None)
    assert row.received_by == "letter"


@pytest.mark.parametrize("words", [("suppress", "export"), ("export", "contacts", "kanvas")])
def test_a_copy_that_cannot_be_written_is_not_in_the_log(
    say: Say, engine: Engine, tmp_path: Path, people: None, words: tuple[str, ...]
) -> None:
    with pytest.raises(FileNotFoundError):
        say(*words, tmp_path / "nowhere" / "copy.csv")
    with engine.begin() as tx:
        kinds = set(tx.execute(select(audit.c.kind)).scalars())
    assert "exported" not in kinds
