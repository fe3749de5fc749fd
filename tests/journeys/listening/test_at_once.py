"""Two servers at one database: a leg asks in one transaction while another ends or moves its listening."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from callserver import outbox
from callserver.database import accounts, listening_intervals, listenings, seats
from callserver.database.engines import make_engine
from callserver.domain.instruction import HangUp, Hear
from callserver.domain.listening import ListenReason, Mode
from callserver.domain.role import MAY, Role
from callserver.engine.listening.placement import Placement
from callserver.outbox import EndListenerLeg, MoveListener
from callserver.ports import Tx
from tests.harness.at_once import while_open
from tests.harness.listening import SUPERVISOR, ListeningSystem

LEG = "CA" + "7" * 32


@pytest.fixture
def engine(postgres_url: str) -> Iterator[Engine]:
    made = make_engine(postgres_url)
    yield made
    made.dispose()


@pytest.fixture
def system(tmp_path: Path) -> Iterator[ListeningSystem]:
    made = ListeningSystem(tmp_path)
    yield made
    made.close()


def talking(tx: Tx, system: ListeningSystem) -> int:
    """Two phoners talk, and a supervisor's telephone has been called for the first; the listening."""
    now = system.clock.now()
    system.employ(tx)
    for phoner in (1, 2):
        seat = seats.open_for(tx, phoner, "nord", now)
        values = {"campaign": "kanvas", "room": f"seat-{seat.id}-x", "leg": f"CAp{phoner}"}
        seats.set_line(tx, seat.id, state="talking", connected=True, **values)
    row = listenings.add(
        tx,
        seat=1,
        phoner=1,
        listener=SUPERVISOR,
        department="nord",
        mode="join",
        why="quality",
        line="client:listener_21",
        started_at=now,
        look_at=now,
    )
    assert row is not None
    return row.id


def and_what_it_sends(tx: Tx, work: Callable[[], Any]) -> tuple[Any, list[Any]]:
    with outbox.collecting(tx) as follow_ups:
        return work(), follow_ups


def test_stop_knows_of_a_leg_that_asks_at_the_same_moment(
    engine: Engine, system: ListeningSystem
) -> None:
    """Else nobody would hang it up, and it would stay in the room for good."""
    legs: Any = system.server.listener_legs
    with engine.begin() as tx:
        listening = talking(tx, system)
    sessions: Any = system.server.listening_sessions
    told, (_, sent) = while_open(
        engine,
        lambda tx: legs.answer_in(tx, listening, None, LEG, None),
        lambda tx: and_what_it_sends(tx, lambda: sessions.stop_in(tx, SUPERVISOR)),
    )
    assert isinstance(told, Hear)
    assert sent == [EndListenerLeg(listening, LEG)]
    with engine.begin() as tx:
        row = listenings.get(tx, listening)
        assert row is not None
        assert row.ended_at is not None
        assert (row.leg, row.look_at is None) == (LEG, False)
        assert [stay.leg for stay in listening_intervals.in_room(tx, "seat-1-x")] == [LEG]


def test_a_leg_that_asks_after_a_stop_is_hung_up(engine: Engine, system: ListeningSystem) -> None:
    legs: Any = system.server.listener_legs
    sessions: Any = system.server.listening_sessions
    with engine.begin() as tx:
        listening = talking(tx, system)
    _, told = while_open(
        engine,
        lambda tx: sessions.stop_in(tx, SUPERVISOR),
        lambda tx: legs.answer_in(tx, listening, None, LEG, None),
    )
    assert told == HangUp()
    with engine.begin() as tx:
        assert listening_intervals.in_room(tx, "seat-1-x") == []


def test_another_seat_takes_a_leg_along_that_asks_at_the_same_moment(
    engine: Engine, system: ListeningSystem
) -> None:
    """Else it would belong to no listening, and stay in the first room for good."""
    legs: Any = system.server.listener_legs
    listening: Any = system.server.listening_sessions
    with engine.begin() as tx:
        first = talking(tx, system)
        user = accounts.user(tx, SUPERVISOR)
    wanted = Placement(2, Mode.SILENT, ListenReason.QUALITY)
    _, (result, sent) = while_open(
        engine,
        lambda tx: legs.answer_in(tx, first, None, LEG, None),
        lambda tx: and_what_it_sends(
            tx, lambda: listening.start_in(tx, user, MAY[Role.SUPERVISOR], wanted)
        ),
    )
    with engine.begin() as tx:
        row = listenings.get(tx, result)
        assert row is not None
        assert (row.seat, row.leg) == (2, LEG)
    assert [type(order) for order in sent] == [MoveListener]
    assert sent[0].must_leave
