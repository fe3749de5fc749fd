"""More of a kind than one statement of SQLite takes values, or than one entry of the log names."""

import json
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, insert, select

from callserver.adapters.config_folder import load
from callserver.database import (
    calls,
    cases,
    former_identifiers,
    look_ups,
    marks,
    openings,
    person_decisions,
    person_search,
    refused_numbers,
    register_people,
    reopened_contacts,
    suppressions,
)
from callserver.database import contacts as contact_rows
from callserver.database import erasure as erased_rows
from callserver.database.audit import LogQuery, append
from callserver.database.engines import SERVER_KEY
from callserver.database.former_identifiers import Identifier
from callserver.database.store import AnyStore
from callserver.database.tables import audit, contacts
from callserver.database.tables import refused_numbers as refused_table
from callserver.domain.audit import EntryKind
from callserver.domain.case import Source
from callserver.domain.case_rules import CaseKind
from callserver.domain.facts import Scope
from callserver.domain.marks import MarkKind
from callserver.engine.audit_log import search
from callserver.engine.calls import carrier_refusals
from callserver.engine.cases import intake
from callserver.engine.cases.intake import CaseRequest
from callserver.engine.context import Rules
from callserver.engine.suppressions import erasure, opt_outs
from callserver.engine.suppressions.opt_outs import Origin
from tests.contract.test_retention import a_call

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
MANY = 33_000


def test_everybody_who_was_closed_for_a_reason_is_opened_again(store: AnyStore) -> None:
    """As when a register compares by an address that a list has brought at last."""
    values = {"household": 1, "place": "DK Europe/Copenhagen", "status": "closed", "tries": 0}
    rows = [
        {"id": n, "campaign": "k", "person": n, "number": 4532000000 + n, "rank": n, **values}
        for n in range(1, MANY + 1)
    ]
    reason = {"reason": "SUP_EXTERNAL_UNSURE"}
    with store.engine.begin() as tx:
        tx.execute(insert(contacts).values(reason), rows)
        ids = reopened_contacts.closed_for(tx, reason["reason"])
        assert len(reopened_contacts.reopen(tx, ids, [reason["reason"]])) == MANY
        assert set(tx.execute(select(contacts.c.status)).scalars()) == {"ready"}


def test_a_list_of_the_dead_is_marked(store: AnyStore) -> None:
    people = [f"person:{n}" for n in range(MANY)]
    with store.engine.begin() as tx:
        assert len(marks.mark_deceased(tx, people, NOW)) == MANY
        assert marks.mark_deceased(tx, people, NOW) == []


