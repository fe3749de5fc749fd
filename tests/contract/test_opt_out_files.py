"""A long list of opt-outs is imported while servers dial: no dial waits for it, and none escapes it."""

import asyncio
import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, select

from callserver.adapters.config_folder import load
from callserver.database import accounts, calls, imports, person_search, suppressions
from callserver.database.engines import make_engine
from callserver.database.former_identifiers import Identifier
from callserver.database.side_connection import LEAST_PAUSE_S, one_part
from callserver.database.store import AnyStore, open_store
from callserver.database.tables import audit
from callserver.database.tables import calls as calls_table
from callserver.database.tables import suppressions as table
from callserver.domain.audit import EntryKind
from callserver.domain.facts import Scope
from callserver.domain.role import Role
from callserver.engine.context import Rules
from callserver.engine.lists.importer import import_list
from callserver.engine.suppressions import lifting, opt_out_files, opt_outs, public_registers
from callserver.engine.suppressions.lifting import Channel
from callserver.engine.suppressions.opt_out_files import NamedRow
from callserver.engine.suppressions.opt_outs import Origin
from callserver.ports import Tx
from tests.harness.processes import ROOT, Command, run
from tests.harness.waiting import eventually, until

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
PART = 50
PARTS = 20
NUMBERS = range(4532200000, 4532200000 + PARTS * PART)


def origin(tx: Tx | None = None) -> Origin:
    del tx
    return Origin(by="test", at=NOW)


def in_parts(engine: Engine, progress: Callable[[int], None]) -> None:
    opt_out_files.load(engine, NUMBERS, "letters", origin, progress)


def as_one(engine: Engine, progress: Callable[[int], None]) -> None:
    """The control: the same parts in one transaction."""
    with engine.begin() as tx:
        for at in range(0, len(NUMBERS), PART):
            some = NUMBERS[at : at + PART]
            opt_outs.add_listed(tx, Scope.NUMBER, some, "letters", origin())
            progress(at + PART)
            threading.Event().wait(LEAST_PAUSE_S)


def a_call(number: int) -> dict[str, Any]:
    return {
        "attempt": f"a{number}",
        "contact": None,
        "campaign": "kanvas",
        "path": "list",
        "number": number,
        "person": number,
        "household": number,
        "seat": number,
        "phoner": 1,
        "caller_id": "+4532123400",
        "room": "room",
        "room_ref": None,
        "revision": "r",
        "permit_at": NOW,
        "state": "ringing",
        "deadline": NOW,
    }


def decide(tx: Tx, number: int) -> bool:
    """A dial decision about one number: open a call unless there is an opt-out."""
    suppressions.before_deciding(tx)
    is_refused = bool(suppressions.for_subjects(tx, (f"number:{number}",)))
    return not is_refused and calls.open_call(tx, a_call(number))


@dataclass
class Dialing:
    """Dial decisions about the list's numbers, last number first, until the import has ended."""

    store: AnyStore
    parts: int = 0  # that the import has written
    has_ended: bool = False
    waits: list[int] = field(default_factory=list)  # the parts written while a decision waited
    permitted: list[int] = field(default_factory=list)

    async def go_on(self) -> None:
        # Each number twice: the second time the part that holds it may have been written.
        for number in [number for number in reversed(NUMBERS) for _ in range(2)]:
            if self.has_ended:
                return
            before = self.parts
            if await self.store.run(lambda tx, number=number: decide(tx, number)):  # type: ignore[misc]
                self.permitted.append(number)
            self.waits.append(self.parts - before)
            await asyncio.sleep(0.005)

    def written(self, done: int) -> None:
        self.parts = done // PART


