"""docs/verifying.md names every kind of entry with its fields, as the code writes them."""

import asyncio
import json
import os
import re
from datetime import datetime
from pathlib import Path

from callserver.cli.simulate import START, evening
from callserver.database import audit, entries_naming
from callserver.database.engines import make_engine, reading
from callserver.domain.audit import EntryKind
from callserver.simulator.evening import Plan
from callserver.simulator.faults import ALL
from tests.harness import entry_fields
from tests.harness.entry_fields import ALWAYS, BEGIN, END

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/verifying.md"

_KEY = re.compile(rb"(number|person|household|hash):[0-9a-f]{32}")


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


def test_an_evening_writes_no_other_field(tmp_path: Path) -> None:
    plan = Plan(start=datetime.fromisoformat(START), hours=0.3, faults=ALL, seed=5)
    asyncio.run(evening(plan, 6, 300, ROOT / "config", tmp_path))
    engine = make_engine(f"sqlite:///{tmp_path}/evening.db")
    documented = entry_fields.fields()
    with reading(engine) as connection:
        bodies = [body for _, body in audit.entries(connection)]
        entries = [json.loads(body) for body in bodies]
        key = next(entry["keys"][0] for entry in entries if "keys" in entry)
        naming = [entry["at"] for entry in entries_naming.naming(connection, key)]
    engine.dispose()
    assert naming == [json.loads(body)["at"] for body in bodies if key.encode() in body]
    for kind in entries_naming.WITHOUT_KEYS:
        assert documented[kind].isdisjoint({"keys", "rows"}), kind
        of_kind = [body for body in bodies if f'"kind":"{kind}"'.encode() in body]
        assert not any(map(_KEY.search, of_kind)), kind
    assert len({entry["kind"] for entry in entries}) > 8
    for entry in entries:
        new = entry.keys() - ALWAYS - documented[EntryKind(entry["kind"])]
        assert not new, f"{entry['kind']}: {new} (tests/harness/entry_fields.py)"
