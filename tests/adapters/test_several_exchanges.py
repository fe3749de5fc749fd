"""Orders to several exchanges, one of which is real; another does not answer; a third is named no more."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from callserver.adapters.asterisk import named_events
from callserver.adapters.asterisk.client import Ari
from callserver.adapters.asterisk.several_exchanges import SeveralExchanges
from callserver.adapters.asterisk.telephony import Asterisk
from callserver.domain import exchange_names
from callserver.domain.instruction import HangUp, Hear, Instruction, JoinRoom
from callserver.domain.line import OwnLine
from callserver.domain.listening import Mode
from callserver.domain.permit import DialPermit
from callserver.ports import Declined, Leg, LegState, Placed, Result, Room, Trouble
from tests.contract.carriers import CALLER_ID, RealAsterisk, real
from tests.harness.exchange.real import Called, Exchange
from tests.harness.recording_engine import RecordingEngine

SINCE = datetime(2026, 5, 12, tzinfo=UTC)
NUMBER = "+4532200100"


@pytest.fixture
async def carrier(exchange: tuple[Exchange, Called], tmp_path: Path) -> AsyncIterator[RealAsterisk]:
    async with real(tmp_path, exchange) as opened:
        yield opened


@pytest.fixture
def both(carrier: RealAsterisk) -> SeveralExchanges:
    away = carrier.settings.model_copy(update={"asterisk_url": "http://127.0.0.1:9"})
    shown = frozenset({CALLER_ID})
    silent = Asterisk(away, carrier.clock, Ari(away, carrier.http), carrier.speech, lambda: shown)
    return SeveralExchanges({"syd": silent, "nord": carrier.asterisk})


def permit(carrier: RealAsterisk, attempt: str) -> DialPermit:
    return DialPermit(attempt, NUMBER, CALLER_ID, carrier.clock.now(), 10, "r")


async def test_a_call_that_confirms_a_line_goes_by_an_exchange_that_answers(
    carrier: RealAsterisk, both: SeveralExchanges
) -> None:
    placed = await both.ring_to_confirm(permit(carrier, "lineb1"))
    assert placed == Placed("nord/lineb1")
    found = await both.look_up("lineb1", None, Room(""), NUMBER, SINCE)
    assert found.ref == "nord/lineb1"
    # No engine expects this leg: its exchange may have ended it by now.
    assert found.state not in (LegState.UNKNOWN_LEG, LegState.NO_ANSWER)
    assert await both.hang_up("nord/lineb1") in (Result.DONE, Result.GONE)


async def test_what_an_exchange_away_has_is_not_known(both: SeveralExchanges) -> None:
    """Nobody may conclude that it has ended."""
    assert (await both.leg("syd/seat-1-x-phoner")).state is LegState.NO_ANSWER
    assert (await both.leg("nord/seat-1-x-phoner")).state is LegState.UNKNOWN_LEG
    room = Room("syd/seat-1-x", "syd/seat-1-x")
    assert (await both.look_up("a1", None, room, NUMBER, SINCE)).state is LegState.NO_ANSWER
    # One whose exchange is not known may be at either.
    assert (await both.look_up("a1", None, Room(""), NUMBER, SINCE)).state is LegState.NO_ANSWER
    assert await both.hang_up("syd/seat-1-x-phoner") is Result.SILENT


async def test_an_exchange_that_is_named_no_more_has_nothing(
    carrier: RealAsterisk, both: SeveralExchanges
) -> None:
    room = Room("øst/seat-1-x", "øst/seat-1-x")
    assert await both.leg("øst/a") == Leg(LegState.UNKNOWN_LEG, "øst/a")
    assert (await both.look_up("a1", None, room, NUMBER, SINCE)).state is LegState.UNKNOWN_LEG
    assert await both.hang_up("øst/a") is await both.cancel("øst/a") is Result.GONE
    assert await both.apologise("øst/a", "house") is Result.GONE
    assert await both.find_room("øst/seat-1-x") is None
    line = OwnLine("client:phoner_1")
    for answer in (
        await both.place(permit(carrier, "a1"), room),
        await both.ring_phoner(line, 1, room, CALLER_ID),
        await both.ring_listener(line, 1, CALLER_ID, "øst"),
    ):
        assert isinstance(answer, Declined)
        assert answer.trouble in (Trouble.ROOM_GONE, Trouble.AWAY)


async def test_an_exchange_away_stops_no_campaign(
    carrier: RealAsterisk, both: SeveralExchanges
) -> None:
    room = Room("syd/seat-1-x", "syd/seat-1-x")
    answer = await both.place(permit(carrier, "a2"), room)
    assert isinstance(answer, Declined)
    assert answer.trouble is Trouble.LATER


def test_names_of_one_exchange_stay_as_they_are() -> None:
    engine = RecordingEngine().events
    assert named_events.of_exchange(engine, "") is engine
    assert exchange_names.at("", "seat-1-x") == "seat-1-x"
    assert exchange_names.split("seat-1-x") == ("", "seat-1-x")
    assert exchange_names.split(exchange_names.at("nord", "1795947861.13")) == (
        "nord",
        "1795947861.13",
    )


class Says(RecordingEngine):
    """Gives the instruction that it is told to give."""

    says: Instruction = HangUp()

    async def phoner_asks(self, seat: int | None, identity: str | None, leg: str) -> Instruction:
        await super().phoner_asks(seat, identity, leg)
        return self.says

    async def listener_asks(
        self,
        listening: int | None,
        listener: int | None,
        leg: str,
        hears: tuple[Mode, str] | None = None,
    ) -> Instruction:
        self.told.append(("listener_asks", leg, hears))
        return self.says


async def test_what_belongs_to_another_exchange_is_not_done_here() -> None:
    """An instruction for a leg of one exchange never leads to a room or leg of another."""
    engine = Says()
    nord = named_events.of_exchange(engine.events, "nord")
    for room, here in (("nord/seat-1-x", JoinRoom("seat-1-x", 1)), ("syd/seat-1-x", HangUp())):
        engine.says = JoinRoom(room, 1)
        assert await nord.phoners.phoner_asks(1, None, "seat-1-x-phoner") == here
    assert ("phoner_asks", 1, None, "nord/seat-1-x-phoner") in engine.told
    for leg in ("nord/a", "syd/a"):
        exchange, own = exchange_names.split(leg)
        engine.says = Hear(f"{exchange}/seat-1-x", 1, Mode.SILENT, leg)
        heard = await nord.listeners.listener_asks(1, None, "b", (Mode.SILENT, "a"))
        expected = Hear("seat-1-x", 1, Mode.SILENT, own) if exchange == "nord" else HangUp()
        assert heard == expected
        assert ("listener_asks", "nord/b", (Mode.SILENT, "nord/a")) in engine.told
