"""The gate's answer for any number, on a list or not, at any instant, without a dial."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from callserver.adapters.config_folder import load
from callserver.cli.invented_data import ON_A_REGISTER, import_registers
from callserver.database import suppressions
from callserver.database.store import AnyStore
from callserver.database.tables import audit, calls, contacts
from callserver.domain import phone, subject
from callserver.domain.facts import Scope
from callserver.domain.reason import Reason
from callserver.engine.context import Rules
from callserver.engine.gate import explanation
from callserver.engine.gate.explanation import Explanation
from callserver.engine.lists.importer import import_list
from callserver.ports import Tx

NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)  # a Tuesday, 17:00 in Copenhagen
NIGHT = datetime(2026, 5, 12, 20, tzinfo=UTC)
MORNING = datetime(2026, 5, 13, 7, tzinfo=UTC)
RULES = Rules(load(Path(__file__).parents[2] / "config"))
KANVAS = RULES.campaign("kanvas")


@pytest.fixture
def tx(store: AnyStore) -> Iterator[Tx]:
    with store.engine.begin() as tx:
        import_registers(tx, RULES, NOW)
        yield tx


def explained(tx: Tx, number: str, at: datetime = NOW) -> Explanation:
    return explanation.explain(tx, RULES, b"key", number, KANVAS, at)


def listed(tx: Tx, **values: Any) -> int:
    """The one contact of the campaign, in this state."""
    import_list(tx, KANVAS, b"telefon;kilde\n32200001;gade\n", NOW)
    tx.execute(update(contacts).values({"status": "ready", **values}))
    return int(tx.execute(select(contacts.c.id)).scalar_one())


def test_a_number_on_no_list_is_judged_by_itself(tx: Tx) -> None:
    assert explained(tx, "32 20 00 01") == Explanation(
        "kanvas", NOW, (), None, None, RULES.current.revision
    )
    night = explained(tx, "32200001", NIGHT)
    assert (night.reasons, night.next_at, night.contact) == ((Reason.TIME_AFTER,), MORNING, None)
    suppressions.add(tx, subject.of_number(4532200001), Scope.NUMBER, NOW, "test")
    assert explained(tx, "32200001").reasons == (Reason.SUP_NUMBER,)


def test_a_number_on_the_list_is_judged_as_its_contact(tx: Tx) -> None:
    contact = listed(tx, born="2012-01-01")
    answer = explained(tx, "+4532200001")
    assert (answer.contact, answer.reasons) == (contact, (Reason.PERSON_MINOR,))


def test_who_is_on_no_list_is_no_member(tx: Tx) -> None:
    """Members are exempt from the register."""
    assert explained(tx, phone.from_int(ON_A_REGISTER)).reasons == (Reason.SUP_EXTERNAL,)


def test_what_another_list_knows_of_a_number_counts(tx: Tx) -> None:
    other = RULES.campaign("leads")
    import_list(tx, other, b"telefon;kilde\n32200001;gade\n", NOW)
    until = NOW + timedelta(days=9)
    rests = {"status": "waiting", "reason": "not_now", "next_at": until}
    tx.execute(update(contacts).values(rests))
    answer = explained(tx, "32200001")
    assert (answer.contact, answer.reasons) == (None, (Reason.FREQ_NOT_NOW,))


def test_of_several_contacts_with_one_number_the_first_is_asked_about(tx: Tx) -> None:
    rows = b"ref;navn;telefon;kilde\nA;Anna Holm;32200001;gade\nB;Bo Bech;32200001;gade\n"
    import_list(tx, KANVAS, rows, NOW)
    first, _ = tx.execute(select(contacts.c.id).order_by(contacts.c.id)).scalars()
    assert explained(tx, "32200001").contact == first


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("112", Reason.NUM_EMERGENCY),
        (" 1813 ", Reason.NUM_SHORTCODE),
        ("3220000", Reason.NUM_INVALID),
        ("not a number", Reason.NUM_INVALID),
        ("", Reason.NUM_INVALID),
        ("1" * 16, Reason.NUM_INVALID),
        ("٣٢٢٠٠٠٠١", Reason.NUM_INVALID),
        ("90123456", Reason.NUM_PREMIUM),
    ],
)
def test_what_cannot_be_called_is_a_reason(tx: Tx, typed: str, reason: Reason) -> None:
    answer = explained(tx, typed)
    assert reason in answer.reasons
    assert answer.contact is None


@pytest.mark.parametrize(
    ("typed", "known"),
    [("3220000", 3220000), ("7", 7), ("1" * 15, int("1" * 15)), ("1" * 16, 0), ("x", 0), ("٣٢", 0)],
)
def test_an_opt_out_of_an_unreadable_number_is_found_by_its_digits(
    tx: Tx, typed: str, known: int
) -> None:
    suppressions.add(tx, subject.of_number(known), Scope.NUMBER, NOW, "test")
    assert Reason.SUP_NUMBER in explained(tx, typed).reasons
    assert Reason.SUP_NUMBER not in explained(tx, "45").reasons


@pytest.mark.parametrize(
    ("status", "reasons"), [("call_back", ()), ("ready", (Reason.TIME_AFTER,))]
)
def test_an_agreed_time_is_open_for_a_call_back_only(
    tx: Tx, status: str, reasons: tuple[Reason, ...]
) -> None:
    evening = datetime(2026, 5, 12, 19, tzinfo=UTC)  # 21:00 in Copenhagen
    listed(tx, status=status, callback_for=evening)
    assert explained(tx, "32200001", evening).reasons == reasons


def test_an_explanation_writes_and_dials_nothing(tx: Tx) -> None:
    listed(tx)
    before = tx.execute(select(audit.c.id)).all()
    assert explained(tx, "32200001").reasons == ()
    assert explained(tx, "32200001", NOW - timedelta(days=2)).reasons != ()  # a Sunday
    assert tx.execute(select(audit.c.id)).all() == before
    assert tx.execute(select(calls.c.attempt)).all() == []
