"""What a browser's telephone signs in with: for its own user, while they have an account, and nobody else."""

import base64
import json
import time
from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator

from callserver.app import create
from callserver.database import accounts
from callserver.domain.role import Action, Role
from callserver.engine.accounts.authentication import new_token
from callserver.engine.accounts.offboarding import off_board
from callserver.simulator import asgi
from callserver.simulator.population import Population
from callserver.simulator.visitors import Visitors
from tests.harness.staffed import Client, StaffedSystem

KEY: dict[str, Any] = {
    "api_key": "SK" + "4" * 32,
    "api_secret": "s" * 32,
    "app_sid": "AP" + "5" * 32,
}


@pytest.fixture
def twilio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StaffedSystem]:
    """A system with Twilio's softphone."""
    made = StaffedSystem(tmp_path_factory.mktemp("twilio"), **KEY)
    for role in Role:
        made.add_user(role.value, role)
    yield made
    made.close()


def claims(token: str) -> dict[str, object]:
    claims: dict[str, object] = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    return claims


@pytest.mark.parametrize(("role", "path"), [("phoner", ""), ("supervisor", "/listener")])
async def test_a_token_for_ones_own_browser(twilio: StaffedSystem, role: str, path: str) -> None:
    client = await twilio.client(role)
    me = (await client.api("GET", "/me")).json()["id"]
    name = f"{'listener' if path else 'phoner'}_{me}"
    shown = await client.api("GET", f"/softphone{path}")
    assert (shown.json()["kind"], shown.json()["identity"]) == ("twilio", name)
    reply = await client.api("POST", f"/softphone{path}", {})
    assert reply.headers["cache-control"] == "no-store"
    told = reply.json()
    assert (told["kind"], told["identity"], told["sip"]) == ("twilio", name, None)
    token = told["twilio"].pop("token")
    assert told["twilio"] == {"edge": "roaming", "calls_in": True}
    body = claims(token)
    assert body["grants"]["identity"] == name  # type: ignore[index]
    assert body["exp"] - body["nbf"] == told["lasts_s"] == 3600  # type: ignore[operator]
    assert abs(body["nbf"] - time.time()) < 60  # type: ignore[operator]


async def test_nobody_gets_anothers(twilio: StaffedSystem) -> None:
    for role in Role:
        client = await twilio.client(role.value)
        for path, may in (
            ("/softphone", role is Role.PHONER),
            ("/softphone/listener", role in (Role.SUPERVISOR, Role.LEADER)),
        ):
            reply = await client.api("POST", path, {})
            assert (reply.status_code == 200) == may, (role, path)
            assert may or (reply.status_code == 403 and "token" not in reply.text)
        assert (await client.api("POST", "/softphone/1", {})).status_code == 404
        somebody = await client.api("POST", "/softphone", {"identity": "phoner_1"})
        assert somebody.status_code in (403, 422)
    assert (await Client(twilio).api("POST", "/softphone", {})).status_code == 401


async def test_a_trainee_hears_their_mentor_by_a_listeners_telephone(twilio: StaffedSystem) -> None:
    client = await twilio.client("phoner")
    me = (await client.api("GET", "/me")).json()["id"]
    assert (await client.api("POST", "/softphone/trainee", {})).json()[
        "identity"
    ] == f"listener_{me}"
    assert (await client.api("POST", "/softphone/listener", {})).status_code == 403


async def test_a_secret_is_never_the_answer_to_a_get(twilio: StaffedSystem) -> None:
    client = await twilio.client("phoner")
    assert "ey" not in (await client.api("GET", "/softphone")).text
    assert (await client.api("POST", "/softphone", {}, **{"x-csrf": "guessed"})).status_code == 403


async def test_a_token_of_ours_needs_the_scope(twilio: StaffedSystem) -> None:
    now = twilio.clock.now()
    for scope, status in ((Action.CORRECT, 403), (Action.PHONE, 200)):
        token, hashed = new_token()
        work = partial(accounts.add_token, hashed=hashed, user_id=1, name="t", now=now)
        twilio.write(partial(work, scopes=[scope]))
        header = {"authorization": f"Bearer {token}"}
        reply = await Client(twilio).api("POST", "/softphone", {}, **header)
        assert reply.status_code == status


async def test_no_log_entry_and_no_address_holds_it(twilio: StaffedSystem) -> None:
    client = await twilio.client("phoner")
    token = (await client.api("POST", "/softphone", {})).json()["twilio"]["token"]
    assert token not in json.dumps(twilio.entries())


async def test_pages_may_connect_to_twilios_edge_and_nowhere_else(
    twilio: StaffedSystem, system: StaffedSystem
) -> None:
    async def connect(server: StaffedSystem) -> str:
        policy = (await (await server.client("phoner")).request("GET", "/phone")).headers[
            "content-security-policy"
        ]
        return next(part for part in policy.split("; ") if part.startswith("connect-src"))

    assert await connect(twilio) == "connect-src 'self' wss://voice-js.roaming.twilio.com"
    assert await connect(system) == "connect-src 'self'"


