"""Twilio's requests to a whole server: which are accepted, and what is answered."""

import itertools
import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import prometheus_client
import pytest

from callserver.simulator import asgi, callbacks
from tests.harness.simulated import SimulatedSystem

FORM = (b"content-type", b"application/x-www-form-urlencoded")


@pytest.fixture
def system(tmp_path: Path) -> Iterator[SimulatedSystem]:
    made = SimulatedSystem(tmp_path)
    yield made
    made.close()


async def send(
    system: SimulatedSystem,
    path: str,
    form: dict[str, str],
    *,
    token: str | None = None,
    method: str = "POST",
) -> tuple[int, bytes]:
    url = system.plan.public_url + path
    whole = {"AccountSid": system.plan.account, **form}
    headers = [FORM]
    if token != "":
        signed = callbacks.sign(token or system.plan.token, url, whole)
        headers.append((b"x-twilio-signature", signed.encode()))
    return await asgi.call(system.app, method, url, headers, urlencode(whole).encode())


STATUS = {"CallSid": "CA1", "CallStatus": "ringing", "SequenceNumber": "1"}


@pytest.mark.parametrize(
    ("token", "form", "why"),
    [
        ("", STATUS, "unsigned"),
        ("wrong", STATUS, "wrong_signature"),
        (None, {**STATUS, "AccountSid": "AC" + "9" * 32}, "unknown_account"),
    ],
)
async def test_who_is_not_twilio_is_sent_away_and_written_down(
    system: SimulatedSystem, token: str | None, form: dict[str, str], why: str
) -> None:
    status, body = await send(system, "/twilio/status/call?attempt=x", form, token=token)
    assert (status, body) == (403, b"")
    entry = system.entries("signature_refused")[0]
    assert (entry["path"], entry["why"]) == ("/twilio/status/call", why)


async def test_a_flood_of_unsigned_requests_is_one_entry_a_path_and_minute(
    system: SimulatedSystem,
) -> None:
    """Unsigned requests cannot fill the log: they are counted, and logged by path and minute."""
    call, amd = "/twilio/status/call?attempt=x", "/twilio/status/amd?attempt=x"

    async def flood(path: str, times: int) -> None:
        for _ in range(times):
            assert (await send(system, path, STATUS, token=""))[0] == 403

    def counts() -> list[tuple[str, int]]:
        refusals = system.entries("signature_refused")
        return [(entry["path"], entry.get("count", 1)) for entry in refusals]

    await flood(call, 30)
    await flood(amd, 3)
    assert counts() == [("/twilio/status/call", 1), ("/twilio/status/amd", 1)]
    system.clock.set(system.clock.now() + timedelta(seconds=61))
    await flood(call, 5)
    assert counts()[2:] == [("/twilio/status/call", 30)]  # 29 of the minute before, and one now
    await system.server.refused_requests.flush()
    assert counts()[3:] == [("/twilio/status/amd", 2)]
    await system.server.refused_requests.flush(everything=True)  # the process ends
    assert counts()[4:] == [("/twilio/status/call", 4)]
    assert sum(count for _, count in counts()) == 38
    metrics = prometheus_client.generate_latest()
    assert (
        b'callserver_refused_requests_total{what="/twilio/status/call",why="unsigned"}' in metrics
    )


async def test_only_posts_of_a_sane_size(system: SimulatedSystem) -> None:
    path = "/twilio/status/call?attempt=x"
    assert (await send(system, path, STATUS, method="GET"))[0] == 405
    assert (await send(system, path, {**STATUS, "Pad": "x" * 70_000}))[0] == 413
    assert (await send(system, path, {"CallSid": "CA1"}))[0] == 400
    assert (await send(system, path, STATUS))[0] == 204


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/twilio/status/call?attempt=x", {**STATUS, "CallSid": "CA\0"}),
        ("/twilio/status/call?attempt=%00", STATUS),
        ("/twilio/voice/inbound", {"CallSid": "CA1", "From": "+45\0", "To": "+4532123400"}),
    ],
)
async def test_a_nul_is_refused_before_any_database_sees_it(
    system: SimulatedSystem, path: str, form: dict[str, str]
) -> None:
    assert (await send(system, path, form))[0] == 400


