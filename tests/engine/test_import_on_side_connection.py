"""A list that is imported beside a server: the same rows, a dry run, and nothing half written."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from callserver.adapters.config_folder import load
from callserver.database import audit, former_identifiers, listed_places, suppressions
from callserver.database import contacts as known_contacts
from callserver.database import imports as history
from callserver.database.contacts import Contact
from callserver.database.store import AnyStore
from callserver.database.tables import campaign_places, contacts, imports, marks, registers
from callserver.domain import subject
from callserver.domain.contact_status import ContactStatus
from callserver.domain.facts import Scope
from callserver.domain.identity import NOBODY
from callserver.domain.reason import Reason
from callserver.domain.retention import RetentionClass, RetentionPolicy
from callserver.engine.context import Rules
from callserver.engine.lists import eligibility, importer, listed_consents, removal
from callserver.engine.lists.dry_run import dry_run
from callserver.engine.lists.import_order import ImportOrder
from callserver.engine.lists.importer import import_list
from callserver.engine.suppressions import erasure, person_facts
from callserver.ports import Tx
from tests.harness.retention import drop_some

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)  # a Tuesday, 17:00 in Copenhagen
RULES = Rules(load(Path(__file__).parents[2] / "config"))
SECRET = b"a key"
ROWS = "".join(f"R{n};{32200000 + n};P {n};Vej {n // 2};1980-01-01;By {n}\n" for n in range(60))
FILE = (
    f"ref;telefon;navn;adresse;født;by\n{ROWS}"
    "R1;32200001;P 1;Vej 0;1980-01-01;igen\n"
    "X;12;Kort;Vej;1980-01-01;x\n"
    "Y;32209999;=Formel;Vej;01/02/1980;y\n"
).encode()


def order(campaign: str = "kanvas", raw: bytes = FILE, **more: Any) -> ImportOrder:
    values: dict[str, Any] = {"columns": {}, "ignored": (), "region": "DK", **more}
    return ImportOrder(RULES.campaign(campaign), raw, **values)


def quietly(done: int, of: int, what: str) -> None:
    assert what.startswith(("lists.", "rules."))
    assert 0 <= done <= (of or done)  # 0: unknown


def take(url: str, asked: ImportOrder) -> tuple[int, Any]:
    with importer.staged_on_side_connection(url, asked, NOW.date(), quietly) as staged:
        number = importer.import_on_side_connection(
            staged, lambda: NOW, RULES.current, by="user:1", language="da", progress=quietly
        )
    return number, staged.summary


def rows(store: AnyStore, *but: str) -> list[Any]:
    columns = [column for column in contacts.c if column.name not in ("id", *but)]
    with store.engine.begin() as tx:
        return sorted(map(tuple, tx.execute(select(*columns))), key=str)


@pytest.mark.parametrize("campaign", ["kanvas", "leads", "afmeldte"])
def test_both_ways_take_the_same(store: AnyStore, database_url: str, campaign: str) -> None:
    raw = FILE.replace("født".encode(), b"ended") if campaign == "afmeldte" else FILE
    with store.engine.begin() as tx:
        by_command = import_list(tx, RULES.campaign(campaign), raw, NOW)
    first = rows(store, "imported", "source")
    sources = {row[-1] for row in rows(store)}
    with store.engine.begin() as tx:
        tx.execute(contacts.delete())
        tx.execute(campaign_places.delete())
    number, summary = take(database_url, order(campaign, raw))
    assert rows(store, "imported", "source") == first
    assert len(sources) == 1
    assert summary.counts() == by_command.counts()
    assert summary.counts() == {
        **summary.counts(),
        "read": 63,
        "taken": 60,
        "duplicates": 1,
        "refused": 2,
        "shared": 60,
    }
    with store.engine.begin() as tx:
        kept = tx.execute(select(imports).where(imports.c.id == number)).one()
        assert tx.execute(select(campaign_places.c.place)).scalars().all() == [
            "DK Europe/Copenhagen"
        ]
        entry = list(audit.entries(tx))[-1][1].decode()
        source = tx.execute(select(contacts.c.source).distinct()).scalars().all()
    assert source == [None if campaign == "leads" else "en liste fra 12. maj 2026"]
    assert (kept.by, kept.counts["taken"]) == ("user:1", 60)
    assert '"by":"user:1"' in entry
    text = kept.refused.decode("utf-8-sig")
    assert text.splitlines()[1].startswith("X;12;Kort;")
    assert ";'=Formel;" in text  # no spreadsheet runs it


def test_the_same_file_again_changes_nothing(store: AnyStore, database_url: str) -> None:
    take(database_url, order())
    before = rows(store)
    _, summary = take(database_url, order())
    assert (summary.taken, summary.unchanged) == (0, 60)
    assert rows(store) == before


def test_a_dry_run_says_what_the_import_does(store: AnyStore, database_url: str) -> None:
    more = ROWS.replace("R", "N").replace("32200", "32211").encode()
    head = FILE.splitlines(keepends=True)[0]
    take(database_url, order())
    take(database_url, order("opgradering", head + more))
    with store.engine.begin() as tx:
        for number in (4532211000, 4532211001, 4532200003):
            suppressions.add(tx, subject.of_number(number), Scope.NUMBER, NOW, "test")
        tx.execute(insert(registers).values(name="robinson", washed_at=NOW, active=True))
    before = rows(store)
    both = order("kanvas", FILE + more)
    with importer.staged_on_side_connection(database_url, both, NOW.date(), quietly) as staged:
        callable_of = dry_run(staged, RULES, SECRET, NOW, quietly)
    said = staged.summary
    assert rows(store) == before
    assert callable_of == {eligibility.ALLOWED: 117, "SUP_NUMBER": 3}
    assert said.elsewhere == {"opgradering": 60}
    _, summary = take(database_url, both)
    assert summary.counts() == said.counts()
    assert summary.elsewhere == said.elsewhere
    with store.engine.begin() as tx:
        counted = eligibility.tally(tx, RULES, SECRET, RULES.campaign("kanvas"), NOW)
    assert counted == callable_of


def test_columns_are_named_or_left_out(store: AnyStore, database_url: str) -> None:
    raw = b"id,mit nummer,navn\n7,32200001,Anna\n8,32200001,Anna\n"
    asked = order(raw=raw, columns={"mit nummer": "phone"}, ignored=("ref",))
    _, summary = take(database_url, asked)
    assert summary.counts()["duplicates"] == 1  # without references, it is the same Anna
    with store.engine.begin() as tx:
        row = tx.execute(select(contacts.c.ref, contacts.c.fields)).one()
    assert row == (None, {"id": "7"})


def test_an_import_that_dies_leaves_nothing(
    store: AnyStore, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: Any, **__: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(listed_places, "add", dies)
    with pytest.raises(OSError, match="disk"):
        take(database_url, order())
    assert rows(store) == []
    with store.engine.begin() as tx:
        assert tx.execute(select(imports)).all() == []
        assert history.history(tx) == []


def test_refused_rows_are_kept_for_a_while(store: AnyStore, database_url: str) -> None:
    number, _ = take(database_url, order())
    with store.engine.begin() as tx:
        assert history.refused_rows(tx, number) is not None
        policy = RetentionPolicy()
        for later, kept in ((NOW, True), (NOW.replace(year=2027), False)):
            drop_some(tx, policy, RetentionClass.REFUSED_ROWS, later, "test")
            assert (history.refused_rows(tx, number) is not None) == kept
        assert [row.kept for row in history.history(tx)] == [False]


def test_who_is_erased_while_a_list_is_compared_stays_erased(
    store: AnyStore, database_url: str
) -> None:
    """What the list says about them is not stored again."""
    take(database_url, order())
    moved = order(raw="ref;telefon;navn;født\nR1;32201234;P 1;1980-01-01\n".encode())
    with store.engine.begin() as tx:
        known = known_contacts.by_number(tx, 4532200001)
    with importer.staged_on_side_connection(database_url, moved, NOW.date(), quietly) as staged:
        with store.engine.begin() as tx:
            erasure.erase(tx, 4532200001, known, SECRET, "user:1", NOW)
        importer.import_on_side_connection(
            staged, lambda: NOW, RULES.current, by="user:1", language="da", progress=quietly
        )
    with store.engine.begin() as tx:
        stored = known_contacts.get(tx, known[0].id)
    assert stored is not None
    assert (stored.number, stored.name, stored.born) == (NOBODY, None, None)
    assert (stored.status, stored.reason) == ("closed", "PERSON_ERASED")


def test_who_is_removed_while_a_list_is_compared_is_taken_as_new(
    store: AnyStore, database_url: str
) -> None:
    take(database_url, order())
    moved = order(raw=b"ref;telefon;navn\nR1;32201234;P 1\nR2;32200002;P 2\n")
    with store.engine.begin() as tx:
        (known,) = known_contacts.by_number(tx, 4532200001)
    with importer.staged_on_side_connection(database_url, moved, NOW.date(), quietly) as staged:
        with store.engine.begin() as tx:
            removal.remove(tx, known.id, "listed twice", "user:1", NOW)
        importer.import_on_side_connection(
            staged, lambda: NOW, RULES.current, by="user:1", language="da", progress=quietly
        )
    counts = staged.summary.counts()
    assert (counts["taken"], counts["changed"], counts["unchanged"]) == (1, 0, 1)
    with store.engine.begin() as tx:
        assert [row.ref for row in known_contacts.by_number(tx, 4532201234)] == ["R1"]


@pytest.mark.parametrize("campaign", ["kanvas", "lapsed"])
def test_of_two_lists_at_once_the_one_that_is_written_last_is_the_newer(
    store: AnyStore, database_url: str, campaign: str
) -> None:
    """The person is known by neither when it is compared."""
    text = "ref;navn;telefon;medlem\nR1;Ane Prove;{};{}\nR2;Bo Prove;32200102;1\n"
    last = order(campaign, text.format(32200109, 1).encode())
    with importer.staged_on_side_connection(database_url, last, NOW.date(), quietly) as staged:
        take(database_url, order(raw=text.format(32200101, 0).encode()))
        importer.import_on_side_connection(
            staged, lambda: NOW, RULES.current, by="user:1", language="da", progress=quietly
        )
    with store.engine.begin() as tx:
        said = tx.execute(
            select(contacts.c.number, contacts.c.member).where(contacts.c.ref == "R1")
        )
        assert set(said) == {(4532200109, True)}
        assert former_identifiers.at_number(tx, 4532200101)
    counts = staged.summary.counts()
    assert (counts["taken"], counts["changed"], counts["unchanged"]) == (
        (0, 1, 1) if campaign == "kanvas" else (2, 0, 0)
    )


LEADS = "ref;navn;telefon;samtykke dato;kilde\n" + "".join(
    f"L{n};Prøve {n};3220000{n};01-05-2026;gademøde\n" for n in range(5)
)


def given(tx: Tx) -> int:
    return tx.execute(select(func.count()).where(marks.c.kind == "consent_given")).scalar_one()


def test_consents_of_a_list_are_recorded_in_parts_and_what_is_missing_by_the_same_list(
    store: AnyStore, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that dials waits for one part at most. Whom it refused meanwhile is open again."""
    monkeypatch.setattr(listed_consents, "PART", 2)
    write, begun = person_facts.write_consent, 0

    def breaks_off(tx: Tx, known: Sequence[Contact], *args: Any, **more: Any) -> None:
        nonlocal begun
        begun += 1
        if begun == 4:
            raise OSError("the disk is full")
        write(tx, known, *args, **more)

    monkeypatch.setattr(person_facts, "write_consent", breaks_off)
    with pytest.raises(OSError, match="full"):
        take(database_url, order("leads", LEADS.encode()))
    with store.engine.begin() as tx:
        assert given(tx) == 2
        (last,) = known_contacts.by_number(tx, 4532200004)
        reason = Reason.SUP_CONSENT_MISSING.value
        known_contacts.set_status(tx, last.id, ContactStatus.CLOSED, reason=reason)
    _, summary = take(database_url, order("leads", LEADS.encode()))
    assert (summary.consents, summary.unchanged) == (3, 5)
    with store.engine.begin() as tx:
        assert given(tx) == 5
        reopened = known_contacts.get(tx, last.id)
    assert reopened is not None
    assert reopened.status == ContactStatus.READY
