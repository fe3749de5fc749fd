"""The official file beside the lists, on both databases: what a dial is told, in every order of imports."""

import io
import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from callserver.adapters.config_folder import load
from callserver.database import (
    contact_removal,
    contacts,
    register_people,
    register_records,
    registers,
)
from callserver.database.contacts import Contact
from callserver.database.side_connection import side_engine
from callserver.database.store import AnyStore
from callserver.database.tables import (
    contact_addresses,
    register_decisions,
    register_keys,
    register_matches,
)
from callserver.database.tables import contacts as contacts_table
from callserver.database.tables import register_records as records_table
from callserver.domain import permit
from callserver.domain.call import DialPath
from callserver.domain.reason import Reason
from callserver.engine.context import Rules
from callserver.engine.gate import gate
from callserver.engine.gate.stored_facts import DialRequest
from callserver.engine.lists import dry_run, eligibility, importer
from callserver.engine.lists.import_order import ImportOrder
from callserver.engine.suppressions import (
    erasure,
    official_register,
    person_facts,
    public_registers,
    register_matching,
)
from callserver.engine.suppressions.official_register import Loaded
from callserver.errors import Impossible
from callserver.ports import Tx
from tests.harness.robinson import HEADINGS, Invented, official

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)  # a Tuesday, 17:00 in Copenhagen
RULES = Rules(load(Path(__file__).parents[2] / "config"))
SECRET = b"a key"

ASE = Invented("Prøve-Hansen,Åse Marie", "Prøvevej 12,1 TV", house="012", floor="01")
BO = Invented("Prøve,Bo", "Andenvej 3", "9000 Aalborg", mark="*")
OTHERS = [Invented(f"Andersen,Ib{n}", f"Fjernvej {n}", "4000 Roskilde") for n in range(8)]
REGISTER = [ASE, BO, *OTHERS]

HEAD = "ref;navn;telefon;adresse;postnr\n"
LIST = (
    HEAD + "R0;Aase Proeve-Hansen;32200000;Prøvevej 12, 1. tv;8000\n"  # listed
    "R1;Bo Prøve;32200001;Andenvej 3;9000\n"  # a former address
    "R2;Carl Prøve;32200002;Andenvej 3;9000\n"  # another person at it
    "R3;Åse Prøve-Hansen;32200003;;\n"  # no address
    "R4;;32200004;Prøvevej 12;8000\n"  # no name
    "R5;Åse Prøve-Hansen;32200005;Fjernvej 90;1000\n"  # the same name far away
)


def url_of(store: AnyStore) -> str:
    return store.engine.url.render_as_string(hide_password=False)


def take(store: AnyStore, text: str = LIST, campaign: str = "kanvas") -> None:
    """Import a list as commands and pages do."""
    order = ImportOrder(RULES.campaign(campaign), text.encode(), {}, file_name="liste")
    with importer.staged_on_side_connection(url_of(store), order, NOW.date()) as staged:
        importer.import_on_side_connection(
            staged, lambda: NOW, RULES.current, by="user:1", language="da"
        )


def put(
    store: AnyStore,
    people: Iterable[Invented] = REGISTER,
    raw: bytes | None = None,
    *,
    smaller: bool = False,
) -> Loaded:
    """Import an official file, as commands and pages do."""
    lines = io.BytesIO(official(people) if raw is None else raw)
    with side_engine(url_of(store), b"") as engine:
        return official_register.load(
            engine, lines, "robinson", None, NOW, RULES.current, by="user:1", smaller=smaller
        )


def everybody(store: AnyStore) -> list[Contact]:
    query = select(contacts_table.c.id).order_by(contacts_table.c.number, contacts_table.c.id)
    with store.engine.begin() as tx:
        ids = list(tx.execute(query).scalars())
        by_id = contacts.by_ids(tx, ids)
        return [by_id[key] for key in ids]


