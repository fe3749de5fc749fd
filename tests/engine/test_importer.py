"""Lists come in whole: counted, ranked, told apart, the same on both databases."""

import random
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event, func, select, update

from callserver.database import list_import
from callserver.database.engines import make_engine
from callserver.database.store import AnyStore
from callserver.database.tables import audit, campaign_places, contacts, imports
from callserver.domain import sheet
from callserver.engine.lists import importer
from callserver.engine.lists.import_order import ImportOrder
from callserver.engine.lists.importer import import_list
from callserver.engine.lists.summary import Summary
from callserver.errors import ConfigurationProblem
from tests.harness.databases import sqlite_file
from tests.harness.imported_lists import AFMELDTE, KANVAS, LEADS, NOW, rows, take


@pytest.fixture
def engine(store: AnyStore) -> Engine:
    return store.engine


def test_rows_are_taken_in_the_files_order(engine: Engine) -> None:
    summary = take(engine, "telefon;navn;by\n32200003;Bo;A\n32200001;Åse;\n+46701234567;Per;C\n")
    assert summary.counts() | {"read": 3, "taken": 3, "refused": 0} == summary.counts()
    assert rows(engine, "number", "name", "status", "fields", "place") == [
        (4532200003, "Bo", "ready", {"by": "A"}, "DK Europe/Copenhagen"),
        (4532200001, "Åse", "ready", None, "DK Europe/Copenhagen"),
        (46701234567, "Per", "ready", {"by": "C"}, "SE Europe/Stockholm"),
    ]
    with engine.connect() as tx:
        row = (
            tx.execute(select(campaign_places.c.place).order_by(campaign_places.c.place))
            .scalars()
            .all()
        )
    assert row == ["DK Europe/Copenhagen", "SE Europe/Stockholm"]


@pytest.mark.parametrize("source", ["gade", "Bo's liste", 'a "b" ?', "hvad?", "Åben dør", "a:b"])
def test_a_source_that_all_rows_have_is_kept_as_it_is(engine: Engine, source: str) -> None:
    quoted = source.replace('"', '""')
    take(engine, "telefon;kilde\n" + "".join(f'3220000{n};"{quoted}"\n' for n in range(3)))
    assert rows(engine, "source") == [(source,)] * 3


def test_a_second_list_goes_behind_the_first(engine: Engine) -> None:
    take(engine, "telefon\n32200003\n32200004\n")
    take(engine, "telefon\n32200002\n")
    assert [number for (number,) in rows(engine, "number")] == [4532200003, 4532200004, 4532200002]


def test_the_same_file_twice_changes_nothing(engine: Engine) -> None:
    text = "ref;telefon;navn\n" + "".join(f"R{n};322{n:05};P {n}\n" for n in range(500))
    take(engine, text)
    before = rows(engine, *[column.name for column in contacts.columns])
    again = take(engine, text)
    assert (again.taken, again.unchanged) == (0, 500)
    assert rows(engine, *[column.name for column in contacts.columns]) == before


def test_an_order_column_ranks(engine: Engine) -> None:
    text = "telefon;ophørt\n32200001;2026-01-01\n32200002;\n32200003;01-03-2026\n32200004;snart\n"
    summary = take(engine, text, AFMELDTE)
    assert [number for (number,) in rows(engine, "number")] == [4532200003, 4532200001, 4532200002]
    assert [(row.line, row.reason) for row in summary.refused] == [(5, "not_a_date")]


@pytest.mark.parametrize("worst", ["9" * 40, "-" + "9" * 40, "--5", "-", "x"])
def test_a_rank_that_no_database_holds_is_refused(sqlite: Engine, worst: str) -> None:
    order = KANVAS.model_copy(update={"order": AFMELDTE.order})
    assert order.order is not None
    campaign = order.model_copy(
        update={"order": order.order.model_copy(update={"column": "points"})}
    )
    summary = take(sqlite, f"telefon;points\n32200001;{worst}\n32200002;7\n", campaign)
    assert [(row.column, row.reason) for row in summary.refused] == [("points", "not_a_rank")]
    assert summary.taken == 1


def test_an_order_column_that_is_not_there_stops_the_import(sqlite: Engine) -> None:
    with pytest.raises(ConfigurationProblem, match="'ended'"):
        take(sqlite, "telefon\n32200001\n", AFMELDTE)