def test_every_refused_number_of_a_campaign_is_released(store: AnyStore) -> None:
    """Two values for each: the number, and the contact that was dialed."""
    refused = {"campaign": "k", "code": 21215, "at": NOW}
    with store.engine.begin() as tx:
        rows = [{"number": 4532000000 + n, "contact": n} for n in range(MANY // 2 + 1)]
        tx.execute(insert(refused_table).values(refused), rows)
    with store.engine.begin() as tx:
        parts = carrier_refusals.parts_of(tx, "k")
        assert max(map(len, parts)) <= carrier_refusals.PART
        for part in parts:
            carrier_refusals.release(tx, part, "test", NOW)
        assert refused_numbers.not_released(tx) == []
        (first, *_) = parts
        assert carrier_refusals.release(tx, first, "test", NOW) == []
        told = select(func.count()).where(audit.c.kind == "number_released")
        assert tx.execute(told).scalar_one() == len(rows), "and none twice"


def test_all_who_share_a_number_are_erased(store: AnyStore) -> None:
    """One entry of the log, which is published, cannot name them all."""
    values = {"household": 1, "place": "DK Europe/Copenhagen", "status": "ready", "tries": 0}
    rows = [
        {"id": n, "campaign": "k", "person": n, "number": 4532000000, "rank": n, **values}
        for n in range(1, 1601)
    ]
    with store.engine.begin() as tx:
        tx.execute(insert(contacts), rows)
        known = contact_rows.by_number(tx, 4532000000)
        erased = erasure.erase(tx, 4532000000, known, b"k" * 16, "test", NOW)
        assert len(erased.contacts) == 1600
        bodies = tx.execute(select(audit.c.body).where(audit.c.kind == "marked")).scalars()
        entries = [json.loads(body) for body in bodies]
    assert {entry["contact"] for entry in entries} == set(erased.contacts)
    assert sum(len(entry["rows"]) for entry in entries) == 1601, "each row once"


def test_a_case_of_all_who_share_a_number_is_opened(store: AnyStore) -> None:
    """Their opt-out is part of it."""
    people = [Identifier(n, 4532000000, 1, "") for n in range(1, 1601)]
    request = CaseRequest(
        kind=CaseKind.OPT_OUT,
        source=Source.TELEPHONE,
        by="test",
        at=NOW,
        number=4532000000,
        people=people,
        scopes=(Scope.PERSON,),
    )
    rules = load(Path(__file__).parents[2] / "config").cases
    with store.engine.execution_options(**{SERVER_KEY: b"k" * 16}).begin() as tx:
        case = intake.open_case(tx, request, rules, b"k" * 16)
        assert len(suppressions.of_group(tx, case.opt_out or "")) == len(people)


def test_an_opt_out_of_a_number_that_a_whole_list_shares_is_recorded_and_shown(
    store: AnyStore,
) -> None:
    """What is in force is shown in the transaction that records it."""
    values = {"household": 1, "place": "DK Europe/Copenhagen", "status": "ready", "tries": 0}
    rows = [
        {"id": n, "campaign": "k", "person": n, "number": 4532000000, "rank": n, **values}
        for n in range(1, MANY + 1)
    ]
    origin = Origin(by="test", at=NOW)
    with store.engine.begin() as tx:
        tx.execute(insert(contacts), rows)
    with store.engine.begin() as tx:
        made = opt_outs.add(tx, [Scope.NUMBER], 4532000000, (), b"", origin)
        shown = opt_outs.in_force_at(tx, 4532000000, b"k" * 16)
        assert [key for key, _ in shown] == made
        about = [f"person:{n}" for n in range(MANY)] + ["number:4532000000"]
        assert (
            len(suppressions.for_subjects(tx, about)) == len(suppressions.on_record(tx, about)) == 1
        )
        assert marks.on_record(tx, about) == []
        assert len(person_search.known_under(tx, [4532000000], range(MANY))) == 2 * MANY - 1


def test_the_log_is_searched_after_a_whole_list_was_forgotten(store: AnyStore) -> None:
    """Whose entries they are is asked for all the contacts of a batch at once."""
    rules = Rules(load(Path(__file__).parents[2] / "config"))
    parts = [range(at, at + 3_000) for at in range(0, 2 * MANY, 3_000)]
    with store.engine.begin() as tx:
        append(tx, NOW, EntryKind.BREAKER, campaign="kanvas", paused=True, reason="x")
        for part in parts:
            append(tx, NOW, EntryKind.FORGOTTEN, contacts=[*part])
        found, _ = search.search(tx, rules, LogQuery(), rules.campaign("kanvas").department, 9)
    assert [entry["kind"] for entry in found] == ["breaker"]


def test_anything_is_asked_about_a_whole_list(store: AnyStore) -> None:
    """One number, or one household, may be a placeholder of many lists."""
    values = {"household": 1, "place": "DK Europe/Copenhagen", "status": "ready", "tries": 0}
    rows = [
        {"id": n, "campaign": "k", "person": n, "number": 4532000000, "rank": n, **values}
        for n in range(1, MANY + 2)
    ]
    keys, about = range(1, MANY + 1), [f"person:{n}" for n in range(1, MANY + 1)]
    with store.engine.begin() as tx:
        tx.execute(insert(contacts), rows)
        for kind in (MarkKind.REFUSED, MarkKind.REQUESTED, MarkKind.REFUSED):
            for subject in (about[-1], about[0]):
                marks.mark(tx, subject, kind, NOW)
        a_call(tx, 1, 0, number=4532000000, person=1)
        a_call(tx, MANY, 0, number=4532000000, person=MANY, attempt="b")
    with store.engine.begin() as tx:
        known = list(contact_rows.by_ids(tx, keys).values())
        assert (len(known), len(contact_rows.names(tx, keys))) == (MANY, MANY)
        assert [row.id for row in contact_rows.beside(tx, known)] == [MANY + 1]
        assert len(calls.of_contacts(tx, keys)) == 2
        assert len(calls.of_persons(tx, keys, keys)) == 0
        assert len(calls.of_persons(tx, keys, [4532000000, *keys])) == 2
        assert cases.of_person(tx, keys, keys) == []
        found = marks.marks_of(tx, about)
        assert [mark.subject for mark in found] == [about[-1], about[0]] * 3
        assert suppressions.about(tx, about) == []
        assert person_decisions.of_persons(tx, keys) == []
        assert former_identifiers.numbers_of(tx, keys) == set()
        assert look_ups.leaves_about(tx, keys) == openings.about(tx, keys) == []
        assert erased_rows.others_at(tx, 4532000000, keys)
        assert not erased_rows.others_at(tx, 4532000000, [*keys, MANY + 1])
        assert erased_rows.unlink_calls(tx, keys, keys) == 2
        assert openings.forget(tx, keys, keys) == 0
        look_ups.forget(tx, keys)
        former_identifiers.forget_people(tx, keys)
        register_people.forget_people(tx, keys)
        addresses = [f"p{n}@example.org" for n in keys]
        assert erased_rows.forget_cases(tx, keys, keys, keys, addresses) == 0
        erased_rows.forget_contacts(tx, keys, "PERSON_ERASED")
        left = select(contacts.c.id).where(contacts.c.number != 0)
        assert list(tx.execute(left).scalars()) == [MANY + 1]
