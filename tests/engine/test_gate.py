"""What the gate reads for a decision: every rule gets the facts that it speaks of."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from callserver.adapters.clock import ShiftedClock
from callserver.adapters.config_folder import load
from callserver.cli.invented_data import import_registers
from callserver.database import accounts, contacts, daily_counts, seats
from callserver.database import calls as calls_of
from callserver.database.store import AnyStore
from callserver.database.tables import audit, calls, register_entries, register_matches, registers
from callserver.database.tables import contacts as contacts_table
from callserver.domain import facts as f
from callserver.domain import permit
from callserver.domain.call import DialPath
from callserver.domain.campaign import Campaign
from callserver.domain.identity import InReach
from callserver.domain.policy import Policy
from callserver.domain.reach import Extent, Reach
from callserver.domain.reason import Reason
from callserver.domain.register_match import Match
from callserver.engine.context import EngineContext, Rules
from callserver.engine.gate import gate
from callserver.engine.gate.stored_facts import DialRequest
from callserver.engine.lists.importer import import_list
from callserver.ports import Tx

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)  # a Tuesday, 17:00 in Copenhagen
LOADED = load(Path(__file__).parents[2] / "config")
KANVAS = LOADED.campaigns["kanvas"]
DK = LOADED.policies["dk"]


def rules(policy: Policy = DK, campaign: Campaign = KANVAS) -> Rules:
    return Rules(
        replace(
            LOADED,
            policies={**LOADED.policies, "dk": policy},
            campaigns={**LOADED.campaigns, "kanvas": campaign},
        )
    )


def reasons(
    tx: Tx,
    contact: contacts.Contact,
    with_: Rules,
    path: DialPath = DialPath.EXPLAIN,
    now: datetime = NOW,
) -> set[Reason]:
    import_registers(tx, with_, NOW)
    question = DialRequest(contact, with_.campaign(contact.campaign), path, None, now)
    facts = replace(gate.collect(tx, with_, b"key", question), phoner_reserved=True)
    answer = permit.decide(facts, "attempt")
    return set(answer.reasons) if isinstance(answer, permit.Refusal) else set()


def first(tx: Tx, campaign: str) -> contacts.Contact:
    key = tx.execute(
        select(contacts_table.c.id).where(contacts_table.c.campaign == campaign)
    ).scalar_one()
    contact = contacts.get(tx, key)
    assert contact is not None
    return contact


def a_call(tx: Tx, contact: contacts.Contact, **more: Any) -> None:
    values = {
        "attempt": "a1",
        "contact": contact.id,
        "campaign": contact.campaign,
        "path": "list",
        "number": contact.number,
        "person": contact.person,
        "household": contact.household,
        "seat": 1,
        "phoner": 1,
        "caller_id": KANVAS.caller_id,
        "room": "r",
        "revision": "r",
        "permit_at": NOW - timedelta(hours=1),
        "state": "ended",
        "ended_at": NOW - timedelta(hours=1),
        "cause": "no_answer",
        **more,
    }
    tx.execute(insert(calls).values(values))


def test_attempts_count_for_the_person_under_every_number(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        import_list(tx, KANVAS, b"ref;telefon\nR1;32200001\n", NOW)
        before = first(tx, "kanvas")
        assert reasons(tx, before, rules()) == set()
        a_call(tx, before)
        import_list(tx, LOADED.campaigns["lapsed"], b"ref;telefon\nR1;32200002\n", NOW)
        here = first(tx, "kanvas")  # a newer list changes the person's number on every list
        assert here.number != before.number
        assert reasons(tx, here, rules()) == {Reason.FREQ_GAP}
        a_call(tx, before, attempt="a2", ended_at=None, cause=None)
        assert Reason.FREQ_ACTIVE_CALL in reasons(tx, here, rules())


@pytest.mark.parametrize(("days_ago", "refused"), [(6, True), (7, False)])
def test_the_abandon_rate_looks_back_as_far_as_the_policy_says(
    store: AnyStore, days_ago: int, refused: bool
) -> None:
    week = DK.model_copy(update={"abandon": DK.abandon.model_copy(update={"window_days": 7})})
    with store.engine.begin() as tx:
        import_list(tx, KANVAS, b"telefon\n32200001\n", NOW)
        for what in ("answered", "abandoned") * 2:  # two of two: one alone is no rate
            daily_counts.count(tx, "kanvas", what, NOW - timedelta(days=days_ago))
        refusals = reasons(tx, first(tx, "kanvas"), rules(week))
    assert (Reason.CAMP_ABANDON_RATE in refusals) == refused


@pytest.mark.parametrize(("late", "refused"), [(5, False), (6, True)])
def test_a_campaign_may_keep_closer_to_an_agreed_time(
    store: AnyStore, late: int, refused: bool
) -> None:
    near = KANVAS.call_backs.model_copy(update={"tolerance_minutes": 5})
    campaign = KANVAS.model_copy(update={"call_backs": near})
    evening = datetime(2026, 5, 12, 19, tzinfo=UTC)  # 21:00 in Copenhagen
    with store.engine.begin() as tx:
        import_list(tx, KANVAS, b"telefon\n32200001\n", NOW)
        contact = first(tx, "kanvas")._replace(callback_for=evening)
        at = evening + timedelta(minutes=late)
        refusals = reasons(tx, contact, rules(campaign=campaign), DialPath.CALL_BACK, at)
    assert (Reason.TIME_AFTER in refusals) == refused


@pytest.mark.parametrize("path", DialPath)
def test_without_a_register_that_names_people_nobody_is_unsure(
    store: AnyStore, path: DialPath
) -> None:
    """Whom nobody has compared with the register is unsure, but a colleague's own line is not theirs."""
    with store.engine.begin() as tx:
        import_list(tx, KANVAS, b"telefon\n32200001\n", NOW)
        contact = first(tx, "kanvas")
        question = DialRequest(contact, KANVAS, path, None, NOW)
        assert not gate.collect(tx, rules(), b"key", question).register.unsure
        an_issue(tx, "people")
        unsure = gate.collect(tx, rules(), b"key", question).register.unsure
    assert unsure is (path is not DialPath.CONFIRMATION)


