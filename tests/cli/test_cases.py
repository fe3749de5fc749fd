"""`callserver cases`: opened from a letter, handed over, listed and counted, without anybody's words."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from callserver.cli import cases as case_commands
from callserver.database import accounts, cases
from callserver.database.engines import make_engine
from callserver.database.tables import audit, suppressions
from callserver.errors import ConfigurationProblem, Impossible, NotAllowed, NotFound
from tests.harness.commands import commands
from tests.harness.databases import sqlite_file

Say = Callable[..., str]
WORDS = "Ringede midt i maden."
HERE = "2026-05-12T17:00:00+02:00"


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    made = make_engine(sqlite_file(tmp_path / "cases.db"))
    with made.begin() as tx:
        for role in ("leader", "administrator", "member_service", "supervisor", "phoner"):
            accounts.add(tx, handle=role, name=role, role=role)
    return made


@pytest.fixture
def say(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    run = commands(monkeypatch, str(engine.url), case_commands, at=HERE)

    def at_work(*words: object, text: str = "", at: str = HERE) -> str:
        monkeypatch.setenv("CALLSERVER_CLOCK", at)
        return run("cases", *words, text=text)

    return at_work


def opened(say: Say, kind: str, *more: object, text: str = "") -> str:
    by = ("--by", "member_service", "--number", "32200000")
    return say("open", kind, *by, *more, text=text)


def test_a_complaint_typed_in_at_the_command(say: Say, engine: Engine) -> None:
    said = opened(say, "complaint", "--words", text=WORDS)
    assert said == "case 1: open, answer by 2026-05-20\n"
    with engine.connect() as tx:
        row = cases.find(tx, 1)
        scopes = set(tx.execute(select(suppressions.c.scope)).scalars())
    assert row is not None
    assert (row.words, row.owner_role, row.number) == (WORDS, "leader", 4532200000)
    assert scopes == {"number"}
    listed = say("list")
    assert "complaint" in listed
    assert "leader" in listed
    for personal in ("maden", "3220"):
        assert personal not in listed
    [line] = say("list", "--json", at="2026-05-28T12:00:00+02:00").splitlines()
    assert (json.loads(line)["case"], json.loads(line)["overdue"]) == (1, True)


def test_a_complaint_without_a_number_says_that_nobody_is_opted_out(say: Say) -> None:
    said = say("open", "complaint", "--by", "member_service")
    assert "nobody is opted out" in said
    assert "suppress add --contact ID --scope person" in said
    assert "nobody" not in say("open", "access", "--by", "member_service")


@pytest.mark.parametrize("role", ["phoner", "supervisor"])
def test_only_who_handles_cases_opens_one(say: Say, role: str) -> None:
    """As on the page."""
    with pytest.raises(NotAllowed):
        say("open", "complaint", "--by", role, "--number", "32200000")
    assert say("list", "--json") == ""


def test_an_opt_out_is_closed_with_its_receipt(say: Say) -> None:
    said = opened(say, "opt_out", "--reply-by", "email", "--reply-to", "anna@example.org")
    assert said.startswith("case 1: closed")
    assert say("list", "--json") == ""
    assert json.loads(say("list", "--closed", "--json"))["state"] == "closed"


def test_a_hand_over(say: Say) -> None:
    opened(say, "access")
    assert say("hand-over", 1, "--to", "leader", "--by", "member_service") == (
        "case 1 belongs to leader\n"
    )
    with pytest.raises(NotFound):  # a phoner sees no cases
        say("hand-over", 1, "--to", "member_service", "--by", "phoner")
    with pytest.raises(NotFound):
        say("hand-over", 1, "--to", "nobody", "--by", "leader")


def test_a_complaint_is_answered_and_closed(say: Say, engine: Engine) -> None:
    opened(say, "complaint", "--words", "--reply-by", "letter", text=WORDS)
    assert WORDS in say("show", 1, "--by", "leader")
    with pytest.raises(NotAllowed):
        say("draft", 1, "--by", "member_service", text="Sorry.")
    with pytest.raises(Impossible):
        say("close", 1, "--by", "leader")
    assert say("draft", 1, "--by", "leader", text="We are sorry.").startswith("case 1: drafted")
    read = say("show", 1, "--answer", "--by", "administrator")
    assert read == "We are sorry.\n"
    with pytest.raises(Impossible):
        say("confirm", 1, "--by", "administrator", text="Something else.")
    with pytest.raises(Impossible):
        say("answer", 1, "--reply-by", "letter", "--by", "leader")
    assert say("confirm", 1, "--by", "administrator", text=read).startswith("case 1: confirmed")
    assert say("answer", 1, "--reply-by", "letter", "--by", "leader").startswith("case 1: answered")
    with pytest.raises(NotFound):  # a supervisor sees the cases of calls of their department only
        say("close", 1, "--by", "supervisor")
    assert say("close", 1, "--by", "leader").startswith("case 1: closed")
    with engine.connect() as tx:
        log = b"".join(tx.execute(select(audit.c.body)).scalars())
    assert log.count(b"looked_up") == 2
    assert b"sorry" not in log


def test_a_deadline_is_extended(say: Say, engine: Engine) -> None:
    opened(say, "complaint")
    why = ("--why", "the recordings are missing", "--by", "leader")
    assert say("extend", 1, "--until", "2026-06-01", *why) == (
        "case 1: open, answer by 2026-06-01\n"
    )
    for until, error in (("2026-06-12", Impossible), ("1 June", ConfigurationProblem)):
        with pytest.raises(error):
            say("extend", 1, "--until", until, *why)
    with pytest.raises(Impossible):
        say("extend", 1, "--until", "2026-06-02", "--why", "call 32200000", "--by", "leader")
    with engine.connect() as tx:
        last = cases.history(tx, 1)[-1]
        bodies = [json.loads(body) for body in tx.execute(select(audit.c.body)).scalars()]
    assert (last.event, last.note) == ("extended", "the recordings are missing")
    entry = next(body for body in bodies if body.get("did") == "extended")
    assert (entry["why"], entry["deadline"][:13]) == (last.note, "2026-06-01T22")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("open", "opt_out", "--by", "leader"), ConfigurationProblem),
        (("open", "access", "--by", "leader", "--number", "12"), ConfigurationProblem),
        (("open", "access", "--by", "leader", "--language", "de"), ConfigurationProblem),
        (("open", "access", "--by", "leader", "--reply-by", "email"), Impossible),
        (("open", "access", "--by", "nobody"), NotFound),
        (("report", "--month", "2026-13"), Impossible),
    ],
)
def test_what_cannot_be_done(
    say: Say, engine: Engine, words: tuple[str, ...], error: type[Exception]
) -> None:
    with pytest.raises(error):
        say(*words)
    with engine.connect() as tx:
        assert cases.listed(tx) == []


def test_the_monthly_report_counts_and_names_nobody(say: Say) -> None:
    opened(say, "complaint")
    opened(say, "complaint", "--words", text=WORDS)
    opened(say, "opt_out", "--reply-by", "spoken")
    lines = say("report", "--month", "2026-05", "--json").splitlines()
    assert [json.loads(line) for line in lines] == [
        {"kind": kind, "opened": opened_, "answered": answered, "median_hours": hours}
        | {"late": 0, "overdue": 0}
        for kind, opened_, answered, hours in (
            ("opt_out", 1, 1, 0.0),
            ("complaint", 2, 0, None),
            ("all", 3, 1, 0.0),
        )
    ]
    assert say("report", "--month", "2026-04", "--json") == ""
    assert "opt_out" in say("report")
    later = say("report", "--month", "2026-05", "--json", at="2026-06-12T12:00:00+02:00")
    assert [json.loads(line)["overdue"] for line in later.splitlines()] == [0, 2, 2]