def answers(store: AnyStore) -> list[str]:
    """The gate's first reason against each contact; the list's answer is the same."""
    reasons = []
    for contact in everybody(store):
        campaign = RULES.campaign(contact.campaign)
        request = DialRequest(contact, campaign, DialPath.EXPLAIN, None, NOW)
        with store.engine.begin() as tx:
            facts = gate.collect(tx, RULES, SECRET, request)
            [bulk] = eligibility.facts_of(tx, RULES, SECRET, campaign, [contact], NOW)
        assert bulk.register == facts.register
        reasons.append(eligibility.first_reason(permit.decide(facts, "a")))
    return reasons


YES, UNSURE, NO = Reason.SUP_EXTERNAL.value, Reason.SUP_EXTERNAL_UNSURE.value, ""
EXPECTED = [YES, UNSURE, NO, UNSURE, UNSURE, NO]


def test_the_list_first(store: AnyStore) -> None:
    take(store)
    assert set(answers(store)) == {"SYS_EXTLIST_STALE"}
    loaded = put(store)
    assert (loaded.content.read, loaded.content.refused) == (10, 0)
    assert {result.name: count for result, count in loaded.results.items()} == {
        "YES": 1,
        "UNSURE": 3,
        "NO": 2,
    }
    assert answers(store) == EXPECTED


def test_the_register_first(store: AnyStore) -> None:
    put(store)
    take(store)
    assert answers(store) == EXPECTED


def test_the_same_file_twice_changes_nothing(store: AnyStore) -> None:
    take(store)
    put(store)
    put(store)
    take(store)
    assert answers(store) == EXPECTED
    with store.engine.begin() as tx:
        assert [row.size for row in registers.every(tx)] == [10]
        for table, most in ((records_table, 10), (register_matches, 6)):
            assert tx.execute(select(func.count()).select_from(table)).scalar() == most
        versions = select(register_keys.c.version).distinct()
        assert len(tx.execute(versions).all()) == 1


def test_another_address_is_compared_again(store: AnyStore) -> None:
    put(store)
    take(store, LIST.replace("R4;;32200004;Prøvevej 12;8000\n", ""))  # who may be anybody there
    expected = [*EXPECTED[:4], NO]
    moved = (
        HEAD
        + "R2;Carl Prøve;32200002;Nyvej 1;8000\nR5;Åse Prøve-Hansen;32200005;Prøvevej 12;8000\n"
    )
    take(store, moved)
    assert answers(store) == [*expected[:4], YES]
    take(store, HEAD + "R5;Åse Prøve-Hansen;32200005;Fjernvej 90;1000\n")
    assert answers(store) == expected
    # A new address without a postcode is not read with the old one's.
    take(store, "ref;navn;telefon;adresse\nR5;Åse Prøve-Hansen;32200005;Prøvevej 12\n")
    assert answers(store) == [*expected[:4], UNSURE]


def test_another_name_is_compared_again(store: AnyStore) -> None:
    put(store)
    take(store)
    take(store, HEAD + "R2;B. C. Prøve;32200002;Andenvej 3;9000\n")
    assert answers(store)[2] == UNSURE


def test_every_list_on_which_a_person_stands_counts(store: AnyStore) -> None:
    """One person, two lists, two addresses: the stricter result holds on both."""
    put(store)
    take(store, HEAD + "R0;Åse Prøve-Hansen;32200000;Fjernvej 90;1000\n")
    assert answers(store) == [NO]
    text = "ref;navn;telefon;adresse;postnr;kilde\nR0;Åse Prøve-Hansen;32200000;Prøvevej 12;8000;gade\n"
    take(store, text, "leads")
    assert answers(store) == [YES, YES]