@pytest.mark.parametrize("importing", [in_parts, as_one], ids=["parts", "control"])
async def test_dials_are_decided_while_a_long_list_is_imported(
    database_url: str,
    importing: Callable[[Engine, Callable[[int], None]], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A decision waits for a part or two, never for the list; every call to a listed number is silenced."""
    monkeypatch.setattr(opt_out_files, "ROWS_OF_ENTRY", PART)
    store = open_store(database_url)
    dialing = Dialing(store)
    going_on = asyncio.create_task(dialing.go_on())
    await eventually(lambda: dialing.permitted)
    engine = make_engine(database_url, secret=b"a key")
    try:
        await asyncio.to_thread(importing, engine, dialing.written)
        dialing.has_ended = True
        await going_on
        with engine.begin() as tx:
            rung = tx.execute(select(calls_table.c.number, calls_table.c.stop_wanted)).all()
            held = tx.execute(select(func.count()).select_from(table)).scalar_one()
    finally:
        store.close()
        engine.dispose()
    assert held == len(NUMBERS)
    assert dict(map(tuple, rung)) == dict.fromkeys(dialing.permitted, "suppressed")
    if importing is as_one:
        assert max(dialing.waits) >= PARTS - 1
    else:
        assert max(dialing.waits) <= PARTS // 4
        assert len(dialing.waits) > PARTS


def opt_out_rows(engine: Engine) -> list[str]:
    with engine.connect() as tx:
        return list(
            tx.execute(select(table.c.subject).where(table.c.lifted_at.is_(None))).scalars()
        )


def counts_in_log(engine: Engine) -> list[int]:
    with engine.connect() as tx:
        bodies = tx.execute(select(audit.c.body).where(audit.c.kind == EntryKind.SUPPRESSED.value))
        return [json.loads(body)["count"] for body in bodies.scalars()]


def test_an_import_killed_on_the_way_protects_and_is_completed(
    database_url: str, tmp_path: Path
) -> None:
    """SIGKILL between parts: what is written is whole and logged; the same file again adds the rest."""
    parts = 8
    count = parts * opt_outs.ROWS_OF_ENTRY
    file, output = tmp_path / "letters.csv", tmp_path / "said"
    file.write_text("".join(f"{number}\n" for number in range(32_200_000, 32_200_000 + count)))
    words = ("suppress", "import", str(file), "--list", "letters")
    environment = {
        **os.environ,
        "CALLSERVER_DATABASE": database_url,
        "CALLSERVER_CONFIG": str(ROOT / "config"),
        "CALLSERVER_KEY": "a key for the tests alone",
    }
    engine = make_engine(database_url)
    command = Command(*words, environment=environment, output=output)
    try:
        until(lambda: len(opt_out_rows(engine)) >= 2 * opt_outs.ROWS_OF_ENTRY)
    finally:
        command.kill()
        command.wait()
    held = len(opt_out_rows(engine))
    assert 0 < held < count
    assert "suppressed" not in output.read_text()
    assert counts_in_log(engine) == [opt_outs.ROWS_OF_ENTRY] * (held // opt_outs.ROWS_OF_ENTRY)
    assert sum(counts_in_log(engine)) == held
    said = run(*words, environment=environment).stdout
    assert said.startswith(f"{count - held} suppressed, {held} unchanged")
    rows = opt_out_rows(engine)
    assert len(rows) == len(set(rows)) == sum(counts_in_log(engine)) == count
    assert run(*words, environment=environment).stdout.startswith(
        f"0 suppressed, {count} unchanged"
    )
    assert counts_in_log(engine)[-1] == 0, "the log says that a list came in that held nothing new"
    engine.dispose()


LIST = "ref;telefon;navn;ring ikke\n" + "".join(
    f"R{n};{32200000 + n};P {n};{'ja' if n % 2 else ''}\n" for n in range(60)
)


def test_dials_are_decided_while_a_contact_list_with_opt_outs_is_written(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One transaction, for a list comes in whole: it waits for decisions last, just before its commit."""
    # Its statements wait at most five seconds for a lock.
    server = make_engine(postgres_url, server=True)
    engine = make_engine(postgres_url, secret=b"a key")
    opted_out, other = 4532200001, 4532200002
    finish = imports.finish

    def dialing_meanwhile(*given: Any, **more: Any) -> None:
        with server.begin() as tx:
            assert decide(tx, opted_out)
        with server.begin() as tx:
            tx.execute(insert(calls_table).values(a_call(other)))
        finish(*given, **more)

    monkeypatch.setattr(imports, "finish", dialing_meanwhile)
    with engine.begin() as tx:
        campaign = Rules(load(ROOT / "config")).campaign("kanvas")
        import_list(tx, campaign, LIST.encode(), NOW)
    with engine.begin() as tx:
        rung = tx.execute(select(calls_table.c.number, calls_table.c.stop_wanted))
        assert dict(map(tuple, rung)) == {opted_out: "suppressed", other: None}
        assert not decide(tx, 4532200003)
    for used in (engine, server):
        used.dispose()


def test_who_is_named_is_looked_up_beside_the_transactions_that_write(
    store: AnyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads whole tables, and every dial would wait."""
    campaign = load(ROOT / "config").campaigns["kanvas"]
    rows = b"navn;telefon\nBo Bech;32200001\n"
    with store.engine.begin() as tx:
        import_list(tx, campaign, rows, NOW)
    writing: list[bool] = []
    look = person_search.known_under

    @contextmanager
    def writes(engine: Engine) -> Iterator[Tx]:
        writing.append(True)
        with one_part(engine) as tx:
            yield tx
        writing.append(False)

    def looks(tx: Tx, numbers: Sequence[int], persons: Sequence[int]) -> list[Identifier]:
        assert not any(writing[-1:])
        return look(tx, numbers, persons)

    monkeypatch.setattr(opt_out_files, "ROWS_OF_ENTRY", 1)
    monkeypatch.setattr(opt_out_files, "one_part", writes)
    monkeypatch.setattr(person_search, "known_under", looks)
    named = [NamedRow([4532200001 + n], "", "Bo Bech") for n in range(3)]
    added = opt_out_files.load(store.engine, [], "letters", origin, named=named)
    assert (added, writing) == ((0, 1), [True, False]), "one is known"


@pytest.mark.parametrize("ends", ["lift", "undo"])
@pytest.mark.parametrize("scope", [Scope.NUMBER, Scope.PERSON])
def test_a_list_that_names_who_is_suppressed_outlasts_the_end_of_the_earlier_opt_out(
    store: AnyStore, ends: str, scope: Scope
) -> None:
    """Its lift is proposed when the list comes, or its author undoes it afterwards."""
    key, later = 4532200001, NOW + timedelta(days=2)
    with store.engine.begin() as tx:
        for handle in ("lea", "sigrid"):
            accounts.add(tx, handle=handle, name=handle, role=Role.LEADER.value)
        lea, sigrid = (accounts.by_handle(tx, handle) for handle in ("lea", "sigrid"))
        assert lea is not None
        assert sigrid is not None
        at = NOW if ends == "lift" else later
        about = f"{scope.value}:{key}"
        row = suppressions.add(tx, about, scope, at, f"user:{lea.id}", opt_out="said")
        if ends == "lift":
            letter: Any = {"asked_on": later.date(), "channel": Channel.LETTER, "why": "brev"}
            lift = lifting.propose(tx, [row], lea, now=later, **letter).id
        assert opt_outs.add_listed(tx, scope, [key], "letters", Origin(by="test", at=later)) == 1
        assert opt_outs.add_listed(tx, scope, [key], "letters", Origin(by="test", at=later)) == 0
        if ends == "lift":
            lifting.approve(tx, lift, sigrid, later)
        else:
            lifting.undo(tx, [row], lea, later)
        left = [one for one in suppressions.on_record(tx, [about]) if one.lifted_at is None]
        assert [one.list for one in left] == ["letters"]


@pytest.mark.parametrize("paused", [True, False], ids=["pauses", "control"])
async def test_a_server_writes_while_a_register_is_loaded(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, paused: bool
) -> None:
    """SQLite's lock goes to the process that looks first; without pauses the loader nearly always does."""
    monkeypatch.setattr(public_registers, "CHUNK", 200)
    if not paused:
        monkeypatch.setattr(public_registers, "one_part", Engine.begin)
    parts = 60
    dialing = Dialing(open_store(sqlite_url))
    going_on = asyncio.create_task(dialing.go_on())
    await eventually(lambda: dialing.permitted)
    engine = make_engine(sqlite_url)

    def written(done: int) -> None:
        dialing.parts = done // 200

    try:
        await asyncio.to_thread(
            public_registers.load,
            engine,
            range(4_520_000_000, 4_520_000_000 + parts * 200),
            "robinson",
            NOW,
            NOW,
            load(ROOT / "config"),
            progress=written,
        )
        dialing.has_ended = True
        await going_on
    finally:
        dialing.store.close()
        engine.dispose()
    assert (max(dialing.waits) <= parts // 4) == paused
