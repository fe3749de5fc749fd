"""An own exchange at a foreign carrier (Kamailio), with foreign telephones (baresip)."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import httpx
import pytest
import typer
from structlog.testing import capture_logs
from typer.testing import CliRunner

from callserver.adapters.asterisk.bridging import packets_received
from callserver.adapters.asterisk.client import Ari
from callserver.cli import asterisk
from callserver.database import carrier_states as states
from callserver.engine.reporting import floor_figures
from tests.harness.exchange.baresip import WHY_NO_BARESIP, Baresip
from tests.harness.exchange.kamailio import HOST, PASSWORD, SECOND, USER, Kamailio, at_carrier
from tests.harness.exchange.real import Called, Exchange, await_trunk
from tests.harness.exchange.sip import Telephone
from tests.harness.exchange.system import ExchangeSystem, opened, people
from tests.harness.waiting import eventually

AtCarrier = tuple[Exchange, Called, Kamailio]
STRANGER = "127.0.0.21"


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtCarrier]:
    """TLS, a password, a registration."""
    with at_carrier(tmp_path_factory.mktemp("tls"), digest=True) as carrier:
        await_trunk(carrier[0], "online")
        yield carrier


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtCarrier]:
    """UDP, and known addresses; the carrier calls from another of them as well, and where we register."""
    folder = tmp_path_factory.mktemp("udp")
    settings = {"USER": USER, "PASSWORD": PASSWORD, "NETWORKS": SECOND}
    trunk = {f"ASTERISK_TRUNK_{name}": value for name, value in settings.items()}
    with at_carrier(folder, digest=False, speaks=True, **trunk) as carrier:
        await_trunk(carrier[0], "online")
        yield carrier


def refused(code: int) -> str:
    """A list whose numbers the carrier refuses with this code."""
    rows = [f"R{n};Person {n};3229{n}{code};1980-01-01;gade" for n in range(1, 7)]
    return "\n".join(["ref;navn;telefon;født;kilde", *rows, ""])


def alarms(system: ExchangeSystem) -> set[str]:
    ctx = system.server.ctx
    figures = system.read(lambda tx: floor_figures.read(tx, ctx, floor_figures.count(tx, ctx)))
    return {alarm.kind.value for alarm in figures.alarms}


@asynccontextmanager
async def on_shift(at: AtCarrier, folder: Path, list_: str) -> AsyncIterator[ExchangeSystem]:
    """A system whose phoner is in their room with a baresip that signed in by TLS."""
    if WHY_NO_BARESIP:
        pytest.skip(WHY_NO_BARESIP)
    exchange, called, _ = at
    async with opened(folder, exchange, called, list_) as system:
        softphone = await system.own.softphones.hand_out("telephone_1", 1)
        authority = exchange.folder / "exchange.pem"
        telephone = Baresip(folder, authority, exchange.sip, softphone.name, softphone.password)
        telephone.start()
        try:
            await signed_in(exchange, softphone.name)
            body = {"campaign": "kanvas", "line": f"sip:{softphone.name}"}
            await system.do("POST", "/shift", body)
            await system.wait_for(lambda: system.seat_row().connected)
            yield system
        finally:
            telephone.stop()


async def signed_in(exchange: Exchange, name: str) -> None:
    settings = exchange.settings
    auth = (settings.asterisk_user, settings.asterisk_password)
    url = f"{settings.asterisk_url}/ari/endpoints/PJSIP/{name}"
    async with httpx.AsyncClient(auth=auth) as http:

        async def online() -> bool:
            return bool((await http.get(url)).json().get("state") == "online")

        await eventually(online, 150)  # a telephone that is refused tries again after half a minute


async def sounds(ari: Ari, leg: str) -> bool:
    return await packets_received(ari, leg) > 10


def checked(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """`callserver asterisk check` of this exchange."""
    for name, value in exchange.environment.items():
        monkeypatch.setenv(name, value)
    app = typer.Typer()
    asterisk.register(app)
    result = CliRunner().invoke(app, ["asterisk", "check"])
    return result.exit_code, result.output


# -- calls ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["registered", "known"])
async def test_a_foreign_telephone_talks_through_a_foreign_carrier(
    request: pytest.FixtureRequest, tmp_path: Path, by: str
) -> None:
    at: AtCarrier = request.getfixturevalue(by)

    async with on_shift(at, tmp_path, people("00")) as system:
        await system.ready()
        await system.wait_for(lambda: system.seat_row().state == "talking")
        ari = system.own.ari
        # The telephones beyond the carrier speak no SRTP: by TLS only the phoner's sound is counted.
        legs = [system.seat_row().leg, *([system.calls()[0].attempt] if by == "known" else [])]
        for leg in legs:
            await eventually(partial(sounds, ari, leg))
        await system.do("POST", "/hang-up", {})
        await system.wait_for(lambda: system.calls()[0].ended_at)
        assert system.calls()[0].cause == "completed"
        invited = re.findall(r"INVITED (.+)", at[2].log.read_text("latin-1"))[-1]
        assert invited.startswith("+4532200100 FROM +4532123400")
        offered = re.search(
            r"^m=audio \d+ RTP/S?AVP (\d+) (\d+)", system.called.messages(), re.MULTILINE
        )
        assert offered
        assert offered.groups() == ("8", "0")  # alaw before ulaw, as the settings say


@pytest.mark.parametrize("code", [401, 402, 403, 407])
async def test_a_carrier_that_does_not_accept_us_stops_the_campaign_at_once(
    known: AtCarrier, tmp_path: Path, code: int
) -> None:
    async with on_shift(known, tmp_path, refused(code)) as system:
        await system.ready()
        await system.wait_for(lambda: system.entries("breaker"))
        assert system.entries("breaker")[0]["reason"] == f"provider_{code}"
        await system.wait_for(lambda: system.seat_row().reason == "CAMP_PAUSED")
        assert [(call.cause, call.code) for call in system.calls()] == [("declined", code)]
        assert all(contact.tries == 0 for contact in system.contacts())
        assert "campaign_stopped" in alarms(system)


@pytest.mark.parametrize("code", [488, 500, 503])
async def test_a_run_of_refusals_without_any_ringing_stops_the_campaign(
    known: AtCarrier, tmp_path: Path, code: int
) -> None:
    async with on_shift(known, tmp_path, refused(code)) as system:
        await system.ready()
        await system.wait_for(lambda: system.entries("breaker"))
        await system.wait_for(lambda: system.seat_row().reason == "CAMP_PAUSED")
        calls = system.calls()
        assert 1 < len(calls) < 5
        assert len({call.number for call in calls}) == len(calls)
        assert {(call.cause, call.code, call.rang_at) for call in calls} == {
            ("declined", code, None)
        }
        assert all(contact.tries == 0 for contact in system.contacts())


async def test_a_wrong_password_of_the_trunk_is_told_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """check does not say ready, an alarm says it, and the first call stops the campaign."""
    with at_carrier(tmp_path / "at", digest=True, ASTERISK_TRUNK_PASSWORD="wrong") as at:
        await_trunk(at[0], "online")

        async with on_shift(at, tmp_path, people("00", "00")) as system:
            await system.wait_for(lambda: "not_registered" in alarms(system))
            await system.ready()
            await system.wait_for(lambda: system.entries("breaker"))
            assert system.entries("breaker")[0]["reason"] == "provider_407"
            assert [call.code for call in system.calls()] == [407]
        code, said = await asyncio.to_thread(checked, at[0], monkeypatch)
        assert code == 1
        assert "has not accepted our registration" in said
        assert "the exchange is ready" not in said


async def test_check_finds_a_taken_port_of_the_telephones(
    known: AtCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asterisk starts without that transport and says nothing."""
    exchange = known[0]
    exchange.stop()
    with socket.create_server(("127.0.0.1", 0)) as other, socket.socket() as outgoing:
        outgoing.bind(exchange.sip)
        outgoing.connect(other.getsockname())
        exchange.start()
        try:
            code, said = await asyncio.to_thread(checked, exchange, monkeypatch)
        finally:
            exchange.stop()
    exchange.start()
    assert code == 1
    assert f"nothing accepts TLS at port {exchange.sip[1]}" in said
    assert "no SIP telephone can sign in" in said


