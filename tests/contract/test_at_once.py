"""Two servers at one PostgreSQL: both look for a row, find none, and add it."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from callserver.adapters.config_folder import load
from callserver.database import accounts, attempt_counters, contacts, seats, suppressions
from callserver.database.accounts import User
from callserver.database.store import AnyStore, open_store
from callserver.database.tables import audit
from callserver.domain.facts import Scope
from callserver.domain.role import Role
from callserver.engine.accounts import administration
from callserver.engine.accounts.administration import AccountDetails
from callserver.engine.lists.importer import import_list
from callserver.engine.support import talks
from callserver.engine.suppressions import lifting, opt_outs, person_facts
from callserver.engine.suppressions.opt_outs import Origin
from callserver.engine.training import standings
from callserver.errors import Impossible
from callserver.ports import Tx
from tests.harness.at_once import while_open

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)


@pytest.fixture
def postgres_store(postgres_url: str) -> Iterator[AnyStore]:
    store = open_store(postgres_url)
    yield store
    store.close()


def both(store: AnyStore, work: Callable[[Tx], Any], then: Any = None) -> tuple[Any, Any]:
    """What the two get, the later one (`then`, or the same work) by its store."""

    def told(work: Callable[[Tx], Any]) -> Callable[[Tx], Any]:
        def does(tx: Tx) -> Any:
            try:
                return work(tx)
            except Impossible as error:
                return error.key

        return does

    later = told(then or work)
    one, other = while_open(store.engine, told(work), lambda _: asyncio.run(store.run(later)))
    return one, other


def user(store: AnyStore, handle: str, role: Role) -> User:
    with store.engine.begin() as tx:
        values = {"handle": handle, "name": handle, "role": role.value, "department": "nord"}
        accounts.add(tx, **values)
        found = accounts.by_handle(tx, handle)
    assert found is not None
    return found


def test_the_first_shift_is_begun_in_two_windows_and_has_one_seat(postgres_store: AnyStore) -> None:
    one, other = both(postgres_store, lambda tx: seats.open_for(tx, 7, "nord", NOW).id)
    assert one == other


def test_a_browser_is_remembered_by_two_sign_ins(postgres_store: AnyStore) -> None:
    both(postgres_store, lambda tx: attempt_counters.remember_device(tx, "d", 7, NOW))
    with postgres_store.engine.begin() as tx:
        assert attempt_counters.device_known(tx, "d", 7, NOW)


def test_a_handle_is_given_to_one_of_two_accounts(postgres_store: AnyStore) -> None:
    details = AccountDetails("Maja Prøve", Role.PHONER, None, None, None)
    current = SimpleNamespace(departments={})
    terms: Any = SimpleNamespace(rules=SimpleNamespace(current=current))

    def add(tx: Tx) -> str:
        administration.add(tx, terms, "maja", details, "$", now=NOW, by="user:1")
        return "added"

    assert both(postgres_store, add) == ("added", "staff_taken")
    with postgres_store.engine.begin() as tx:
        assert [user.handle for user in accounts.every(tx)] == ["maja"]


def test_shifts_are_credited_and_a_training_is_completed_once(postgres_store: AnyStore) -> None:
    maja = user(postgres_store, "maja", Role.PHONER)
    rules = load(Path(__file__).parents[2] / "config").training

    def credit(tx: Tx) -> str:
        standings.credit(tx, rules, maja, 3, "worked here in 2019", NOW, "user:1")
        return "credited"

    assert both(postgres_store, credit) == ("credited", "nothing_to_credit")
    with postgres_store.engine.begin() as tx:
        kinds = select(audit.c.kind).where(audit.c.kind == "training")
        assert len(tx.execute(kinds).all()) == 2  # credited, trained


def test_an_opt_out_is_proposed_for_lifting_once(postgres_store: AnyStore) -> None:
    sigrid, asger = (user(postgres_store, who, Role.LEADER) for who in ("sigrid", "asger"))
    with postgres_store.engine.begin() as tx:
        row = suppressions.add(tx, "number:4520000001", Scope.NUMBER, NOW, "user:9")
    later = NOW + timedelta(days=2)

    def proposes(by: User) -> Callable[[Tx], Any]:
        values: Any = {"asked_on": later.date(), "channel": lifting.Channel.LETTER, "why": "."}
        return lambda tx: lifting.propose(tx, [row], by, now=later, **values).state

    told = both(postgres_store, proposes(sigrid), proposes(asger))
    assert told == ("open", "lift_waits")


def test_a_phoner_books_one_conversation(postgres_store: AnyStore) -> None:
    maja, sigrid = (
        user(postgres_store, "maja", Role.PHONER),
        user(postgres_store, "sigrid", Role.SUPERVISOR),
    )

    def offers(tx: Tx, hours: int) -> int:
        return talks.offer(tx, sigrid, NOW + timedelta(hours=hours), 30, NOW)

    with postgres_store.engine.begin() as tx:
        one, other = offers(tx, 1), offers(tx, 2)
    told = both(
        postgres_store,
        lambda tx: talks.book(tx, maja, one, NOW),
        lambda tx: talks.book(tx, maja, other, NOW),
    )
    assert told == (None, "support_booked")
    told = both(postgres_store, lambda tx: offers(tx, 3) > 0)
    assert told == (True, "support_overlaps")


def test_a_consent_does_not_end_an_opt_out_of_the_same_moment(postgres_store: AnyStore) -> None:
    """Written a moment before the consent is given, committed a moment after it is asked for."""
    campaign = load(Path(__file__).parents[2] / "config").campaigns["kanvas"]
    with postgres_store.engine.begin() as tx:
        import_list(tx, campaign, b"telefon;navn\n32200001;Asta Holm\n", NOW)
        asta = contacts.by_number(tx, 4532200001)
    origin, later = Origin(by="user:1", at=NOW), NOW + timedelta(seconds=1)
    told = both(
        postgres_store,
        lambda tx: opt_outs.add(tx, [Scope.PERSON], 4532200001, asta, b"key", origin) is not None,
        lambda tx: person_facts.consent(tx, 4532200001, asta, "user:2", later, at=later),
    )
    assert told == (True, "consent_ends_opt_out")