async def test_a_house_without_one_says_so(system: StaffedSystem) -> None:
    client = await system.client("phoner")
    assert (await client.api("GET", "/softphone")).json()["missing"] == "key"
    reply = await client.api("POST", "/softphone", {})
    assert reply.status_code == 409


async def test_no_production_server_plays_telephones(
    twilio: StaffedSystem, system: StaffedSystem
) -> None:
    for server in (twilio, system):
        client = await server.client("phoner")
        for path in ("/softphone/played", "/softphone/played/call", "/softphone/listener/played"):
            assert (await client.api("POST", path, {})).status_code == 404


async def test_who_has_left_is_refused_by_name_at_once(twilio: StaffedSystem) -> None:
    """The token may last longer: no page gets a new one, and a leg with it is not let in."""
    client = await twilio.client("phoner")
    me = (await client.api("GET", "/me")).json()["id"]
    identity = (await client.api("POST", "/softphone", {})).json()["identity"]

    async def calls_in() -> str:
        plan = twilio.plan
        url = f"{plan.public_url}/twilio/voice/client"
        form = {"CallSid": "CA" + "7" * 32, "From": f"client:{identity}", "To": ""}
        form["AccountSid"] = plan.account
        signed = RequestValidator(plan.token).compute_signature(url, form)
        headers = [
            (b"x-twilio-signature", signed.encode()),
            (b"content-type", b"application/x-www-form-urlencoded"),
        ]
        _, reply = await asgi.call(twilio.app, "POST", url, headers, urlencode(form).encode())
        await twilio.server.ctx.background.idle()
        return reply.decode()

    line = f"client:{identity}"
    twilio.people.phoners_answer = False
    await twilio.server.phoner_actions.on_shift(
        twilio.read(lambda tx: accounts.user(tx, me)), twilio.campaign, line
    )
    assert "<Conference" in await calls_in()
    now = twilio.clock.now()
    twilio.write(lambda tx: off_board(tx, accounts.user(tx, me), now, "test"))  # type: ignore[arg-type]
    assert "<Conference" not in await calls_in()
    assert (await client.api("POST", "/softphone", {})).status_code == 401


async def test_a_played_telephone_is_its_own_users(system: StaffedSystem) -> None:
    calls_in_at = f"{system.plan.public_url}/twilio/voice/client"
    played = Visitors(system.network, Population(1), calls_in_at)
    played.start((), system.people)
    system.app = create(system.server, ticking=False, played=played)
    phoner, supervisor = await system.client("phoner"), await system.client("supervisor")
    assert (await phoner.api("GET", "/softphone")).json()["kind"] == "simulated"
    credentials = (await phoner.api("POST", "/softphone", {})).json()
    assert (credentials["twilio"], credentials["sip"]) == (None, None)
    assert (await phoner.api("POST", "/softphone/played/mute", {"on": True})).status_code == 200
    assert (await phoner.api("POST", "/softphone/listener/played", {})).status_code == 403
    for path, body in (("", {}), ("/call", {}), ("/mute", {"on": True})):
        assert (await supervisor.api("POST", f"/softphone/played{path}", body)).status_code == 403
        assert (
            await Client(system).api("POST", f"/softphone/played{path}", body)
        ).status_code == 401


async def test_the_softphones_of_a_role_play_call_can_only_be_called(twilio: StaffedSystem) -> None:
    client, guest = await twilio.client("supervisor"), Client(twilio)
    department = (await client.api("GET", "/me")).json()["department"]
    body = {"name": "Ane Prøvesen", "department": department}
    applicant = (await client.api("POST", "/applicants", body)).json()["applicants"][0]["id"]
    begun = await client.api("POST", f"/applicants/{applicant}/role-play", {"campaign": "kanvas"})
    await guest.api("POST", "/role-play/enter", {"code": begun.json()["code"]})
    key = begun.json()["id"]
    for who, server, path in (
        ("interviewer", client, f"/role-plays/{key}/softphone"),
        ("applicant", guest, "/role-play/softphone"),
    ):
        assert (await server.api("GET", path)).json()["identity"] == f"{who}_{key}"
        reply = await server.api("POST", path, {})
        assert reply.headers["cache-control"] == "no-store"
        assert not reply.json()["twilio"]["calls_in"]
        body = claims(reply.json()["twilio"]["token"])
        grants: Any = body["grants"]
        assert grants == {"identity": f"{who}_{key}", "voice": {"incoming": {"allow": True}}}
        assert int(str(body["exp"])) - int(str(body["nbf"])) == 45 * 60
        assert (await server.api("POST", f"{path}/played", {})).status_code == 404
