"""Decisions in the log: a sealed commitment, the facts beside it, and when those go; on both databases."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import select

from callserver.adapters.clock import SystemClock
from callserver.adapters.config_folder import load
from callserver.cli.invented_data import import_registers
from callserver.database import contact_removal, contacts, openings
from callserver.database.store import AnyStore
from callserver.database.tables import audit
from callserver.database.tables import contacts as contacts_table
from callserver.database.tables import openings as table
from callserver.domain import permit
from callserver.domain.call import DialPath
from callserver.domain.commitment import digest, opened, root
from callserver.domain.permit import DialPermit, Refusal
from callserver.domain.reason import Reason
from callserver.domain.retention import RetentionClass, RetentionPolicy
from callserver.engine import retention
from callserver.engine.context import EngineContext, Rules
from callserver.engine.gate import decisions, gate
from callserver.engine.gate.decisions import Decision
from callserver.engine.gate.stored_facts import DialRequest
from callserver.engine.lists.importer import import_list
from callserver.engine.suppressions import erasure
from callserver.ports import Tx
from tests.harness.retention import drop_some

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)  # a Tuesday, 17:00 in Copenhagen
LOADED = load(Path(__file__).parents[2] / "config")
PEOPLE = b"ref;navn;telefon;kilde\nK1;Person A;32200001;gade\nK2;Person B;32200002;gade\n"
SECRET = b"a secret of the server"


@pytest.fixture
def ctx(store: AnyStore) -> EngineContext:
    nothing: Any = None
    return EngineContext(store, SystemClock(), nothing, Rules(LOADED), SECRET)


def asked(ctx: EngineContext, tx: Tx, contact: contacts.Contact, at: datetime = NOW) -> Decision:
    """A dial that nobody is on shift for: refused by the facts as they are."""
    request = DialRequest(contact, ctx.rules.campaign("kanvas"), DialPath.LIST, None, at)
    facts = gate.collect(tx, ctx.rules, SECRET, request)
    answer = permit.decide(facts, "attempt")
    decision = Decision(answer, decisions.line(ctx.rules, request, facts))
    decisions.write(tx, ctx, request, decision, contact=contact.id, campaign="kanvas")
    return decision


def listed(tx: Tx, ctx: EngineContext) -> list[contacts.Contact]:
    import_registers(tx, ctx.rules, NOW)
    import_list(tx, ctx.rules.campaign("kanvas"), PEOPLE, NOW)
    keys = tx.execute(select(contacts_table.c.id).order_by(contacts_table.c.id)).scalars()
    return [row for key in list(keys) if (row := contacts.get(tx, key)) is not None]


def kept(tx: Tx) -> int:
    return len(tx.execute(select(table.c.entry)).all())


def counted(reason: Reason) -> float:
    labels = {"answer": "refused", "reason": reason.value}
    return REGISTRY.get_sample_value("callserver_dial_decisions_total", labels) or 0


def test_the_entry_commits_to_the_facts_and_holds_none_of_them(
    ctx: EngineContext, store: AnyStore
) -> None:
    with store.engine.begin() as tx:
        first, _ = listed(tx, ctx)
        decision = asked(ctx, tx, first)
        query = select(audit.c.body, table.c.body).where(table.c.entry == audit.c.id)
        ((body, opening),) = tx.execute(query).all()
    entry, fields = json.loads(body), opened(opening)
    assert entry["kind"] == "refused"
    assert entry["reasons"] == ["CAMP_NO_AGENT"]
    assert (
        root({name: digest(name, field) for name, field in fields.items()}) == entry["commitment"]
    )
    facts = {name: field.value for name, field in fields.items()}
    assert facts == json.loads(json.dumps(decision.line))
    assert facts["now"] == entry["at"]
    assert facts["num"] == "+4532200001"
    assert entry["revision"] == facts["revision"] == LOADED.sha256
    assert [key.partition(":")[0] for key in entry["keys"]] == ["number", "person", "household"]
    assert b"32200001" not in body
    assert b"Person A" not in body


def test_what_the_facts_do_not_give_is_a_fact(ctx: EngineContext, store: AnyStore) -> None:
    with store.engine.begin() as tx:
        first, _ = listed(tx, ctx)
        request = DialRequest(first, ctx.rules.campaign("kanvas"), DialPath.LIST, None, NOW)
        refused = decisions.failed(ctx.rules, request)
        assert refused.line["error"] is True
        facts = gate.collect(tx, ctx.rules, SECRET, request)
    permitted = DialPermit("a", "+4532200001", "+4532123400", NOW, 25, "r")
    second = decisions.second_call(Decision(permitted, decisions.line(ctx.rules, request, facts)))
    assert second.line["active_call"] is True


def test_the_facts_go_at_erasure_and_with_their_contact(
    ctx: EngineContext, store: AnyStore
) -> None:
    with store.engine.begin() as tx:
        first, second = listed(tx, ctx)
        for contact in (first, second):
            asked(ctx, tx, contact)
        erasure.erase(tx, first.number, [first], SECRET, "command", NOW)
        assert kept(tx) == 1
        contact_removal.remove(tx, [second.id], contact_removal.never_called, NOW)
        assert kept(tx) == 0
        rows = list(openings.sealed_decisions(tx, 100))
    assert rows == []  # nothing is sealed yet, so nothing is exported


def test_the_facts_of_a_call_without_a_contact_go_with_its_number(
    ctx: EngineContext, store: AnyStore
) -> None:
    """A call that confirms a colleague's telephone; a contact's facts go with the contact."""
    with store.engine.begin() as tx:
        first, _ = listed(tx, ctx)
        decision = asked(ctx, tx, first)
        (of_contact,) = tx.execute(select(table.c.entry)).scalars()
        request = DialRequest(first, ctx.rules.campaign("kanvas"), DialPath.CONFIRMATION, None, NOW)
        decisions.write(tx, ctx, request, decision, line=1, campaign="kanvas")
        assert kept(tx) == 2
        assert openings.forget(tx, [], [first.number]) == 1
        assert list(tx.execute(select(table.c.entry)).scalars()) == [of_contact]


def test_a_refusal_counts_once_under_its_first_reason(ctx: EngineContext, store: AnyStore) -> None:
    first, second = Reason.SUP_NUMBER, Reason.CAMP_NO_AGENT
    before = [counted(reason) for reason in (first, second)]
    with store.engine.begin() as tx:
        contact, _ = listed(tx, ctx)
        request = DialRequest(contact, ctx.rules.campaign("kanvas"), DialPath.LIST, None, NOW)
        refusal = Decision(Refusal((first, second), None), {"num": "+4532200001"})
        decisions.write(tx, ctx, request, refusal, contact=contact.id, campaign="kanvas")
    after = [counted(reason) for reason in (first, second)]
    assert after == [before[0] + 1, before[1]]


def test_the_facts_have_a_period_of_their_own(ctx: EngineContext, store: AnyStore) -> None:
    policy = RetentionPolicy()
    with store.engine.begin() as tx:
        first, second = listed(tx, ctx)
        asked(ctx, tx, first, NOW - timedelta(days=policy.decisions.days, seconds=1))
        asked(ctx, tx, second, NOW)
        assert retention.due(tx, policy, NOW)[RetentionClass.DECISIONS] == 1
        drop_some(tx, policy, RetentionClass.DECISIONS, NOW, "scheduler")
        assert kept(tx) == 1