def test_a_mapped_column_holds_the_address(store: AnyStore) -> None:
    put(store)
    text = "ref;navn;telefon;Bor;Kode\nR0;Åse Prøve-Hansen;32200000;Prøvevej 12;8000\n"
    columns = {"Bor": "address", "Kode": "postcode"}
    order = ImportOrder(RULES.campaign("kanvas"), text.encode(), columns, file_name="liste")
    with importer.staged_on_side_connection(url_of(store), order, NOW.date()) as staged:
        importer.import_on_side_connection(
            staged, lambda: NOW, RULES.current, by="user:1", language="da"
        )
    assert answers(store) == [YES]


def test_lists_from_before_addresses_were_stored_apart(store: AnyStore) -> None:
    take(store)
    with store.engine.begin() as tx:
        tx.execute(contact_addresses.delete())
    put(store)
    assert answers(store) == EXPECTED


def test_a_person_who_was_not_compared_is_unsure(store: AnyStore) -> None:
    take(store)
    put(store)
    with store.engine.begin() as tx:
        tx.execute(register_matches.delete())
    assert answers(store) == [UNSURE] * 6
    register_matching.match_new(store.engine, RULES.current, NOW)
    assert answers(store) == EXPECTED


def test_members_and_consents_are_excepted_as_before(store: AnyStore) -> None:
    put(store)
    text = (
        "ref;navn;telefon;adresse;postnr;medlem\nM0;Åse Prøve-Hansen;32200000;Prøvevej 12;8000;ja\n"
    )
    take(store, text)
    assert answers(store) == [NO]
    take(store, HEAD + "R1;Bo Prøve;32200001;Andenvej 3;9000\n")
    assert answers(store) == [NO, UNSURE]
    number = 4532200001
    with store.engine.begin() as tx:
        known = person_facts.find(tx, number, None)
        person_facts.consent(
            tx, number, known, "user:1", NOW, at=NOW - timedelta(days=1), proof="x"
        )
    assert answers(store) == [NO, NO]


def test_a_file_that_has_grown_too_old_stops_everybody(store: AnyStore) -> None:
    take(store)
    headings = [HEADINGS[0].replace("01.04.2026", "01.02.2026"), HEADINGS[1]]
    put(store, raw=official(REGISTER, headings))  # 100 days and some hours before
    assert set(answers(store)) == {"SYS_EXTLIST_STALE"}


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (official(REGISTER, ["ROBINSON", HEADINGS[1]]), "no date of issue"),
        (official(REGISTER, ["ROBINSON 20260601"]), "future"),
        (official([], HEADINGS), "no people"),
        (official(REGISTER[:4]), "--smaller"),
        (official([ASE]) + b"x" * 160 + b"\n" + b"y\n", "cannot be read"),
        (official(REGISTER)[:400], "--smaller"),  # a download that broke off
    ],
)
def test_a_broken_file_replaces_nothing(store: AnyStore, raw: bytes, words: str) -> None:
    take(store)
    put(store)
    with pytest.raises(Impossible, match=words):
        put(store, raw=raw)
    assert answers(store) == EXPECTED
    with store.engine.begin() as tx:
        assert [(row.size, row.active) for row in registers.every(tx)] == [(10, True)]
        assert tx.execute(select(func.count()).select_from(records_table)).scalar() == 10


def test_a_bad_record_is_counted_and_the_others_protect(store: AnyStore) -> None:
    take(store)
    loaded = put(store, raw=official(REGISTER) + b"half a rec")
    assert (loaded.content.refused, loaded.content.problems[0].line) == (1, 13)
    assert answers(store) == EXPECTED


