"""Colleagues decide whether a person is on the register, and what becomes of their decision."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, func, select, update

from callserver.database import audit
from callserver.database.store import AnyStore
from callserver.database.tables import contacts as contacts_table
from callserver.database.tables import (
    register_keys,
)
from callserver.domain.contact_status import ContactStatus
from callserver.engine.suppressions import (
    public_registers,
    register_matching,
    register_review,
)
from callserver.engine.suppressions.register_review import Review
from callserver.errors import Impossible, NotFound
from callserver.ports import Tx
from tests.engine.test_official_register import (
    ASE,
    BO,
    HEAD,
    NO,
    NOW,
    OTHERS,
    RULES,
    UNSURE,
    YES,
    answers,
    everybody,
    put,
    take,
)


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


def test_a_whole_list_is_dialed_again_in_parts(
    store: AnyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that begins or ends meanwhile waits for one of them at most."""
    take(store)
    put(store)
    with store.engine.begin() as tx:
        closed = {"status": ContactStatus.CLOSED, "reason": UNSURE}
        tx.execute(update(contacts_table).values(**closed))
    ready: list[int] = []

    @contextmanager
    def one_part(engine: Engine) -> Iterator[Tx]:
        with engine.begin() as tx:
            yield tx
        ready.append(sum(contact.status == "ready" for contact in everybody(store)))

    monkeypatch.setattr(register_matching, "CHUNK", 2)
    monkeypatch.setattr(register_matching, "one_part", one_part)
    put(store, [ASE, *OTHERS], smaller=True)
    assert ready == [2, 4]


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
