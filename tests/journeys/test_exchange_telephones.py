"""Who is let in to the exchange, and how: browsers, SIP telephones by TLS, and nobody else."""

import asyncio
import datetime as dt
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from callserver.adapters.asterisk import config_files
from callserver.database import softphones as kept
from callserver.ports import Tx
from tests.harness.exchange.real import WHY_NOT, Called, Exchange, make
from tests.harness.exchange.streams import Browser, TlsTelephone
from tests.harness.exchange.system import ExchangeSystem, living, opened, people
from tests.harness.waiting import PATIENCE_S, eventually


async def test_a_telephone_is_handed_out_again_only_when_the_exchange_has_removed_it(
    exchange: tuple[Exchange, Called], tmp_path: Path
) -> None:
    """Asterisk answers a deletion early, and then deletes what was pushed meanwhile."""
    async with opened(tmp_path, *exchange) as system:
        await system.telephone()
    requests: list[str] = []
    is_known = "GET /ari/endpoints/PJSIP/telephone_1"
    removes = "DELETE /ari/asterisk/config/dynamic/res_pjsip/endpoint/telephone_1"

    def note(request: str) -> bool:
        requests.append(request)
        return False

    (tmp_path / "next").mkdir()
    system = ExchangeSystem(tmp_path / "next", *exchange)
    system.proxy.refuses = note
    async with living(system, ""):  # its database knows no telephone
        assert is_known in requests[requests.index(removes) :]
        assert (await system.own.ari.get("endpoints", "PJSIP", "telephone_1")).gone


async def test_a_browser_signs_in_with_its_newest_password_only(
    exchange: tuple[Exchange, Called], tmp_path: Path
) -> None:
    async with opened(tmp_path, *exchange, people("00")) as system:
        hand_out = system.own.softphones.hand_out
        first = await hand_out("phoner_1", 1)
        second = await hand_out("phoner_1", 1)
        assert first.url.startswith("ws://127.0.0.1:")
        assert first.aor == "sip:phoner_1@127.0.0.1"
        browser = await Browser("phoner_1", system.exchange.sip).open_at(first.url)
        assert await browser.register(first.password) in (401, 403)
        assert await browser.register(second.password) == 200
        ari = system.own.ari

        async def online() -> bool:
            endpoint = await ari.get("endpoints", "PJSIP", "phoner_1")
            return bool(endpoint.body["state"] == "online")

        await eventually(online)

        def ends(tx: Tx) -> None:
            (row,) = kept.alive(tx, system.clock.now())
            assert second.password not in str(row)
            kept.store(tx, row._replace(until=system.clock.now()))

        await system.server.store.run(ends)

        async def refused() -> bool:
            # 500 while the parts of its sign-in go one after the other
            return await browser.register(second.password) in (401, 403, 404)

        await eventually(refused)
        with pytest.raises(ValueError, match="softphone"):
            await hand_out("trunk", 1)
        await browser.close()


async def test_telephones_are_told_again_after_asterisk_has_restarted(
    exchange: tuple[Exchange, Called], tmp_path: Path
) -> None:
    async with opened(tmp_path, *exchange, people("00")) as system:
        password = (await system.own.softphones.hand_out("phoner_1", 1)).password
        await asyncio.to_thread(system.exchange.restart)
        await system.wait_for(lambda: not system.events.owns.is_set())
        await system.wait_for(system.events.owns.is_set)
        url = system.server.settings.asterisk_softphone_url
        browser = await Browser("phoner_1", system.exchange.sip).open_at(url)
        assert await browser.register(password) == 200
        await browser.close()


async def test_a_phoner_may_ring_in_herself(
    exchange: tuple[Exchange, Called], tmp_path: Path
) -> None:
    """The telephone rings and is not answered; the phoner dials 1, and is in their room."""

    async with opened(tmp_path, *exchange, people("00")) as system:
        telephone = await system.telephone(answers_after=None)
        early = await telephone.call("1")  # not on shift: the leg is not expected
        await system.wait_for(early.ended.is_set)
        await system.do("POST", "/shift", {"campaign": "kanvas", "line": "sip:telephone_1"})
        talk = await telephone.call("1")
        await system.wait_for(lambda: system.seat_row().connected)
        await system.ready()
        await system.wait_for(lambda: system.seat_row().state == "talking")
        await telephone.hang_up(talk)
        await system.wait_for(lambda: system.calls()[0].ended_at is not None)
        assert not system.seat_row().connected


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """An exchange as organisations run it: TLS, SRTP, a certificate."""
    if WHY_NOT:
        pytest.skip(WHY_NOT)
    folder = tmp_path_factory.mktemp("secure")
    certificate(folder)
    exchange = make(folder)
    exchange.environment.update(
        ASTERISK_SECURE="yes",
        ASTERISK_TRUNK="sip:127.0.0.2",
        ASTERISK_CERTIFICATE=str(folder / "cert.pem"),
        ASTERISK_CERTIFICATE_KEY=str(folder / "key.pem"),
    )
    for name, text in config_files.render(exchange.settings, ["+4532123400"]).items():
        (folder / "etc" / name).write_text(text)
    exchange.start()
    yield exchange
    exchange.stop()


def certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "exchange.test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


CRYPTO = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40


async def test_a_sip_telephone_comes_by_tls_and_must_encrypt_its_sound(
    secure: Exchange, tmp_path: Path
) -> None:
    called = Called(tmp_path, 9)
    async with opened(tmp_path, secure, called, people("00")) as system:
        credentials = await system.own.softphones.hand_out("telephone_1", 1)
        telephone = TlsTelephone("telephone_1", secure.sip)
        system.telephones.append(telephone)
        await telephone.open_tls(secure.folder / "cert.pem")
        assert telephone.version in ("TLSv1.2", "TLSv1.3")
        assert await telephone.register("guessed") in (401, 403)
        assert await telephone.register(credentials.password) == 200

        await system.do("POST", "/shift", {"campaign": "kanvas", "line": "sip:telephone_1"})
        await asyncio.wait_for(telephone.rang.wait(), PATIENCE_S)
        (talk,) = telephone.talks.values()
        assert talk.invite is not None
        assert "RTP/SAVP " in talk.invite.body
        assert "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" in talk.invite.body
        # An answer without keys has no sound: the leg ends, and never joins a room.
        await system.wait_for(talk.ended.is_set)
        assert not system.seat_row().connected
        assert not [entry for entry in system.entries("seat") if entry["state"] == "paused"]


async def test_nothing_listens_without_tls(secure: Exchange) -> None:
    host, port = secure.sip
    _, writer = await asyncio.open_connection(host, port)
    writer.write(b"OPTIONS sip:127.0.0.1 SIP/2.0\r\n\r\n")
    writer.close()
    text = (secure.folder / "etc" / "pjsip.conf").read_text()
    assert "protocol = udp" not in text
    loop = asyncio.get_running_loop()
    heard: asyncio.Future[bytes] = loop.create_future()

    class Listening(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            heard.set_result(data)

    udp, _ = await loop.create_datagram_endpoint(Listening, remote_addr=(host, port))
    udp.sendto(
        b"OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bKx\r\n"
        b"From: <sip:x@x>;tag=1\r\nTo: <sip:x@x>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n\r\n"
    )
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(heard, 1)
    udp.close()
