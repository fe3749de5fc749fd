"""The official file beside the lists, on both databases: what a dial is told, in every order of imports."""

import io
import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from callserver.adapters.config_folder import load
from callserver.database import audit, contact_removal, contacts, register_people, registers
from callserver.database.contacts import Contact
from callserver.database.side_connection import side_engine
from callserver.database.store import AnyStore
from callserver.database.tables import (
    contact_addresses,
    register_decisions,
    register_keys,
    register_matches,
    register_records,
)
from callserver.database.tables import contacts as contacts_table
from callserver.domain import permit
from callserver.domain.call import DialPath
from callserver.domain.contact_status import ContactStatus
from callserver.domain.reason import Reason
from callserver.engine.context import Rules
from callserver.engine.gate import gate
from callserver.engine.gate.stored_facts import DialRequest
from callserver.engine.lists import dry_run, eligibility, importer
from callserver.engine.lists.importer import ImportOrder
from callserver.engine.suppressions import (
    erasure,
    official_register,
    person_facts,
    public_registers,
    register_matching,
    register_review,
)
from callserver.engine.suppressions.official_register import Loaded
from callserver.engine.suppressions.register_review import Review
from callserver.errors import Impossible, NotFound
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
    with side_engine(url_of(store)) as engine:
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
        for table, most in ((register_records, 10), (register_matches, 6)):
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


def test_another_spelling_of_the_same_person_is_no_way_round(store: AnyStore) -> None:
    """Another list, without a reference and with another address: the number says that it may be them."""
    put(store)
    take(store, HEAD + "R0;Åse Prøve-Hansen;32200000;Prøvevej 12;8000\n")
    text = "navn;telefon;adresse;postnr;kilde\nÅ. Hansen;32200000;Fjernvej 90;1000;gade\n"
    take(store, text, "leads")
    assert answers(store) == [YES, YES]
    take(store, HEAD + "R1;Bo Prøve;32200001;Andenvej 3;9000\n")
    take(store, text.replace("Å. Hansen;32200000", "B. Prøve;32200001"), "leads")
    assert answers(store) == [YES, YES, UNSURE, UNSURE]
    with store.engine.begin() as tx:
        closed = {"status": ContactStatus.CLOSED, "reason": UNSURE}
        tx.execute(update(contacts_table).values(**closed))
    decide(store, everybody(store)[2].id, is_listed=False)
    assert answers(store) == [YES, YES, NO, NO]
    assert [contact.status for contact in everybody(store)][2:] == ["ready", "ready"]


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
        assert tx.execute(select(func.count()).select_from(register_records)).scalar() == 10


def test_a_bad_record_is_counted_and_the_others_protect(store: AnyStore) -> None:
    take(store)
    loaded = put(store, raw=official(REGISTER) + b"half a rec")
    assert (loaded.content.refused, loaded.content.problems[0].line) == (1, 13)
    assert answers(store) == EXPECTED


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


def test_contacts_that_were_closed_as_unsure_are_dialed_again(store: AnyStore) -> None:
    take(store)
    put(store)
    with store.engine.begin() as tx:
        closed = {"status": ContactStatus.CLOSED, "reason": UNSURE}
        tx.execute(update(contacts_table).values(**closed))
    put(store, [ASE, *OTHERS], smaller=True)  # the former address is older than three years now
    states = [(contact.status, contact.reason) for contact in everybody(store)]
    assert states[1] == ("ready", None)
    assert states[3] == ("closed", UNSURE)
    with store.engine.begin() as tx:
        public_registers.load_within(
            tx, [4532299999], "robinson", NOW, NOW, RULES.current, by="test", smaller=True
        )
    assert {contact.status for contact in everybody(store)} == {"ready"}  # numbers name nobody
    assert set(answers(store)) == {NO}
    with store.engine.begin() as tx:
        assert tx.execute(select(func.count()).select_from(register_keys)).scalar() == 0


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


def review(store: AnyStore) -> Review:
    with store.engine.begin() as tx:
        return register_review.to_decide(tx, RULES.current, lambda _: True)


def decide(store: AnyStore, contact: int, *, is_listed: bool, state: str | None = None) -> None:
    with store.engine.begin() as tx:
        register_review.decide(
            tx,
            contact,
            RULES.current,
            lambda _: True,
            NOW,
            by="user:7",
            is_listed=is_listed,
            state=state,
        )


def test_both_records_are_shown(store: AnyStore) -> None:
    take(store)
    put(store)
    shown = review(store)
    assert (shown.unsure, shown.incomparable) == (3, 1)
    by_name = {person.rows[0].person.name: person for person in shown.people}
    assert by_name.keys() == {"Bo Prøve", "Åse Prøve-Hansen"}
    [candidate] = by_name["Bo Prøve"].candidates
    assert (candidate.entry.record.name, candidate.entry.record.is_former) == ("Prøve,Bo", True)