def test_the_age_of_the_policy_s_own_register_counts(store: AnyStore) -> None:
    """Another register is older, or there is no other."""
    anything = DK.model_copy(
        update={"register_rule": DK.register_rule.model_copy(update={"name": None})}
    )
    long_ago = NOW - timedelta(days=90)
    with store.engine.begin() as tx:
        import_list(tx, KANVAS, b"telefon\n32200001\n", NOW)
        question = DialRequest(first(tx, "kanvas"), KANVAS, DialPath.LIST, None, NOW)

        def checked_at(in_force: Rules) -> datetime | None:
            return gate.collect(tx, in_force, b"key", question).register.checked_at

        an_issue(tx, "numbers", "another", long_ago)
        assert (checked_at(rules()), checked_at(rules(anything))) == (None, long_ago)
        an_issue(tx, "numbers")
        assert (checked_at(rules()), checked_at(rules(anything))) == (NOW, long_ago)


@pytest.mark.parametrize("kind", ["numbers", "people"])
def test_who_is_on_one_kind_of_register_is_listed(store: AnyStore, kind: str) -> None:
    with store.engine.begin() as tx:
        import_list(tx, KANVAS, b"telefon\n32200001\n", NOW)
        contact = first(tx, "kanvas")
        version = an_issue(tx, kind)
        if kind == "numbers":
            tx.execute(insert(register_entries).values(number=contact.number, version=version))
        else:
            values = {"version": version, "person": contact.person, "result": Match.YES}
            tx.execute(insert(register_matches).values(values))
        question = DialRequest(contact, KANVAS, DialPath.LIST, None, NOW)
        register = gate.collect(tx, rules(), b"key", question).register
    assert register == f.Register(listed=True, checked_at=NOW)


@pytest.mark.parametrize(
    ("results", "strictest"),
    [
        ({}, Match.NO),
        ({2: Match.NO, 3: Match.NO}, Match.NO),
        ({2: Match.YES, 3: Match.NO}, Match.YES),
        ({2: Match.NO, 3: Match.YES}, Match.YES),
        ({2: Match.UNSURE}, Match.UNSURE),
        ({4: Match.YES}, Match.NO),  # somebody else
    ],
)
def test_the_strictest_result_of_all_who_may_be_the_person_counts(
    results: dict[int, Match], strictest: Match
) -> None:
    reach = InReach(same=frozenset([2]), unsure=frozenset([3]))
    assert gate.strictest(results, reach) is strictest


def test_the_table_says_how_far_a_result_reaches(monkeypatch: pytest.MonkeyPatch) -> None:
    reach = InReach(same=frozenset([2]), unsure=frozenset([3]))
    monkeypatch.setattr(gate, "REGISTER", Extent(Reach.SAME, "the proven same person"))
    assert gate.strictest({3: Match.YES}, reach) is Match.NO
    assert gate.strictest({2: Match.YES}, reach) is Match.YES