async def test_an_address_that_is_not_there_says_so(system: SimulatedSystem) -> None:
    for method, path, status in (("GET", "/nothing", 404), ("DELETE", "/ready", 405)):
        answered, problem = await system.api(method, path)
        assert (answered, problem["status"]) == (status, status)


async def test_a_nul_in_a_phoners_words_is_refused(system: SimulatedSystem) -> None:
    await system.on_shift()
    status, problem = await system.api("POST", "/pause", {"reason": "a\0"})
    assert (status, "NUL" in problem["detail"]) == (422, True)


async def test_an_unexpected_phoner_is_hung_up(system: SimulatedSystem) -> None:
    for path, form in (
        ("/twilio/voice/phoner?seat=77", {"CallSid": "CA1"}),
        ("/twilio/voice/client", {"CallSid": "CA1", "From": "client:phoner_1"}),
        ("/twilio/voice/client", {"CallSid": "CA1", "From": "client:phoner_\u00b2"}),
        ("/twilio/voice/client", {"CallSid": "CA1", "From": "client:phoner_" + "9" * 30}),
    ):
        status, body = await send(system, path, form)
        assert status == 200
        assert b"<Hangup" in body


EVENTS = ("initiated", "ringing", "in-progress", "completed")


def final(system: SimulatedSystem) -> Any:
    call = system.calls()[0]
    seat = system.seats()[0]
    kept = (call.state, call.cause, call.rang_at, call.answered_at, call.ended_at)
    return kept, seat.state, seat.outcome_owed, system.read(tally)


def tally(tx: Any) -> Any:
    from callserver.database import figures

    return figures.totals(tx)


async def deliver(system: SimulatedSystem, order: list[int], base: Any) -> None:
    attempt = system.calls()[0].attempt
    for number in order:
        form = {
            "CallSid": "CAcontact",
            "CallStatus": EVENTS[number],
            "SequenceNumber": str(number),
            "Timestamp": f"Tue, 12 May 2026 15:00:{10 + number:02} +0000",
        }
        status, _ = await send(system, f"/twilio/status/call?attempt={attempt}", form)
        assert status == 204
        await system.server.ctx.background.idle()


async def a_placed_call(system: SimulatedSystem) -> None:
    """A seat with an order on its way whose own callbacks stay away."""
    await system.on_shift()
    system.network.order = lambda leg: 0  # type: ignore[method-assign]
    system.network.sid = lambda kind: f"{kind}contact"  # type: ignore[method-assign]
    await system.ready()


ORDERS = list(itertools.permutations(range(4)))


async def test_reports_in_any_order_end_the_same(tmp_path: Path, full: bool) -> None:
    """R4: every order of a call's events, doubled and replayed, ends as the order in time does."""
    dice = random.Random(4)
    expected = None
    streams = [list(order) for order in ORDERS]
    for _ in range(2_000 if full else 16):
        stream = [*range(4), *dice.choices(range(4), k=dice.randint(1, 8))]
        dice.shuffle(stream)
        streams.append(stream)
    for number, stream in enumerate([[0, 1, 2, 3], *streams]):
        folder = tmp_path / str(number)
        folder.mkdir()
        system = SimulatedSystem(folder, people="ref;navn;telefon;kilde\n1;A;32200000;x\n")

        await a_placed_call(system)
        await deliver(system, stream, system.clock.now())
        (state, cause, *_), seat, owed, totals = end_state = final(system)
        system.close()
        if expected is None:
            expected = end_state
            assert (state, cause, seat, owed) == ("ended", "completed", "wrapping_up", True)
            assert totals == {"dials": 1, "answered": 1, "abandoned": 0}
        assert end_state == expected, stream


async def test_the_control_notices_a_side_effect_done_twice(system: SimulatedSystem) -> None:
    """R4's negative control: without receipts and the table, a replayed answer would count twice."""
    from callserver.database import daily_counts

    await a_placed_call(system)
    await deliver(system, [0, 1, 2, 3], None)
    system.write(lambda tx: daily_counts.count(tx, "kanvas", "answered", system.clock.now()))
    assert final(system)[3]["answered"] == 2
