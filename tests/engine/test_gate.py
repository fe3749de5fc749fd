"""What the gate reads for a decision: every rule gets the facts that it speaks of."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from callserver.adapters.config_folder import load
from callserver.cli.invented_data import import_registers
from callserver.database import calls as calls_of
from callserver.database import contacts, daily_counts
from callserver.database.store import AnyStore
from callserver.database.tables import calls
from callserver.database.tables import contacts as contacts_table
from callserver.domain import permit
from callserver.domain.call import DialPath
from callserver.domain.campaign import Campaign
from callserver.domain.policy import Policy
from callserver.domain.reason import Reason
from callserver.engine.context import Rules
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
    assert len(steps) == 4
    assert all(" USING " in step for step in steps), steps
