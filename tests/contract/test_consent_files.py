"""A file of consents: what is recorded, and what is refused, on SQLite and PostgreSQL."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select

from callserver.database import contacts as contact_rows
from callserver.database.store import AnyStore
from callserver.database.tables import contacts, marks
from callserver.domain import subject
from callserver.domain.facts import Scope
from callserver.engine.lists import consent_files
from callserver.engine.lists.consent_files import Consents
from callserver.engine.suppressions import opt_outs
from callserver.engine.suppressions.opt_outs import Origin
from callserver.errors import ConfigurationProblem
from callserver.ports import Tx

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
ANNA, BO, SHARED = "32200001", "32200002", "32200003"


def person(tx: Tx, number: str, name: str, ref: str | None = None) -> int:
    key = subject.person_key(ref, int(f"45{number}"), name)
    values = {
        "campaign": "kanvas",
        "person": key,
        "household": 1,
        "number": int(f"45{number}"),
        "place": "DK Europe/Copenhagen",
        "rank": 1,
        "status": "ready",
        "name": name,
        "ref": ref,
    }
    tx.execute(insert(contacts).values(values))
    return key


def take(tx: Tx, *rows: str, header: str = "mobil;navn;medlemsnr;dato;samtykke;bevis") -> Consents:
    return consent_files.take(
        lambda: nullcontext(tx), "\n".join((header, *rows)).encode(), "user:1", NOW
    )


def recorded(tx: Tx) -> Sequence[tuple[str, str]]:
    query = select(marks.c.subject, marks.c.kind).order_by(marks.c.id)
    return [(row.subject, row.kind) for row in tx.execute(query)]


def test_consents_are_given_and_taken_back(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        anna, bo = person(tx, ANNA, "Anna Prøve"), person(tx, BO, "Bo Bech", "M7")
        result = take(
            tx,
            f"{ANNA};Anna Prøve;;01-05-2026;givet;formular 7",
            f"{BO};;M7;2026-05-02;trukket tilbage;",
        )
        assert (result.read, result.given, result.revoked, result.refused) == (2, 1, 1, [])
        assert recorded(tx) == [
            (subject.of_person(bo), "consent_revoked"),  # what protects comes first
            (subject.of_person(anna), "consent_given"),
        ]
        again = take(tx, f"{ANNA};Anna Prøve;;01-05-2026;ja;formular 7")
        assert (again.given, again.unchanged) == (0, 1)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f"{SHARED};;;01-05-2026;ja;", "several_people"),
        (f"{SHARED};Clara Prøve;;01-05-2026;ja;", "nobody_known"),
        (f"{ANNA};Anna Prøve;;01-06-2026;ja;", "consent_in_the_future"),
        (f"{ANNA};Anna Prøve;;;ja;", "not_a_date"),
        (f"{ANNA};Anna Prøve;;01-05-2026;maybe;", "not_an_event"),
        ("12;Anna Prøve;;01-05-2026;ja;", "number_invalid"),
        (f"{ANNA};Anna Prøve", "cells"),
        ("32209999;Nobody;;01-05-2026;ja;", "nobody_known"),
    ],
)
def test_a_consent_that_is_not_certain_permits_nothing(
    store: AnyStore, row: str, reason: str
) -> None:
    with store.engine.begin() as tx:
        person(tx, ANNA, "Anna Prøve")
        person(tx, SHARED, "Dora Prøve")
        person(tx, SHARED, "Ejler Prøve")
        result = take(tx, row)
        assert [refused.reason for refused in result.refused] == [reason]
        assert recorded(tx) == []


def test_a_consent_ends_no_opt_out(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        person(tx, ANNA, "Anna Prøve")
        rows = contact_rows.by_number(tx, int(f"45{ANNA}"))
        origin = Origin(by="user:1", at=NOW - timedelta(days=30))
        opt_outs.add(tx, [Scope.PERSON], None, rows, b"key", origin)
        result = take(tx, f"{ANNA};Anna Prøve;;01-05-2026;ja;")
        assert [refused.reason for refused in result.refused] == ["consent_ends_opt_out"]
        earlier = take(tx, f"{ANNA};Anna Prøve;;01-02-2026;ja;")
        assert earlier.given == 1


def test_a_consent_taken_back_holds_for_everybody_it_may_mean(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        dora, ejler = person(tx, SHARED, "Dora Prøve"), person(tx, SHARED, "Ejler Prøve")
        assert take(tx, f"{SHARED};;;01-05-2026;nej;").revoked == 1
        assert {about for about, _ in recorded(tx)} == {
            subject.of_person(dora),
            subject.of_person(ejler),
        }
        assert take(tx, "32209999;;;01-05-2026;nej;").revoked == 1  # known as nobody's: the number


def test_a_file_without_the_columns_is_refused(store: AnyStore) -> None:
    with (
        store.engine.begin() as tx,
        pytest.raises(ConfigurationProblem, match="missing: date, event"),
    ):
        take(tx, ANNA, header="mobil")


def test_a_row_that_says_both_counts_as_taken_back(store: AnyStore) -> None:
    header = "mobil;navn;medlemsnr;dato;samtykke;bevis;Ring ikke"
    with store.engine.begin() as tx:
        anna, bo = person(tx, ANNA, "Anna Prøve"), person(tx, BO, "Bo Bech")
        result = take(
            tx,
            f"{ANNA};Anna Prøve;;01-05-2026;ja;formular 7;ja",
            f"{BO};Bo Bech;;01-05-2026;ja;formular 7;nej",
            header=header,
        )
        assert (result.given, result.revoked, result.refused) == (1, 1, [])
        assert recorded(tx) == [
            (subject.of_person(anna), "consent_revoked"),
            (subject.of_person(bo), "consent_given"),
        ]


@pytest.mark.parametrize(
    "row",
    [
        f"{ANNA} / {BO};;;;nej;",
        f"{ANNA} lok. 2, tlf. {BO};;;;trukket;",
        f"{ANNA}, {BO};;;ukendt;nein;",
    ],
)
def test_one_that_is_taken_back_counts_at_every_number_that_can_be_read(
    store: AnyStore, row: str
) -> None:
    """The row is refused all the same, so that somebody looks at it."""
    with store.engine.begin() as tx:
        people = {person(tx, ANNA, "Anna Prøve"), person(tx, BO, "Bo Bech")}
        result = take(tx, row)
        assert len(result.refused) == 1
        assert set(recorded(tx)) == {(subject.of_person(key), "consent_revoked") for key in people}


@pytest.mark.parametrize(
    ("cells", "refused"),
    [
        (f"32209999;{ANNA}", []),
        (f";{ANNA}", []),
        (f"32209999 / {ANNA};", ["number_several"]),
        (f"{ANNA};3220999", ["number_invalid"]),
    ],
)
def test_one_that_is_taken_back_counts_in_every_column_of_numbers(
    store: AnyStore, cells: str, refused: list[str]
) -> None:
    with store.engine.begin() as tx:
        anna = subject.of_person(person(tx, ANNA, "Anna Prøve"))
        result = take(tx, f"{cells};2026-05-02;nej", header="telefon;mobil;dato;samtykke")
        assert (anna, "consent_revoked") in recorded(tx)
        assert [row.reason for row in result.refused] == refused


def test_a_consent_is_given_in_the_second_column_where_the_first_is_empty(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        anna = subject.of_person(person(tx, ANNA, "Anna Prøve"))
        assert take(tx, f";{ANNA};2026-05-02;ja", header="telefon;mobil;dato;samtykke").given == 1
        assert recorded(tx) == [(anna, "consent_given")]


def test_a_consent_is_given_to_no_second_number(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        person(tx, ANNA, "Anna Prøve")
        result = take(tx, f"{ANNA} / {BO};;;01-05-2026;ja;")
        assert (len(result.refused), recorded(tx)) == (1, [])


def test_a_long_file_is_recorded_in_parts_and_what_protects_comes_first(
    store: AnyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is called in between for a consent that the same file takes back."""
    monkeypatch.setattr(consent_files, "PART", 1)
    with store.engine.begin() as tx:
        anna, bo = person(tx, ANNA, "Anna Prøve"), person(tx, BO, "Bo Bech")
    rows = [
        f"{ANNA};Anna Prøve;;01-05-2026;givet;",
        f"{BO};Bo Bech;;01-05-2026;givet;",
        f"{ANNA};Anna Prøve;;05-05-2026;trukket;",
    ]
    raw = "\n".join(("mobil;navn;medlemsnr;dato;samtykke;bevis", *rows)).encode()
    after_each: list[Sequence[tuple[str, str]]] = []

    @contextmanager
    def part() -> Iterator[Tx]:
        with store.engine.begin() as tx:
            yield tx
            after_each.append(recorded(tx))

    result = consent_files.take(part, raw, "user:1", NOW)
    assert (result.read, result.given, result.revoked) == (3, 2, 1)
    back, one, other = (
        (subject.of_person(anna), "consent_revoked"),
        (subject.of_person(anna), "consent_given"),
        (subject.of_person(bo), "consent_given"),
    )
    assert after_each == [[], [back], [back, one], [back, one, other]]


def test_a_row_that_may_be_about_others_stops_the_file_before_anything_is_recorded(
    store: AnyStore,
) -> None:
    rows = [f"{ANNA};Anna Prøve;;01-05-2026;givet;", "Må ikke ringes op:;;;;;"]
    with store.engine.begin() as tx:
        person(tx, ANNA, "Anna Prøve")
        with pytest.raises(ConfigurationProblem, match="line 3"):
            take(tx, *rows)
        assert recorded(tx) == []
