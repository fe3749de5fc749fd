"""A report that changes nothing is not written: it costs no commit, and repeated it changes nothing either."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from callserver.database.tables import processed_events
from callserver.domain.call import Receipt, Report
from callserver.ports import Tx
from callserver.provider_events import CallReport, RoomChange, RoomEvent
from tests.harness.simulated import SimulatedSystem, in_a_talk


@pytest.fixture
def system(tmp_path: Path) -> Iterator[SimulatedSystem]:
    made = SimulatedSystem(tmp_path)
    yield made
    made.close()


def receipts(tx: Tx) -> int:
    return int(tx.execute(select(func.count()).select_from(processed_events)).scalar_one())


async def test_what_is_known_already_is_not_written(system: SimulatedSystem) -> None:
    leg = await in_a_talk(system)
    call, before, entries = system.calls()[0], system.read(receipts), len(system.entries())
    for sequence, report in enumerate((Report.TAKEN, Report.RANG, Report.ANSWERED)):
        receipt = Receipt("call", leg.sid, 100 + sequence)
        await system.server.call_flow.receive(
            CallReport(call.attempt, report, leg=leg.sid, receipt=receipt)
        )
    assert system.calls()[0] == call
    assert system.read(receipts) == before
    assert len(system.entries()) == entries


async def test_what_ends_the_call_is_written_once(system: SimulatedSystem) -> None:
    leg = await in_a_talk(system)
    call, before = system.calls()[0], system.read(receipts)
    ended = CallReport(
        call.attempt, Report.HUNG_UP, leg=leg.sid, receipt=Receipt("call", leg.sid, 100)
    )
    await system.server.call_flow.receive(ended)
    assert system.read(receipts) == before + 1
    entries = len(system.entries())
    await system.server.call_flow.receive(ended)
    assert system.read(receipts) == before + 1
    assert len(system.entries()) == entries


async def test_a_contacts_leg_in_the_room_is_no_news_while_it_talks(
    system: SimulatedSystem,
) -> None:
    leg = await in_a_talk(system)
    seat, before = system.seats()[0], system.read(receipts)
    joined = RoomEvent(
        room=seat.room,
        room_ref=seat.room_ref or "",
        leg=leg.sid,
        change=RoomChange.JOINED,
        receipt=Receipt("conference", seat.room_ref or "", 100),
    )
    await system.server.provider_events.rooms.room_event(joined)
    assert system.read(receipts) == before
    assert system.seats()[0] == seat
