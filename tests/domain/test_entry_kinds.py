"""docs/verifying.md names every kind of entry with its fields, as the code writes them."""

import asyncio
import json
import os
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from callserver.cli.simulate import KEY, START, evening
from callserver.database import audit, contacts, entries_naming
from callserver.database.engines import make_engine, reading
from callserver.database.tables import audit as log
from callserver.database.tables import calls
from callserver.domain import pseudonyms, subject
from callserver.domain.audit import EntryKind
from callserver.domain.identity import NOBODY
from callserver.engine.suppressions import erasure
from callserver.ports import Tx
from callserver.simulator.evening import Plan
from callserver.simulator.faults import ALL
from tests.harness import entry_fields
from tests.harness.entry_fields import ALWAYS, BEGIN, END

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/verifying.md"
SECRET = KEY.encode()

COUNT_OF_ROWS = EntryKind.RECONCILED
NAMING = (*entries_naming.RARE_WITH_KEYS, EntryKind.PERMITTED, EntryKind.REFUSED)
_KEY = re.compile(r"(number|person|household|hash):[0-9a-f]{32}")


def test_the_page_has_the_kinds_and_fields_of_the_code() -> None:
    text = PAGE.read_text("utf-8")
    begin, end = text.index(BEGIN), text.index(END) + len(END)
    if os.environ.get("CALLSERVER_GOLDEN"):
        text = text[:begin] + entry_fields.table() + text[end:]
        PAGE.write_text(text, "utf-8")
        end = text.index(END) + len(END)
    assert text[begin:end] == entry_fields.table(), (
        "a kind or field is new: CALLSERVER_GOLDEN=1 pytest tests/domain/test_entry_kinds.py"
        " writes the table"
    )
    assert len(re.findall(r"^\| `", text[begin:end], re.MULTILINE)) == len(EntryKind)


def test_only_these_kinds_can_name_a_pseudonymous_key() -> None:
    with_keys = {kind for kind, names in entry_fields.fields().items() if names & {"keys", "rows"}}
    assert with_keys == {*NAMING, COUNT_OF_ROWS}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The database of an evening."""
    folder = tmp_path_factory.mktemp("evening")
    plan = Plan(start=datetime.fromisoformat(START), hours=0.3, faults=ALL, seed=5)
    asyncio.run(evening(plan, 6, 300, ROOT / "config", folder))
    engine = make_engine(f"sqlite:///{folder}/evening.db", secret=SECRET)
    yield engine
    engine.dispose()


def test_an_evening_writes_no_other_field(played: Engine) -> None:
    documented = entry_fields.fields()
    with reading(played) as connection:
        entries = [json.loads(body) for _, body in audit.entries(connection)]
    with_keys = {EntryKind(entry["kind"]) for entry in entries if _KEY.search(json.dumps(entry))}
    assert with_keys <= set(NAMING)
    assert len({entry["kind"] for entry in entries}) > 8
    for entry in entries:
        new = entry.keys() - ALWAYS - documented[EntryKind(entry["kind"])]
        assert not new, f"{entry['kind']}: {new} (tests/harness/entry_fields.py)"


def test_every_entry_that_names_a_number_is_found_also_when_calls_are_forgotten(
    played: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with played.begin() as tx:
        called = sorted(set(tx.execute(select(calls.c.number)).scalars()))
        assert _found(tx, called) == _holding(tx, called)
        for number in called[::3]:
            known = contacts.by_number(tx, number)
            erasure.erase(tx, number, known, SECRET, "test", datetime.fromisoformat(START))
        forgotten = tx.execute(select(calls.c.attempt).where(calls.c.number == NOBODY)).all()
        assert len(called) > len(forgotten) > 10
        holding = _holding(tx, called)
        for passed in (0, 1_000_000):  # each permit is read, or the whole log is looked through
            monkeypatch.setattr(entries_naming, "PASSED_MEANWHILE", passed)
            assert _found(tx, called) == holding


def _found(tx: Tx, numbers: Sequence[int]) -> dict[int, list[int]]:
    found = {number: entries_naming.naming(tx, number, _key(number)) for number in numbers}
    return {number: [entry["id"] for entry in entries] for number, entries in found.items()}


def _holding(tx: Tx, numbers: Sequence[int]) -> dict[int, list[int]]:
    """By reading every entry."""
    rows = tx.execute(select(log.c.id, log.c.body).order_by(log.c.id)).all()
    return {
        number: [key for key, body in rows if _key(number).encode() in body] for number in numbers
    }


def _key(number: int) -> str:
    return pseudonyms.key_of(subject.of_number(number), SECRET)