@pytest.mark.parametrize("is_listed", [True, False])
def test_a_decision_holds_at_the_next_dial_and_for_the_next_issue(
    store: AnyStore, *, is_listed: bool
) -> None:
    take(store)
    put(store)
    with store.engine.begin() as tx:
        closed = {"status": ContactStatus.CLOSED, "reason": UNSURE}
        tx.execute(update(contacts_table).values(**closed))
    [bo] = [person for person in review(store).people if person.rows[0].person.name == "Bo Prøve"]
    decide(store, bo.rows[0].contact, is_listed=is_listed, state=bo.state)
    decided = YES if is_listed else NO
    assert answers(store) == [YES, decided, NO, UNSURE, UNSURE, NO]
    assert everybody(store)[1].status == "ready"
    with store.engine.begin() as tx:
        entries = audit.about(tx, contact=bo.rows[0].contact)
    [entry] = [entry for entry in entries if entry["kind"] == "register_decided"]
    assert {key: entry[key] for key in ("contact", "listed", "by", "register")} == {
        "contact": bo.rows[0].contact,
        "listed": is_listed,
        "by": "user:7",
        "register": "robinson",
    }
    assert "Prøve" not in json.dumps(entry, ensure_ascii=False)
    put(store)  # the next issue, with the same entry
    assert answers(store)[1] == decided
    assert "Bo Prøve" not in {person.rows[0].person.name for person in review(store).people}
    put(store, [ASE, BO._replace(mark="", address="Andenvej 3,1"), *OTHERS])  # it has changed
    assert answers(store)[1] == YES  # the present address now
    put(store, [ASE, BO._replace(address="Andenvej 3,1"), *OTHERS])
    assert answers(store)[1] == UNSURE
    put(store, [ASE, *OTHERS])  # it is gone
    assert answers(store)[1] == NO


def test_a_no_is_about_the_persons_details_of_then(store: AnyStore) -> None:
    take(store)
    put(store)
    bo = everybody(store)[1].id
    decide(store, bo, is_listed=False)
    assert answers(store)[1] == NO
    take(store, HEAD + "R1;Bo Prøve;32200001;Andenvej 3, 2. th;9000\n")
    assert answers(store)[1] == UNSURE
    take(store, HEAD + "R1;Bo Prøve;32200001;Andenvej 3;9000\n")
    assert answers(store)[1] == NO


def test_a_yes_is_about_the_person(store: AnyStore) -> None:
    take(store)
    put(store)
    bo = everybody(store)[1].id
    decide(store, bo, is_listed=True)
    take(store, HEAD + "R1;Bo Prøve;32200001;Andenvej 3, 2. th;9000\n")
    assert answers(store)[1] == YES
    decide(store, bo, is_listed=False)  # a second thought
    assert answers(store)[1] == NO


def test_what_was_shown_has_to_be_what_is_there(store: AnyStore) -> None:
    take(store)
    put(store)
    [bo] = [person for person in review(store).people if person.rows[0].person.name == "Bo Prøve"]
    contact = bo.rows[0].contact
    put(store, [ASE, BO._replace(address="Andenvej 3,1"), *OTHERS])
    with pytest.raises(Impossible, match="changed"):
        decide(store, contact, is_listed=False, state=bo.state)
    assert answers(store)[1] == UNSURE
    with pytest.raises(Impossible, match="nothing is unsure"):  # listed beyond doubt
        decide(store, everybody(store)[0].id, is_listed=False)
    with pytest.raises(NotFound):
        decide(store, 10_000, is_listed=False)
    with store.engine.begin() as tx, pytest.raises(NotFound):
        register_review.of_contact(tx, contact, RULES.current, lambda _: False)


def test_somebody_without_a_name_can_be_decided(store: AnyStore) -> None:
    take(store)
    put(store)
    nameless = everybody(store)[4].id
    decide(store, nameless, is_listed=False)
    assert answers(store)[4] == NO
    put(store)
    assert answers(store)[4] == NO
    take(store, HEAD + "R4;Åse Prøve-Hansen;32200004;Prøvevej 12;8000\n")
    assert answers(store)[4] == YES


def test_people_whom_no_register_concerns_are_not_shown(store: AnyStore) -> None:
    put(store)
    text = "ref;navn;telefon;adresse;postnr;medlem\nM0;Bo Prøve;32200000;Andenvej 3;9000;ja\n"
    take(store, text, "opgradering")
    assert review(store).people == []
    with store.engine.begin() as tx:
        assert register_review.to_decide(tx, RULES.current, lambda _: False).people == []


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
    with side_engine(url_of(store)) as engine:
        lines = io.BytesIO(older)
        official_register.load(
            engine, lines, "robinson", None, NOW, RULES.current, by="user:1", older=True
        )
