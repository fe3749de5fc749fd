"""Claim, dial decision, import and audit: what the database and the rules cost."""

import asyncio
import contextlib
import csv
import gc
import io
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import phonenumbers
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert, text

from callserver import outbox
from callserver.adapters.config_folder import load
from callserver.database import audit, contacts, migrate
from callserver.database.engines import make_engine
from callserver.database.tables import suppressions
from callserver.domain import merkle, phone, signed_heads
from callserver.domain.audit import EntryKind, canonical
from callserver.domain.call import DialPath
from callserver.domain.seat import SeatState
from callserver.engine.context import Rules
from callserver.engine.gate import gate
from callserver.engine.gate.stored_facts import DialRequest
from callserver.engine.identity import people_in_reach
from callserver.engine.lists.importer import import_list, no_collector
from callserver.outbox import PlaceCall
from tests.bench.measuring import Figure, percentile, side_by_side, timed
from tests.harness.simulated import ROOT, TUESDAY, SimulatedSystem

PLACE = "DK Europe/Copenhagen"
FIRST = 20_000_000


def fsyncs(folder: Path) -> float:
    """The disk's own limit: overwritten pages made durable, per second."""
    with (folder / "sync").open("wb") as file:
        file.write(b"x" * 8192)
        began, count = time.perf_counter(), 300
        for _ in range(count):
            file.seek(0)
            file.write(b"y" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
        return count / (time.perf_counter() - began)


def people(count: int) -> str:
    out = io.StringIO()
    out.write("ref;navn;telefon;kilde;by\n")
    valid = (n for n in range(FIRST, 99_999_999) if isinstance(phone.parse(str(n)), str))
    for number in valid:
        if count == 0:
            break
        count -= 1
        out.write(f"K{number};Person {number % 977};{number};gade;Lynghavn\n")
    return out.getvalue()


def claims(sizes: list[int]) -> Figure:
    """Finding and marking the next contact, as the list grows."""
    times = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            engine = make_engine(f"sqlite:///{folder}/c.db", durable=False, server=True)
            migrate.upgrade(engine)
            campaign = Rules(load(ROOT / "config")).campaign("kanvas")
            with engine.begin() as tx:
                import_list(tx, campaign, people(size).encode(), TUESDAY)

            def claim(engine: Any = engine) -> None:
                for _ in range(200):
                    with engine.begin() as tx:
                        assert contacts.claim(tx, "kanvas", (PLACE,), 1, TUESDAY)

            claim()
            times.append(min(timed(claim) for _ in range(5)) / 200)
            engine.dispose()
    growth = times[-1] / times[0]
    shown = ", ".join(f"{s:,}: {t * 1e6:.0f} µs" for s, t in zip(sizes, times, strict=True))
    return Figure(
        "claim, growth with the list", f"{growth:.2f}×", shown, "-", "≤ 1.2×", growth <= 1.2
    )


def bare(system: SimulatedSystem) -> Callable[[], None]:
    """A transaction that writes the rows a dial writes, and decides nothing."""
    number = iter(range(10**9))

    def work() -> None:
        n = next(number)
        with system.server.store.engine.begin() as tx:
            tx.execute(
                text("UPDATE contacts SET status = 'claimed', next_at = NULL WHERE id = :id"),
                {"id": n % 1000 + 5000},
            )
            tx.execute(
                text(
                    "INSERT INTO calls (attempt, contact, campaign, path, number, person, household,"
                    " seat, phoner, caller_id, room, revision, permit_at, state, deadline, ended_at)"
                    " VALUES (:a, 1, 'x', 'list', :n, :n, :n, :n, 1, '+45', 'r', 'r', 1, 'placing',"
                    " 1, 1)"
                ),
                {"a": f"bare{n}", "n": n + 10**12},
            )
            for kind in ("permitted", "seat"):
                audit.append(tx, TUESDAY, _kind(kind), call=f"bare{n}", campaign="x", seat=n)
            tx.execute(text("UPDATE seats SET state = 'waiting' WHERE id = 1"))
            tx.execute(text("UPDATE budgets SET next_at = next_at WHERE name = 'calls'"))
            tx.execute(text("UPDATE daily_counts SET dials = dials + 0 WHERE campaign = 'kanvas'"))

    return work


@contextlib.contextmanager
def without_commitments() -> Iterator[None]:
    """Decisions whose entries carry no commitment to their facts."""

    def write(tx: Any, ctx: Any, request: Any, decision: Any, **details: Any) -> None:
        answer = decision.answer
        revision = ctx.rules.current.revision
        kind = EntryKind.PERMITTED
        audit.append(tx, request.now, kind, call=answer.attempt, revision=revision, **details)

    with (
        mock.patch.object(gate, "write", write),
        mock.patch.object(gate, "line", return_value={}),
    ):
        yield


def _kind(name: str) -> Any:
    return EntryKind(name)


def decisions(size: int) -> list[Figure]:
    """The whole dial decision among many contacts and suppressions, against the bare writes."""
    with tempfile.TemporaryDirectory() as folder:
        system = SimulatedSystem(Path(folder), people=people(size), calls_per_second=1000)
        system.write(lambda tx: _suppress(tx, size))
        dialer = system.server.dialer
        ready: list[float] = []  # processor seconds
        waited: list[float] = []

        async def sit() -> None:
            await system.on_shift()
            await system.api("POST", "/pause", {})

        asyncio.run(sit())
        store: Any = system.server.store

        def reset(tx: Any) -> None:
            tx.execute(text("UPDATE budgets SET next_at = 0"))  # the clock stands still here
            tx.execute(
                text("UPDATE calls SET ended_at = 1, cause = 'declined' WHERE ended_at IS NULL")
            )
            tx.execute(
                text("UPDATE seats SET state = :s, wants = :s, call = NULL, slot_at = NULL"),
                {"s": SeatState.WAITING.value},
            )

        def decide() -> None:
            with store.engine.begin() as tx:
                reset(tx)
            began, spent = time.perf_counter(), time.process_time()
            with store.engine.begin() as tx, outbox.collecting(tx) as follow_ups:
                dialer.next_call(tx, 1)
            assert isinstance(follow_ups[0], PlaceCall)
            ready.append(time.process_time() - spent)
            waited.append(time.perf_counter() - began)

        bare_work, times = bare(system), []
        gc.collect()
        gc.freeze()  # as the server does
        for _ in range(600):
            decide()
            times.append(timed(bare_work))
        committed, plain = ready, list[float]()
        for _ in range(300):
            ready = committed
            decide()
            ready = plain
            with without_commitments():
                decide()
        gc.unfreeze()
        ready = committed
        cost = percentile(committed[-300:], 0.5) / percentile(plain, 0.5)
        ratio = percentile(ready[30:], 0.5) / percentile(times[30:], 0.5)
        p99 = percentile(waited[30:], 0.99) * 1000
        system.close()
    what = f"dial decision, {size:,} contacts and suppressions"
    half = percentile(ready[30:], 0.5) * 1e6
    peer = f"bare writes {percentile(times[30:], 0.5) * 1e6:.0f} µs"
    return [
        Figure(what, f"{ratio:.2f}× ({half:.0f} µs)", peer, "-", "≤ 2×", ratio <= 2),
        Figure(
            "dial decision with its commitment",
            f"{cost:.2f}×",
            "without, 1×",
            "-",
            "≤ 1.2×",
            cost <= 1.2,
        ),
        Figure("Ready → order, p99", f"{p99:.1f} ms", "-", "-", "≤ 20 ms", p99 <= 20),
    ]


def reach(sizes: list[int]) -> list[Figure]:
    """Reading a dial's facts as the lists grow: of somebody alone, and of somebody with two in reach."""
    rules = Rules(load(ROOT / "config"))
    campaign = rules.campaign("kanvas")
    alone: list[float] = []
    beside: list[float] = []
    none: list[float] = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            engine = make_engine(f"sqlite:///{folder}/r.db", durable=False, server=True)
            migrate.upgrade(engine)
            text_of = people(size)
            numbers = [line.split(";")[2] for line in text_of.splitlines()[1:201]]
            others = "ref;navn;telefon;kilde\n" + "".join(
                f"{kind}{number};{kind}. Prøve;{number};gade\n"
                for number in numbers[100:]
                for kind in ("A", "B")
            )
            with engine.begin() as tx:
                import_list(tx, campaign, text_of.encode(), TUESDAY)
                import_list(tx, rules.campaign("leads"), others.encode(), TUESDAY)
                listed = [contacts.by_number(tx, int(f"45{n}"), "kanvas")[0] for n in numbers]

                def collect(some: list[Any], tx: Any = tx) -> None:
                    for row in some:
                        request = DialRequest(row, campaign, DialPath.EXPLAIN, None, TUESDAY)
                        gate.collect(tx, rules, b"key", request)

                def resolve(some: list[Any], tx: Any = tx) -> None:
                    for row in some:
                        people_in_reach.of(tx, row)

                collect(listed)
                for work, some, times in (
                    (collect, listed[:100], alone),
                    (collect, listed[100:], beside),
                    (resolve, listed[:100], none),
                ):
                    times.append(min(timed(partial(work, some)) for _ in range(9)) / 100)
            engine.dispose()

    def growth(what: str, times: list[float]) -> Figure:
        shown = ", ".join(f"{s:,}: {t * 1e6:.0f} µs" for s, t in zip(sizes, times, strict=True))
        ratio = times[-1] / times[0]
        return Figure(
            f"{what}, growth with the lists", f"{ratio:.2f}×", shown, "-", "≤ 1.3×", ratio <= 1.3
        )

    share = none[-1] / alone[-1]
    more = beside[-1] / alone[-1]
    return [
        growth("facts of a dial, nobody else in reach", alone),
        growth("facts of a dial, two others in reach", beside),
        Figure(
            "share of asking who is in reach", f"{share:.0%}", "-", "-", "≤ 35 %", share <= 0.35
        ),
        Figure("with two others in reach", f"{more:.2f}×", "alone 1×", "-", "≤ 4×", more <= 4),
    ]


def _suppress(tx: Any, count: int) -> None:
    rows = [
        {"subject": f"number:{4590000000 + n}", "scope": "number", "at": TUESDAY, "by": "bench"}
        for n in range(count)
    ]
    for at in range(0, count, 10_000):
        tx.execute(insert(suppressions), rows[at : at + 10_000])


def importing(count: int) -> list[Figure]:
    """A list to dialable contacts, against reading the CSV alone and the library row by row."""
    raw = people(count)
    campaign = Rules(load(ROOT / "config")).campaign("kanvas")
    numbers = [line.split(";")[2] for line in raw.splitlines()[1:20_001]]

    def once() -> float:
        with tempfile.TemporaryDirectory() as folder:
            engine = make_engine(f"sqlite:///{folder}/i.db", server=True)
            migrate.upgrade(engine)
            with no_collector(), engine.begin() as tx:  # as the command does
                took = timed(lambda: import_list(tx, campaign, raw.encode(), TUESDAY))
            engine.dispose()
        return took

    def library() -> None:
        for number in numbers:
            phonenumbers.is_valid_number(phonenumbers.parse(number, "DK"))

    def alone() -> None:
        list(csv.reader(io.StringIO(raw), delimiter=";"))

    rounds = [(once(), timed(alone), timed(library)) for _ in range(3)]
    took, floor, slow = map(statistics.median, zip(*rounds, strict=True))
    rate = count / took
    dice = random.Random(1)
    probes = [f"{dice.randrange(10**8):08}" for _ in range(20_000)]
    wrong = sum(isinstance(phone.parse(probe), str) != _valid(probe) for probe in probes)
    return [
        Figure(
            f"import, {count:,} rows",
            f"{rate:,.0f} rows/s, {rate * slow / len(numbers):.2f}×",
            f"parsing alone by the library {len(numbers) / slow:,.0f}/s",
            f"csv.reader {count / floor:,.0f}/s",
            "≥ 2.5×",
            rate * slow / len(numbers) >= 2.5,
        ),
        Figure("numbers that libphonenumber sees otherwise", str(wrong), "-", "-", "0", wrong == 0),
    ]


def _valid(raw: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(raw, "DK"))
    except phonenumbers.NumberParseException:
        return False


def verifying(count: int) -> Figure:
    """Checking the sealed log, against hashing its bytes once."""
    key = Ed25519PrivateKey.generate()
    bodies = [
        canonical({"at": "2026-05-12T15:00:00.000000Z", "kind": "permitted", "call": f"{n:020}"})
        for n in range(count)
    ]
    heads, last = [], None
    for at in range(0, count, 5000):
        last = signed_heads.seal(last, bodies[at : at + 5000], "now", key)
        heads.append(last)
    public = key.public_key()

    def verify() -> None:
        assert signed_heads.verify(enumerate(bodies), heads, public)[0] == []

    (whole, once), spread = side_by_side(3, verify, lambda: merkle.leaf_hashes(bodies))
    per_million = whole / count * 1e6
    return Figure(
        "audit verification, per million",
        f"{per_million:.2f} s (A/A {spread:.0%})",
        f"one hash an entry {once / count * 1e6:.2f} s",
        "-",
        "≤ 1.5 s",
        per_million <= 1.5,
    )