def test_duplicates_in_the_file(sqlite: Engine) -> None:
    summary = take(
        sqlite,
        "ref;telefon;navn\n"
        "1;32200001;Bo Bech\n"
        "1;32200002;Bo Bech\n"  # the same person
        "2;32200001;BO  BECH\n"  # the same number and name
        "3;32200001;Ida Bech\n"  # lives there too
        "4;32200001;\n"  # as well, as far as anybody knows
        "5;32200001;Ida Bech\n",
    )
    assert (summary.taken, summary.duplicates, summary.shared) == (3, 3, 3)


def test_one_letter_names_are_told_apart_too(sqlite: Engine) -> None:
    """Short texts may be one object in Python; sameness is asked of what they say."""
    summary = take(sqlite, "ref;telefon;navn\n1;32200001;B\n2;32200001;B\n3;32200001;C\n")
    assert (summary.taken, summary.duplicates) == (2, 1)


def test_a_row_that_was_refused_makes_nobody_a_duplicate(sqlite: Engine) -> None:
    summary = take(
        sqlite, "ref;telefon;ophørt\n1;32200001;snart\n1;32200001;2026-01-01\n", AFMELDTE
    )
    assert (summary.taken, summary.duplicates, len(summary.refused)) == (1, 0, 1)


def test_a_known_person_whose_row_is_refused_is_set_aside(engine: Engine) -> None:
    take(engine, "ref;telefon;navn\nK1;32200001;Bo\nK2;32200002;Ida\n")
    summary = take(
        engine, "ref;telefon;navn;født\nK1;;Bo;\n;32200002;Ida;ukendt\nK3;32200003;Per;\n"
    )
    assert (summary.set_aside, summary.taken) == (2, 1)
    assert rows(engine, "ref", "status") == [("K1", "closed"), ("K2", "closed"), ("K3", "ready")]
    take(engine, "ref;telefon;navn\nK1;32200001;Bo\n")
    assert rows(engine, "ref", "status")[0] == ("K1", "ready")


def test_several_who_were_closed_for_what_the_list_now_says_otherwise_are_ready_again(
    engine: Engine,
) -> None:
    take(engine, "ref;telefon;født\nK1;32200001;2015-01-01\nK2;32200002;2015-01-01\n")
    with engine.begin() as tx:
        closed = {"status": "closed", "reason": "PERSON_MINOR"}
        tx.execute(update(contacts).values(**closed))
    take(engine, "ref;telefon;født\nK1;32200001;1985-01-01\nK2;32200002;1985-01-01\n")
    assert rows(engine, "status", "reason", "born") == [("ready", None, "1985-01-01")] * 2


def test_other_campaigns_are_named(sqlite: Engine) -> None:
    take(sqlite, "telefon;kilde\n32200001;gade\n32200002;gade\n", LEADS)
    summary = take(sqlite, "telefon\n32200002\n32200003\n")
    assert summary.taken == 2
    assert summary.elsewhere == {"leads": 1}


def test_a_lead_says_itself_where_it_comes_from(sqlite: Engine) -> None:
    take(sqlite, "telefon;kilde\n32200001;gade\n32200002;\n", LEADS)
    take(sqlite, "telefon\n32200003\n")
    sources = dict(rows(sqlite, "number", "source"))
    assert sources == {
        4532200001: "gade",
        4532200002: None,
        4532200003: "en liste fra 12. maj 2026",
    }


def test_a_row_in_another_encoding_is_refused_alone(engine: Engine) -> None:
    raw = "telefon;navn\n32200001;Søren\n32200002;".encode() + b"Bj\xf8rn\n32200003;Ida\n"
    summary = take(engine, raw)
    assert [(row.line, row.reason) for row in summary.refused] == [(3, "encoding")]
    assert rows(engine, "name") == [("Søren",), ("Ida",)]


def test_a_short_row_stops_no_ordered_list(engine: Engine) -> None:
    summary = take(engine, "telefon;ophørt\n32200001\n32200002;2026-01-02\n", AFMELDTE)
    assert [(row.line, row.reason) for row in summary.refused] == [(2, "cells")]
    assert summary.taken == 1


