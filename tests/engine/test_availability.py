"""What a campaign has for a phoner now; and if nothing, why, and until when."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from callserver.adapters.config_folder import load
from callserver.database import campaign_states
from callserver.database.store import AnyStore
from callserver.database.tables import contacts
from callserver.domain.alarm import BREAKER
from callserver.domain.hours import Place
from callserver.engine.context import Rules
from callserver.engine.gate import availability
from callserver.engine.gate.availability import Availability
from callserver.engine.lists.importer import import_list
from callserver.ports import Tx

TUESDAY = datetime(2026, 5, 12, 15, tzinfo=UTC)  # 17:00 in Copenhagen
NIGHT = datetime(2026, 5, 12, 20, tzinfo=UTC)
MORNING = datetime(2026, 5, 13, 7, tzinfo=UTC)  # 9:00 in Copenhagen
RULES = Rules(load(Path(__file__).parents[2] / "config"))
KANVAS = RULES.campaign("kanvas")
PHONER = 7
HOUR = timedelta(hours=1)


@pytest.fixture
def tx(store: AnyStore) -> Iterator[Tx]:
    with store.engine.begin() as tx:
        yield tx


def listed(tx: Tx, *numbers: int, **values: Any) -> None:
    """Contacts with these numbers, all in this state."""
    rows = "".join(f"{number}\n" for number in numbers)
    import_list(tx, KANVAS, f"telefon\n{rows}".encode(), TUESDAY)
    ids = select(contacts.c.id).where(contacts.c.number.in_(4500000000 + n for n in numbers))
    if values:
        tx.execute(update(contacts).where(contacts.c.id.in_(ids)).values(values))


def now_for(tx: Tx, now: datetime) -> Availability:
    return availability.of(tx, RULES, KANVAS, PHONER, now)


def test_somebody_is_ready_where_it_is_open(tx: Tx) -> None:
    assert now_for(tx, TUESDAY) == Availability("no_list")
    listed(tx, 32200001)
    assert now_for(tx, TUESDAY) == Availability()
    assert now_for(tx, NIGHT) == Availability("window_closed", MORNING)


def test_a_list_of_which_everybody_is_done_is_finished(tx: Tx) -> None:
    listed(tx, 32200001, status="done")
    assert now_for(tx, TUESDAY) == Availability("list_finished")


def test_a_paused_campaign_says_who_paused_it_why(tx: Tx) -> None:
    listed(tx, 32200001)
    campaign_states.put(tx, "kanvas", True, "meal", TUESDAY)
    assert now_for(tx, TUESDAY) == Availability("CAMP_PAUSED", None, "meal")
    campaign_states.put(tx, "kanvas", True, f"{BREAKER}: too many", TUESDAY)
    assert now_for(tx, TUESDAY) == Availability("CAMP_PAUSED")
    campaign_states.put(tx, "kanvas", False, "", TUESDAY)
    assert now_for(tx, TUESDAY) == Availability()


def test_a_contact_that_waits_is_next_when_it_is_due(tx: Tx) -> None:
    listed(tx, 32200001, status="waiting", next_at=TUESDAY + HOUR)
    assert now_for(tx, TUESDAY) == Availability("next_contact", TUESDAY + HOUR)
    assert now_for(tx, TUESDAY + HOUR) == Availability()  # it is ready in a moment
    late = TUESDAY + 2 * HOUR
    assert now_for(tx, late) == Availability()


def test_a_contact_that_is_due_at_night_waits_for_the_morning(tx: Tx) -> None:
    listed(tx, 32200001, status="waiting", next_at=NIGHT)
    assert now_for(tx, TUESDAY) == Availability("window_closed", MORNING)
    assert now_for(tx, NIGHT + HOUR) == Availability("window_closed", MORNING)


@pytest.mark.parametrize(
    ("values", "at"),
    [
        ({"callback_phoner": PHONER, "next_at": TUESDAY + HOUR}, TUESDAY + HOUR),
        (
            {
                "callback_phoner": PHONER + 1,
                "next_at": TUESDAY + HOUR,
                "release_at": TUESDAY + 2 * HOUR,
            },
            TUESDAY + 2 * HOUR,
        ),
    ],
)
def test_a_call_back_is_next_when_it_is_due_for_this_phoner(
    tx: Tx, values: dict[str, Any], at: datetime
) -> None:
    listed(tx, 32200001, status="call_back", **values)
    assert now_for(tx, TUESDAY) == Availability("next_call_back", at)


def test_the_first_of_all_counts(tx: Tx) -> None:
    listed(tx, 32200001, status="waiting", next_at=TUESDAY + 2 * HOUR)
    listed(tx, 32200002, status="call_back", callback_phoner=PHONER, next_at=TUESDAY + HOUR)
    assert now_for(tx, TUESDAY) == Availability("next_call_back", TUESDAY + HOUR)
    listed(tx, 32200003, status="waiting", next_at=TUESDAY + HOUR / 2)
    assert now_for(tx, TUESDAY) == Availability("next_contact", TUESDAY + HOUR / 2)


def test_places_are_open_or_closed(tx: Tx) -> None:
    listed(tx, 32200001)
    copenhagen = Place("DK", ("Europe/Copenhagen",))
    assert availability.places(tx, RULES, KANVAS, TUESDAY) == ([str(copenhagen)], [])
    assert availability.places(tx, RULES, KANVAS, NIGHT) == ([], [copenhagen])


def test_the_first_place_to_open_counts(tx: Tx) -> None:
    policy = RULES.current.policies["dk"]
    assert availability.opens_from(tx, policy, KANVAS, NIGHT) is None  # nobody is on a list
    listed(tx, 32200001)
    # Greenland is two to four hours behind.
    import_list(tx, KANVAS, b"telefon\n+299221234\n", TUESDAY)
    assert availability.opens_from(tx, policy, KANVAS, TUESDAY) == TUESDAY
    assert availability.opens_from(tx, policy, KANVAS, NIGHT) == NIGHT
    late = datetime(2026, 5, 13, 1, tzinfo=UTC)
    assert availability.opens_from(tx, policy, KANVAS, late) == MORNING