# -- call-backs ----------------------------------------------------------------------------------


async def test_who_calls_back_to_the_registered_contact_is_greeted(
    known: AtCarrier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange, called, carrier = known

    async with opened(tmp_path, exchange, called, people("00")) as system:

        def at_carrier_() -> bool:
            states_read = {carrier.state for carrier in system.read(states.every)}
            return states_read == {"online", "registered"}

        await system.wait_for(at_carrier_)
        caller = await Telephone("20304050", (HOST, carrier.port)).open()
        system.telephones.append(caller)
        ari = system.own.ari

        async def no_channels() -> bool:
            return not (await ari.get("channels")).body

        with capture_logs() as logs:
            talk = await caller.call("32123400")
            assert talk.status == 200
            await system.wait_for(lambda: system.entries("inbound"))
            await system.wait_for(talk.loud)
            await caller.hang_up(talk)  # before the greeting has been said
            await eventually(no_channels)
        assert not [log for log in logs if log["log_level"] == "error"]
        assert (await caller.call("32123499")).status == 404  # none that we show
        assert "not_registered" not in alarms(system)
    assert (await asyncio.to_thread(checked, exchange, monkeypatch))[0] == 0


async def test_who_rings_back_a_removed_campaign_at_the_registered_contact_is_greeted(
    known: AtCarrier, tmp_path: Path
) -> None:
    exchange, called, carrier = known
    async with opened(tmp_path, exchange, called, people("00")) as system:
        await system.wait_for(
            lambda: {one.state for one in system.read(states.every)} == {"online", "registered"}
        )
        rules = system.server.ctx.rules
        left = {name: kept for name, kept in rules.current.campaigns.items() if name != "kanvas"}
        rules.replace(replace(rules.current, campaigns=left))
        caller = await Telephone("20304050", (HOST, carrier.port)).open()
        system.telephones.append(caller)
        talk = await caller.call("32123400")
        assert talk.status == 200
        await system.wait_for(lambda: system.entries("inbound"))
        await caller.hang_up(talk)


# -- who is let in -------------------------------------------------------------------------------


async def test_the_plain_transport_is_the_carriers_alone(known: AtCarrier, tmp_path: Path) -> None:
    exchange, called, _ = known
    plain = ("127.0.0.1", exchange.settings.asterisk_plain_port)

    async with opened(tmp_path, exchange, called, people("00")) as system:
        credentials = await system.own.softphones.hand_out("telephone_1", 1)
        telephone = await Telephone(credentials.name, plain).open()
        second = await Telephone("20304050", plain).open(host=SECOND)
        stranger = await Telephone("20304050", plain).open(host=STRANGER)
        system.telephones += [telephone, second, stranger]
        assert await telephone.register(credentials.password) in (401, 403)  # right, but in clear
        talk = await second.call("32123400")
        assert talk.status == 200
        await second.hang_up(talk)
        assert (await stranger.call("32123400")).status in (401, 403)
        security = exchange.folder / "log" / "security"
        lines = security.read_text().splitlines()
        assert [line for line in lines if "FailedACL" in line and STRANGER in line]


async def test_a_wrong_password_leaves_a_line_for_fail2ban(
    exchange: tuple[Exchange, Called], tmp_path: Path
) -> None:
    async with opened(tmp_path, *exchange, people("00")) as system:
        await system.own.softphones.hand_out("telephone_1", 1)
        telephone = await Telephone("telephone_1", system.exchange.sip).open()
        system.telephones.append(telephone)
        assert await telephone.register("guessed") in (401, 403)
        security = system.exchange.folder / "log" / "security"

        def told() -> list[str]:
            lines = security.read_text().splitlines()
            return [line for line in lines if "ChallengeResponseFailed" in line]

        await system.wait_for(told)
        assert 'RemoteAddress="IPV4/UDP/127.0.0.1/' in told()[-1]


async def test_a_certificate_of_an_unknown_authority_is_not_accepted(tmp_path: Path) -> None:
    unknown = "/etc/ssl/certs/ca-certificates.crt"
    with at_carrier(tmp_path, digest=True, ASTERISK_TRUNK_CA=unknown) as (exchange, _, _):
        log = exchange.folder / "out.log"
        await eventually(lambda: "certificate is untrusted" in log.read_text("latin-1"))
        await_trunk(exchange, "offline")
