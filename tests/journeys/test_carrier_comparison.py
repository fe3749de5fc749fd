"""The carrier's list against ours, from the simulated network's own record of what rang."""

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete

from callserver.database.engines import snapshot
from callserver.database.tables import calls
from callserver.domain import phone
from callserver.domain.carrier_list import CarrierCall, parse
from callserver.engine.audit_log.carrier_comparison import Comparison, compare
from tests.harness.simulated import SimulatedSystem
from tests.journeys.test_judge import an_evening

HEADS = ["Call Sid", "From", "To", "Start Time", "Direction", "Status"]


@pytest.fixture
async def system(tmp_path: Path) -> SimulatedSystem:
    return await an_evening(tmp_path)


def twilio_list(system: SimulatedSystem, late: float = 0, *, with_ids: bool = True) -> str:
    """The network's calls as Twilio's console exports them. `late`: its clock, in seconds."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADS)
    refs = {call.number: call.ref for call in system.calls()}
    for ring in system.network.record:
        at = (ring.rang_at + timedelta(seconds=late)).astimezone(UTC)
        known = refs.get(phone.to_int(ring.number)) if ring.number.startswith("+") else None
        sid = known if with_ids and known else ""
        shown = at.strftime("%H:%M:%S UTC %Y-%m-%d")
        writer.writerow([sid, ring.caller, ring.number, shown, "outbound-api", "completed"])
    return out.getvalue()


def compared(system: SimulatedSystem, text: str, colleagues: set[int] | None = None) -> Comparison:
    listed = parse(text, "UTC", "trunk")
    with snapshot(system.server.store.engine) as tx:
        return compare(tx, listed, colleagues or set())


@pytest.mark.parametrize("with_ids", [True, False])
@pytest.mark.parametrize("late", [-45, 0, 45])
async def test_an_honest_evening_agrees_though_clocks_differ(
    system: SimulatedSystem, late: float, with_ids: bool
) -> None:
    result = compared(system, twilio_list(system, late, with_ids=with_ids))
    assert result.findings == []
    assert result.paired == len(system.calls())


async def test_a_call_that_nobody_permitted_is_named_without_its_number(
    system: SimulatedSystem,
) -> None:
    text = twilio_list(system)
    secret = "CA9,+4532123400,+4532209999,15:02:00 UTC 2026-05-12,outbound-api,completed\n"
    [finding] = compared(system, text + secret).findings
    assert "a call without a permit" in finding
    assert "CA9" in finding
    assert "32209999" not in finding
    assert compared(system, text + secret, {4532209999}).of_colleagues == 1


async def test_a_call_deleted_here_is_without_a_permit(system: SimulatedSystem) -> None:
    text = twilio_list(system)
    first = system.calls()[0].attempt
    system.write(lambda tx: tx.execute(delete(calls).where(calls.c.attempt == first)))
    assert len(compared(system, text).without_permit) == 1


async def test_a_call_that_the_carrier_does_not_know_is_named(system: SimulatedSystem) -> None:
    lines = twilio_list(system).splitlines(keepends=True)
    outbound = [line for line in lines if ",+45322" in line]
    lines.remove(outbound[2])
    [finding] = compared(system, "".join(lines)).findings
    assert "the carrier does not know this call" in finding


async def test_one_call_of_the_carrier_stands_for_one_of_ours(system: SimulatedSystem) -> None:
    text = twilio_list(system)
    again = next(line for line in text.splitlines() if ",+45322" in line)
    assert len(compared(system, text + again + "\n").without_permit) == 1


def test_an_exchanges_records_are_read_by_trunk() -> None:
    cells = ["", "+4532123400", "+4532200001", "out", "", "PJSIP/trunk-0001", "", "Dial", ""]
    cells += ["2026-05-12 17:00:04", "", "2026-05-12 17:00:30", "26", "0", "ANSWERED", "", "a1"]
    inside = [*cells[:5], "PJSIP/phoner_1-0002", *cells[6:]]
    text = "".join(",".join(f'"{cell}"' for cell in row) + "\n" for row in (cells, inside))
    assert parse(text, "Europe/Copenhagen", "trunk") == [
        CarrierCall("a1", 4532200001, datetime(2026, 5, 12, 15, 0, 4, tzinfo=UTC))
    ]


@pytest.mark.parametrize(
    "text", ["", "a,b,c\n", "Call Sid,To,Start Time\nCA1,+4532200001,yesterday\n"]
)
def test_a_list_that_is_none_is_refused_by_line(text: str) -> None:
    with pytest.raises(ValueError, match="line"):
        parse(text, "UTC", "trunk")


@pytest.mark.parametrize(
    "row",
    [
        "+4532200000",  # the file breaks off
        "+4532200000,0001-01-01T00:00:00+14:00",
        "+4532200000,9999-12-31T23:59:59-12:00",
        "+4532200000,9999-12-31T23:59:59",
        f"+45{'3' * 140_000},2026-05-12T15:00:00",
    ],
    ids=lambda row: row[:40],
)
def test_a_row_that_cannot_be_read_is_refused_by_line(row: str) -> None:
    with pytest.raises(ValueError, match="line 2: "):
        parse(f"To,Start Time\n{row}\n", "UTC", "trunk")


def test_times_are_read_as_carriers_write_them() -> None:
    head = "Call Sid,To,Start Time,Direction\n"
    written = ["2026-05-12T15:00:04Z", "Tue, 12 May 2026 15:00:04 +0000", "15:00:04 UTC 2026-05-12"]
    rows = "".join(f'CA1,+4532200001,"{at}",outbound-api\n' for at in written)
    inbound = 'CA2,+4532123400,"2026-05-12T15:00:04Z",inbound\n'
    browser = 'CA3,client:phoner_1,"2026-05-12T15:00:04Z",outbound-api\n'
    assert {call.at for call in parse(head + rows + inbound + browser, "UTC", "trunk")} == {
        datetime(2026, 5, 12, 15, 0, 4, tzinfo=UTC)
    }


async def test_an_empty_list_of_a_known_time_knows_none_of_our_calls(
    system: SimulatedSystem,
) -> None:
    now = system.clock.now()
    with snapshot(system.server.store.engine) as tx:
        result = compare(tx, [], set(), period=(now - timedelta(days=1), now))
    assert len(result.not_at_carrier) == len([row for row in system.calls() if row.ref])