def test_the_loader_pauses_after_each_part(
    store: AnyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's lock goes to the process that looks first; without pauses the loader nearly always does."""
    take(store)
    written: list[int] = []
    pauses: list[float] = []
    write = register_records.write_keys

    def wrote(tx: Tx, version: int, after: int, until: int) -> None:
        write(tx, version, after, until)
        assert len(pauses) >= len(written), "the part before this one has been paused after"
        pauses.clear()
        written[:] = [after]

    monkeypatch.setattr(official_register, "KEYS_CHUNK", 5)
    monkeypatch.setattr(register_records, "write_keys", wrote)
    monkeypatch.setattr(time, "sleep", pauses.append)
    put(store)
    assert written[0] > 5


def test_an_import_that_dies_changes_nothing(
    store: AnyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(store)
    put(store)

    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(public_registers, "put_into_force", dies)
    with pytest.raises(KeyboardInterrupt):
        put(store, [*OTHERS, *OTHERS])
    assert answers(store) == EXPECTED


def test_an_import_that_fails_behind_the_exchange_leaves_its_issue_in_force(
    store: AnyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(store)

    def dies(_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(register_matching, "reopen_in_parts", dies)
        with pytest.raises(KeyboardInterrupt):
            put(store)
    assert answers(store) == EXPECTED


def test_a_contact_that_leaves_its_list_leaves_no_address(store: AnyStore) -> None:
    take(store)
    put(store)
    text = LIST.replace("postnr\n", "postnr;kilde\n").replace(";8000\n", ";8000;gade\n")
    take(store, "\n".join(text.splitlines()[:2]) + "\n", "leads")
    first, *others = everybody(store)
    ids = [contact.id for contact in (first, *others) if contact.campaign == "kanvas"]
    with store.engine.begin() as tx:
        assert contact_removal.remove(tx, ids, contact_removal.never_called, NOW) == 6
        addresses = select(contact_addresses.c.person, contact_addresses.c.campaign)
        assert [tuple(row) for row in tx.execute(addresses)] == [(first.person, "leads")]
        assert tx.execute(select(register_matches.c.person)).scalars().all() == [first.person]
    assert answers(store) == [YES]


def test_a_dry_run_compares_as_well(store: AnyStore) -> None:
    put(store)
    order = ImportOrder(RULES.campaign("kanvas"), LIST.encode(), {}, file_name="liste")
    with importer.staged_on_side_connection(url_of(store), order, NOW.date()) as staged:
        reasons = dry_run.dry_run(staged, RULES, SECRET, NOW)
    assert reasons == Counter(EXPECTED)
    take(store)
    moved = LIST.replace("Fjernvej 90;1000", "Prøvevej 12;8000")
    order = ImportOrder(RULES.campaign("kanvas"), moved.encode(), {}, file_name="liste")
    with importer.staged_on_side_connection(url_of(store), order, NOW.date()) as staged:
        reasons = dry_run.dry_run(staged, RULES, SECRET, NOW)
    assert answers(store) == EXPECTED
    # R4 has no name, and may be the listed person who would live there too.
    assert reasons == Counter([*EXPECTED[:4], YES, YES])
    take(store, moved)
    assert Counter(answers(store)) == reasons


# -- review ------------------------------------------------------------------------------------------


def test_an_erased_person_leaves_nothing_behind(store: AnyStore) -> None:
    take(store)
    put(store)
    person = everybody(store)[0].person
    with store.engine.begin() as tx:
        known = person_facts.find(tx, 4532200000, None)
        register_people.decide(tx, person, [1], 2, NOW, "user:1", same=False)
        erasure.erase(tx, 4532200000, known, SECRET, "user:1", NOW)
    with store.engine.begin() as tx:
        for table in (contact_addresses, register_matches, register_decisions):
            rows = select(func.count()).where(table.c.person == person)
            assert tx.execute(rows).scalar() == 0
    assert answers(store)[0] == "NUM_INVALID"  # the number itself is gone


def test_an_older_issue_is_confirmed(store: AnyStore) -> None:
    put(store)
    older = official(REGISTER).replace(b"01.04.2026", b"01.01.2026")
    with pytest.raises(Impossible, match="--older"):
        put(store, raw=older)
    with side_engine(url_of(store), b"") as engine:
        lines = io.BytesIO(older)
        official_register.load(
            engine, lines, "robinson", None, NOW, RULES.current, by="user:1", older=True
        )