def test_a_contact_alone_has_the_facts_of_a_fresh_list(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        import_list(tx, KANVAS, b"telefon;kilde\n32200001;gade\n", NOW)
        question = DialRequest(first(tx, "kanvas"), KANVAS, DialPath.EXPLAIN, None, NOW)
        facts = gate.collect(tx, rules(), b"key", question)
    assert facts.system == f.System()
    assert facts.register == f.Register(missing=True)
    assert facts.campaign == f.CampaignState()
    assert (facts.attempts, facts.active_call, facts.phoner) == ((), False, f.Phoner())


def without_documents() -> Rules:
    """Rules with no document to sign. A copy would keep what was computed from the documents."""
    training = LOADED.training
    fields = {name: getattr(training, name) for name in type(training).model_fields}
    return Rules(replace(LOADED, training=type(training)(**{**fields, "levels": {}})))


@pytest.mark.parametrize(
    ("credited", "shift", "present"), [(0, 1, True), (1, 2, False), (2, 3, True), (3, 3, True)]
)
def test_only_the_second_shift_needs_a_supervisor(
    store: AnyStore, credited: int, shift: int, present: bool
) -> None:
    """No supervisor is there: that is a fact about a phoner on the second shift alone."""
    in_force = without_documents()
    with store.engine.begin() as tx:
        import_list(tx, KANVAS, b"telefon\n32200001\n", NOW)
        user = {"handle": "p", "name": "P", "role": "phoner", "department": "nord"}
        phoner = accounts.add(tx, **user, credited=credited)
        row = seats.open_for(tx, phoner, "nord", NOW)
        question = DialRequest(first(tx, "kanvas"), KANVAS, DialPath.LIST, row, NOW)
        found = gate.collect(tx, in_force, b"key", question).phoner
        stranger = question.seat._replace(phoner=phoner + 1) if question.seat else None
        unknown = gate.collect(tx, in_force, b"key", replace(question, seat=stranger)).phoner
    assert found == f.Phoner(shift=shift, supervisor_present=present)
    assert unknown == f.Phoner(left=True)


def test_who_has_left_by_a_clock_that_is_ahead_has_left(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        import_list(tx, KANVAS, b"telefon\n32200001\n", NOW)
        user = {"handle": "p", "name": "P", "role": "phoner", "department": "nord"}
        phoner = accounts.add(tx, **user, credited=3, left_at=NOW + timedelta(seconds=1))
        row = seats.open_for(tx, phoner, "nord", NOW)
        question = DialRequest(first(tx, "kanvas"), KANVAS, DialPath.LIST, row, NOW)
        assert gate.collect(tx, rules(), b"key", question).phoner.left


def test_a_permitted_dial_is_an_open_call_that_is_asked_about_after_fifteen_seconds(
    store: AnyStore,
) -> None:
    nothing: Any = None
    in_force = without_documents()
    ctx = EngineContext(store, ShiftedClock(NOW), nothing, in_force, b"key")
    with store.engine.begin() as tx:
        import_registers(tx, in_force, NOW)
        import_list(tx, KANVAS, b"telefon;kilde\n32200001;gade\n", NOW)
        contact = first(tx, "kanvas")
        phoner = accounts.add(
            tx, handle="p", name="P", role="phoner", department="nord", trained_at=NOW
        )
        row = seats.open_for(tx, phoner, "nord", NOW)
        request = DialRequest(contact, KANVAS, DialPath.LIST, row, NOW)
        answer = gate.ask(tx, ctx, request)
        assert isinstance(answer, permit.DialPermit)
        (call,) = tx.execute(select(calls)).all()
        entries = list(map(json.loads, tx.execute(select(audit.c.body)).scalars()))
        again = gate.ask(tx, ctx, request)
    (entry,) = (entry for entry in entries if entry["kind"] == "permitted")
    assert entry["call"] == answer.attempt
    limits = ("purpose", "ring_seconds", "closes_at", "gap_minutes", "per_day", "contact", "seat")
    assert {name: entry[name] for name in limits} == {
        "purpose": "RECRUIT",
        "ring_seconds": KANVAS.ring_seconds,
        "closes_at": "2026-05-12T19:00:00.000000Z",
        "gap_minutes": 240,
        "per_day": 2,
        "contact": contact.id,
        "seat": row.id,
    }
    assert (call.attempt, call.permit_at, call.state) == (answer.attempt, NOW, "placing")
    assert call.deadline == NOW + timedelta(seconds=15)
    assert (call.contact, call.number, call.seat, call.phoner) == (
        *(contact.id, contact.number, row.id, phoner),
    )
    assert isinstance(again, permit.Refusal)
    assert Reason.FREQ_ACTIVE_CALL in again.reasons


def an_issue(tx: Tx, kind: str, name: str = "robinson", issued: datetime = NOW) -> int:
    """An issue of the register, in force, with nobody on it. Returns its version."""
    values = {"name": name, "washed_at": issued, "active": True, "kind": kind}
    key = tx.execute(insert(registers).values(values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def test_no_decision_reads_all_calls(sqlite_url: str) -> None:
    from callserver.database.engines import make_engine

    engine = make_engine(sqlite_url)
    statements: list[str] = []
    with engine.begin() as tx:
        driver: Any = tx.connection.driver_connection
        driver.set_trace_callback(statements.append)
        calls_of.attempts(tx, 1, 1, 1, NOW)
        driver.set_trace_callback(None)
        (statement,) = statements
        plan = tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all()
    engine.dispose()
    steps = [row[3] for row in plan if row[3].startswith(("SCAN", "SEARCH"))]
    assert len(steps) == 4 + 3  # and of each call that is found the seat
    assert all(" USING " in step for step in steps), steps