def test_a_nul_is_refused(engine: Engine) -> None:
    """PostgreSQL takes none: one such row must not stop the list."""
    summary = take(engine, b"telefon;navn\n32200001;B\0o\n32200002;Ida\n")
    assert [(row.line, row.reason) for row in summary.refused] == [(2, "nul")]
    assert summary.taken == 1


def test_what_no_text_should_break(engine: Engine) -> None:
    name = "Bo\t\\N \\. %s ; ' \" {} Ærø 🌻"
    summary = take(
        engine, f'telefon;navn;"a ""b"" %s"\n32200001;"{name.replace(chr(34), chr(34) * 2)}";\\N\n'
    )
    assert summary.taken == 1
    assert rows(engine, "name", "fields") == [(" ".join(name.split()), {'a "b" %s': "\\N"})]


def test_all_or_nothing(engine: Engine) -> None:
    def half() -> None:
        with engine.begin() as tx:
            import_list(tx, KANVAS, b"telefon\n32200001\n", NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    with engine.connect() as tx:
        assert tx.execute(select(func.count()).select_from(contacts)).scalar_one() == 0
        assert tx.execute(select(func.count()).select_from(imports)).scalar_one() == 0


def test_the_entry_holds_counts_and_a_hash_and_nothing_else(sqlite: Engine) -> None:
    take(sqlite, "telefon;navn\n32200001;Bo Bech\nx;Ida\n")
    with sqlite.connect() as tx:
        (body,) = tx.execute(select(audit.c.body).where(audit.c.kind == "imported")).scalars()
        (counts,) = tx.execute(select(imports.c.counts)).scalars()
    assert b"Bo" not in body
    assert b"32200001" not in body
    assert b'"content":"' in body
    assert b'"refused":1' in body
    assert counts["taken"] == 1


def test_indexes_built_afterwards_are_the_same(
    sqlite: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that a list's rows come to in no order; into another list only those of them that refuse nobody."""
    keys = {"person", "number", "household"}
    in_use = {index for index in contacts.indexes if index.columns[0].name in keys}

    def shape() -> list[tuple[str, str]]:
        with sqlite.connect() as tx:
            return sorted(
                (name, " ".join(sql.lower().replace('"', "").split()))
                for name, sql in tx.exec_driver_sql(
                    "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
                )
            )

    before = shape()
    monkeypatch.setattr(list_import, "REBUILD_FROM", 2)
    dropped: list[str] = []

    def hear(*told: Any) -> None:
        if told[2].strip().startswith("DROP INDEX"):
            dropped.append(told[2].split()[-1])

    event.listen(sqlite, "before_cursor_execute", hear)
    summary = take(sqlite, "telefon;navn\n32200001;Bo\n32200002;Ida\n32200001;Bo\n")
    assert set(dropped) == {index.name for index in in_use}
    assert (summary.taken, summary.duplicates) == (2, 1)
    assert shape() == before
    dropped.clear()
    summary = take(sqlite, "telefon;navn\n32200001;Bo\n32200002;Ida\n32200003;Per\n")
    assert set(dropped) == {index.name for index in in_use if not index.unique}
    assert (summary.taken, summary.unchanged) == (1, 2)
    assert shape() == before


def written_by(engine: Engine, text: str) -> int:
    """How many statements write the list."""
    told: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *heard: told.append(heard[2]))
    with engine.begin() as tx:
        staged = importer.stage(tx, ImportOrder(KANVAS, text.encode(), {}), NOW.date())
        told.clear()
        importer.write(staged, NOW, by="test")
        count = len(told)
        list_import.close_table(tx)
    assert count > 10
    return count


@pytest.mark.parametrize(
    "changed",
    [
        "K{n};{number};Ida {n};Engvej 1;1980-01-01;nej",
        "K{n};{moved};Bo {n};Lynvej {n};1985-01-01;nej",
        "K{n};12;Bo {n};Lynvej {n};1985-01-01;nej",
        "K{n};{number};Bo {n};Lynvej {n};1980-01-01;ja",
    ],
)
def test_many_changes_are_written_with_as_many_statements_as_few(
    sqlite: Engine, changed: str
) -> None:
    """A server on SQLite waits until the list is written: a statement for each row took it a minute."""
    head, row = (
        "ref;telefon;navn;adresse;født;død\n",
        "K{n};{number};Bo {n};Lynvej {n};1980-01-01;nej",
    )

    def some(form: str, count: int) -> str:
        rows = ((n, 32200000 + n, 32300000 + n) for n in range(1, 401))
        first = [form if n <= count else row for n in range(1, 401)]
        return head + "\n".join(
            line.format(n=n, number=number, moved=moved)
            for line, (n, number, moved) in zip(first, rows, strict=True)
        )

    written_by(sqlite, some(row, 0))
    few = written_by(sqlite, some(changed, 10))
    written_by(sqlite, some(row, 0))
    assert written_by(sqlite, some(changed, 400)) <= few + 5


def test_chunks_count_across_their_borders(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet, "ROWS_AT_ONCE", 7)
    monkeypatch.setattr(sheet, "FIRST_READ", 80)
    text = "ref;telefon\n" + "".join(f"{n % 80};322{n % 80:05}\n" for n in range(100))
    told: list[int] = []
    with engine.begin() as tx:
        order = ImportOrder(KANVAS, text.encode(), {})
        staged = importer.stage(tx, order, NOW.date(), lambda done, *_: told.append(done))
        importer.write(staged, NOW, by="test")
    assert (staged.summary.taken, staged.summary.duplicates) == (80, 20)
    assert (len(told) > 9, told[-1]) == (True, 100)
    assert len({rank for (rank,) in rows(engine, "rank")}) == 80


CELLS = st.sampled_from(
    ["32200001", "32 20 00 02", "+4532200003", "x", "", '"', '"a\nb"', "ja", "2026-01-01", "B\0"]
)
RUBBISH = st.lists(
    st.one_of(
        st.lists(CELLS, min_size=1, max_size=5).map(";".join),
        st.lists(CELLS, min_size=4, max_size=4).map(";".join),
        st.text(max_size=20),
    ),
    max_size=25,
).map("\n".join)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(RUBBISH, st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_nothing_is_lost_whatever_comes(sqlite: Engine, text: str, encoding: str) -> None:
    try:
        raw = ("telefon;navn;medlem;født\n" + text).encode(encoding)
    except UnicodeEncodeError:
        return
    with sqlite.connect() as tx:
        before = tx.execute(select(func.count()).select_from(contacts)).scalar_one()
        summary = import_list(tx, KANVAS, raw, NOW)
        after = tx.execute(select(func.count()).select_from(contacts)).scalar_one()
        tx.rollback()
    counts = summary.counts()
    assert counts["read"] == sum(
        counts[name] for name in ("taken", "unchanged", "duplicates", "refused")
    )
    assert after - before == counts["taken"]
    lines = [row.line for row in summary.refused]
    assert lines == sorted(lines)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_any_bytes_are_counted_or_said_to_be_no_list(sqlite: Engine, raw: bytes) -> None:
    with sqlite.connect() as tx:
        said, summary = "UTF-8", Summary()
        try:
            summary = import_list(tx, KANVAS, b"telefon;navn\n" + raw, NOW)
        except ConfigurationProblem as error:
            said = str(error)
        tx.rollback()
    assert "UTF-8" in said or "names nobody" in said
    assert summary.read >= summary.taken + len(summary.refused)


def test_speed(sqlite: Engine, full: bool) -> None:
    """A guard against a slow mistake, far below what is measured (40,000 rows/s and more)."""
    count = 1_000_000 if full else 20_000
    dice = random.Random(1)
    people = [f"{n};{dice.randrange(32200000, 33000000)};Bo Bech;Vej {n}\n" for n in range(count)]
    text = "ref;telefon;navn;adresse\n" + "".join(people)
    started = time.process_time()  # what else the machine does is not counted
    summary = take(sqlite, text)
    seconds = time.process_time() - started
    assert summary.read == count
    assert count / seconds > 5_000, replace(summary, refused=[])


def test_a_known_person_keeps_country_and_reference(engine: Engine) -> None:
    """The list is sent again without its column of countries, and without leading zeros."""
    take(engine, "ref;navn;telefon;land\n0151;Kari Prove;41234567;Norge\n0152;Bo;32200152;\n")
    again = take(engine, "ref;navn;telefon\n151;Kari Prove;41234567\n152;Bo;32200153\n")
    assert (again.taken, again.unchanged, again.changed) == (0, 1, 1)
    assert rows(engine, "number", "place") == [
        (4741234567, "NO Arctic/Longyearbyen,Europe/Oslo"),
        (4532200153, "DK Europe/Copenhagen"),
    ]


def unclaimed(engine: Engine) -> list[tuple[str, str]]:
    """Campaigns and places of contacts in which the claim does not look."""
    own, place = contacts.c, campaign_places.c
    with engine.connect() as tx:
        query = select(own.campaign, own.place).distinct()
        listed = tx.execute(select(place.campaign, place.place)).all()
        return sorted({(row[0], row[1]) for row in tx.execute(query)} - {(*row,) for row in listed})


@pytest.mark.parametrize(
    "again",
    [
        "ref;navn;telefon;tidszone\n7;Kari Prove;+4741234567;America/Nuuk\n",
        "ref;navn;telefon;tidszone\n7;Kari Prove;32200007;Asia/Tokyo\n",
        "ref;navn;telefon\n7;Kari Prove;+46701234567\n",
        "ref;navn;telefon\n7;Kari Prove;41234567\n",  # read as Norwegian, because it is known as that
    ],
)
def test_who_moves_is_claimed_on_every_list(engine: Engine, again: str) -> None:
    take(engine, "ref;navn;telefon\n7;Kari Prove;+4741234567\n")
    take(engine, again, LEADS)
    assert unclaimed(engine) == []
    assert len({place for _, place in rows(engine, "campaign", "place")}) == 1


def test_who_moves_and_keeps_their_own_zone_is_claimed(engine: Engine) -> None:
    take(engine, "ref;navn;telefon;tidszone\n7;Kari Prove;+4741234567;America/Nuuk\n")
    take(engine, "ref;navn;telefon\n7;Kari Prove;+46701234567\n")
    assert rows(engine, "place") == [("SE America/Nuuk",)]
    assert unclaimed(engine) == []


def seconds_of_second_import(folder: Path, rows: int) -> float:
    """Processor seconds of the same list once more, on SQLite."""
    engine = make_engine(sqlite_file(folder / f"{rows}.db"), durable=False)
    with engine.begin() as tx:
        tx.execute(contacts.delete())
    numbers = "".join(
        f"R{number};Person {number};{20100000 + number};gade\n" for number in range(rows)
    )
    raw = f"ref;navn;telefon;kilde\n{numbers}".encode()
    with engine.begin() as tx:
        import_list(tx, KANVAS, raw, NOW)
        began = time.process_time()
        import_list(tx, KANVAS, raw, NOW)
        took = time.process_time() - began
    engine.dispose()
    return took


def test_a_list_that_is_sent_again_takes_linear_time(tmp_path: Path) -> None:
    """Four times the rows, about four times the time: 16 times if each contact looked at every row."""
    growths = []
    for _ in range(4):  # a busy machine is slow at times; what is quadratic always is
        long, short = (seconds_of_second_import(tmp_path, rows) for rows in (16_000, 4000))
        growths.append(long / short)
        if growths[-1] < 8:
            break
    assert min(growths) < 8


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["K1", "K2", "K3"]),
        st.sampled_from(["Anna Holm", "Bo Lind", "Per Berg"]),
        st.sampled_from(["32200001", "32200002", "32200003"]),
    ),
    min_size=2,
    max_size=7,
)


@given(ROWS)
# At the second number K1 is Bo, whose name another has at the first.
@example([("K1", "Anna", "32200001"), ("K2", "Bo", "32200001"), ("K1", "Bo", "32200002")])
# K2's first row is left out as K1's.
@example([("K1", "Anna", "32200001"), ("K2", "Anna", "32200001"), ("K2", "Bo", "32200002")])
@settings(deadline=None, max_examples=60)
def test_a_list_is_the_same_however_many_rows_are_read_at_once(
    listed: list[tuple[str, str, str]],
) -> None:
    raw = "ref;navn;telefon\n" + "".join(f"{';'.join(row)}\n" for row in listed)
    taken = []
    for at_once in (1, 2, 1000):
        with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
            patch.setattr(sheet, "ROWS_AT_ONCE", at_once)
            patch.setattr(sheet, "FIRST_READ", 20 * at_once)
            engine = make_engine(sqlite_file(Path(folder) / "c.db"), durable=False)
            summary = take(engine, raw)
            taken.append((summary.counts(), rows(engine, "ref", "name", "number", "person")))
            engine.dispose()
    assert taken == [taken[-1]] * 3
