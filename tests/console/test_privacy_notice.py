"""A phoner sends the privacy notice to the person on the line: a case that its receipt answers."""

from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from callserver.database import accounts
from callserver.domain.role import Role
from tests.harness.staffed import StaffedSystem

MEMBERS = "ref;navn;telefon;født;medlem;kilde\nK1;Karla Juul;32200001;1980-01-01;ja;gademøde\n"
PATH = "/privacy-notice"


@pytest.fixture
def system(tmp_path: Path) -> Iterator[StaffedSystem]:
    made = StaffedSystem(tmp_path, campaign="opgradering", people=MEMBERS, phoners=2)
    made.add_user("mads", Role.MEMBER_SERVICE, None)
    yield made
    made.close()


async def talking(system: StaffedSystem) -> str:
    """Somebody is on the line; the call."""
    await system.on_shift()
    await system.ready()
    await system.pass_time(6)
    status, card = await system.api("POST", "/card", {})
    assert (status, card["privacy_notice"]) == (200, True)
    return str(card["attempt"])


def sent(system: StaffedSystem) -> list[Path]:
    return sorted((system.folder / "messages").glob("*"))


async def closed_cases(system: StaffedSystem) -> list[dict[str, Any]]:
    service = await system.client("mads")
    found: list[dict[str, Any]] = (await service.api("GET", "/cases?closed=true")).json()["cases"]
    return found


async def test_it_goes_by_sms_to_the_number_called(system: StaffedSystem) -> None:
    wanted = {"attempt": await talking(system), "reply_by": "sms", "language": "da"}
    answer = await system.api("POST", PATH, wanted)
    assert answer == (200, {"done": True}), answer
    await system.pass_time(1)
    (message,) = sent(system)
    assert "+4532200001" in message.read_text("utf-8")
    assert "eksempelforeningen.example/privatliv" in message.read_text("utf-8")
    (case,) = await closed_cases(system)
    assert case["kind"] == "privacy_notice"
    assert [entry["did"] for entry in system.entries("case")] == ["opened", "answered", "closed"]
    assert {entry["call"] for entry in system.entries("case")[:1]} == {wanted["attempt"]}
    assert "32200001" not in str(system.entries())
    # The person still wants to be called: asking for it ends nothing.
    assert system.entries("suppressed") == []


async def test_it_goes_by_email_in_the_persons_language(system: StaffedSystem) -> None:
    attempt = await talking(system)
    wanted = {"attempt": attempt, "reply_by": "email", "language": "en"}
    for wrong in ("", "karla", "karla@@example.org"):
        assert (await system.api("POST", PATH, {**wanted, "email": wrong}))[0] == 409
    assert (await system.api("POST", PATH, {**wanted, "reply_by": "letter"}))[0] == 422
    assert (await system.api("POST", PATH, {**wanted, "email": "karla@example.org"}))[0] == 200
    await system.pass_time(1)
    (message,) = sent(system)
    mail = message_from_bytes(message.read_bytes(), policy=policy.default)
    assert (mail["To"], mail["Subject"]) == ("karla@example.org", "How we treat your personal data")


async def test_only_to_who_is_on_the_line(system: StaffedSystem) -> None:
    attempt = await talking(system)
    wanted = {"attempt": attempt, "reply_by": "sms"}
    assert (await system.api("POST", PATH, wanted, phoner=2))[0] == 409, "another's call"
    assert (await system.api("POST", PATH, {**wanted, "attempt": "a"}))[0] == 409
    system.network.hang_up_by_person(system.live_legs()[0])
    await system.pass_time(2)
    assert (await system.outcome("no_thanks", then="pause"))[0] == 200
    status, told = await system.api("POST", PATH, wanted)
    assert status == 409, "the call is over"
    assert "medlemsservice" in told["detail"]
    assert sent(system) == []


async def test_a_repeated_request_sends_it_once(system: StaffedSystem) -> None:
    wanted = {"attempt": await talking(system), "reply_by": "sms"}
    user = system.read(lambda tx: accounts.user(tx, 1))
    phoner = await system.client(user.handle)
    for _ in range(2):
        reply = await phoner.api("POST", PATH, wanted, **{"idempotency-key": "a"})
        assert reply.status_code == 200, reply.text
    await system.pass_time(1)
    assert len(sent(system)) == 1


async def test_member_service_sends_it_too(system: StaffedSystem) -> None:
    service = await system.client("mads")
    wanted = {"kind": "privacy_notice", "source": "telephone", "number": "32200001"}
    for reply in ({"reply_by": "sms", "reply_to": "32200001"}, {"reply_by": "letter"}):
        made = await service.api("POST", "/cases", {**wanted, **reply})
        assert made.status_code == 200, made.text
    await system.pass_time(1)
    assert len(sent(system)) == 1
    assert len(await closed_cases(system)) == 1, "a letter is written first"
