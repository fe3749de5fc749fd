"""Two servers at one PostgreSQL at the same moment: two decisions about one person, or a decision and a list."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from callserver.adapters.clock import ShiftedClock
from callserver.adapters.config_folder import load
from callserver.cli.invented_data import import_registers
from callserver.database import accounts, contacts, seats
from callserver.database.store import AnyStore, open_store
from callserver.domain.call import DialPath
from callserver.domain.campaign import Campaign
from callserver.domain.contact_status import ContactStatus
from callserver.domain.permit import DialPermit, Refusal
from callserver.domain.reason import Reason
from callserver.engine.context import EngineContext, Rules
from callserver.engine.gate import gate
from callserver.engine.gate.stored_facts import DialRequest
from callserver.engine.identity import decisions
from callserver.engine.lists.importer import import_list
from callserver.ports import Tx
from tests.harness.at_once import while_open

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)  # a Tuesday, 17:00 in Copenhagen
CONFIG = load(Path(__file__).parents[2] / "config")
FIRST = CONFIG.campaigns["kanvas"]
SECOND = FIRST.model_copy(update={"name": "gaver"})
TRAINING = CONFIG.training
RULES = Rules(
    replace(
        CONFIG,
        campaigns={**CONFIG.campaigns, "gaver": SECOND},
        training=type(TRAINING)(
            **{name: getattr(TRAINING, name) for name in type(TRAINING).model_fields}
            | {"levels": {}}  # no document to sign
        ),
    )
)

HEAD = "ref;navn;telefon;adresse;kilde\n"
THEN = "K1;Asta Holm;32200001;Engvej 7, 3999 Fjordby;gade\n"
NOW_ELSEWHERE = "K1;Asta Holm;32200001;Lynvej 1, 3999 Fjordby;gade\n"
BESIDE = "K9;Asta Holm;32200002;Engvej 7, 3999 Fjordby;gade\n"
ANOTHER_NAME = "K9;A. Vang;32200002;Skovvej 9, 3999 Fjordby;gade\n"


@pytest.fixture
def store(postgres_url: str) -> Iterator[AnyStore]:
    made = open_store(postgres_url)
    yield made
    made.close()


def asking(tx: Tx, campaign: Campaign, number: int) -> DialRequest:
    """A seat of its own asks for the campaign's contact."""
    names = {"handle": campaign.name, "name": campaign.name, "role": "phoner"}
    phoner = accounts.add(tx, **names, department="nord", trained_at=NOW)
    row = seats.open_for(tx, phoner, "nord", NOW)
    (contact,) = contacts.by_number(tx, number, campaign.name)
    return DialRequest(contact, campaign, DialPath.LIST, row, NOW)


def decide(store: AnyStore, one: DialRequest, other: DialRequest) -> tuple[Any, Any]:
    nothing: Any = None
    ctx = EngineContext(store, ShiftedClock(NOW), nothing, RULES, b"key")
    first, second = while_open(
        store.engine,
        lambda tx: gate.ask(tx, ctx, one),
        lambda _: asyncio.run(store.run(lambda tx: gate.ask(tx, ctx, other))),
    )
    return first, second


def test_one_of_two_who_may_be_one_person_is_called(store: AnyStore) -> None:
    """By two telephones at two addresses, of which the database's unique indexes know nothing."""
    with store.engine.begin() as tx:
        import_registers(tx, RULES, NOW)
        for campaign, row in [(FIRST, THEN), (FIRST, NOW_ELSEWHERE), (SECOND, BESIDE)]:
            import_list(tx, campaign, (HEAD + row).encode(), NOW)
        one, other = asking(tx, FIRST, 4532200001), asking(tx, SECOND, 4532200002)
    first, second = decide(store, one, other)
    assert isinstance(first, DialPermit)
    assert isinstance(second, Refusal)
    assert Reason.FREQ_ACTIVE_CALL in second.reasons


def test_one_of_two_who_were_found_to_be_one_person_is_called(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        import_registers(tx, RULES, NOW)
        for campaign, row in [(FIRST, NOW_ELSEWHERE), (SECOND, ANOTHER_NAME)]:
            import_list(tx, campaign, (HEAD + row).encode(), NOW)
        one, other = asking(tx, FIRST, 4532200001), asking(tx, SECOND, 4532200002)
        ids = one.contact.id, other.contact.id
        decisions.merge(tx, *ids, by="user:1", why="told by both", now=NOW)
    first, second = decide(store, one, other)
    assert isinstance(first, DialPermit)
    assert isinstance(second, Refusal)
    assert Reason.FREQ_ACTIVE_CALL in second.reasons


def test_two_strangers_do_not_wait_for_each_other(store: AnyStore) -> None:
    with store.engine.begin() as tx:
        import_registers(tx, RULES, NOW)
        for campaign, row in [(FIRST, NOW_ELSEWHERE), (SECOND, ANOTHER_NAME)]:
            import_list(tx, campaign, (HEAD + row).encode(), NOW)
        one, other = asking(tx, FIRST, 4532200001), asking(tx, SECOND, 4532200002)
    first, second = decide(store, one, other)
    assert isinstance(first, DialPermit)
    assert isinstance(second, DialPermit)


def test_due_contacts_that_a_list_changes_are_not_waited_for(store: AnyStore) -> None:
    """A large list takes seconds to write, and a seat has other contacts meanwhile."""
    with store.engine.begin() as tx:
        import_list(tx, FIRST, (HEAD + NOW_ELSEWHERE).encode(), NOW)
        (contact,) = contacts.by_number(tx, 4532200001, FIRST.name)
        contacts.set_status(tx, contact.id, ContactStatus.WAITING, next_at=NOW)
    _, promoted = while_open(
        store.engine,
        lambda tx: import_list(tx, FIRST, (HEAD + THEN).encode(), NOW),
        lambda tx: contacts.promote(tx, FIRST.name, NOW),
    )
    assert promoted == 0
    with store.engine.begin() as tx:
        assert contacts.promote(tx, FIRST.name, NOW) == 1
