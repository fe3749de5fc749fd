"""What the adapter sends, held against Twilio's own OpenAPI; and what it makes of every answer."""

import asyncio
import base64
import json
import re
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import respx
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest

from callserver.adapters.twilio import Twilio
from callserver.domain.permit import DialPermit, PermitVoid
from callserver.ports import Declined, LegState, Placed, Room, Silent, Trouble
from callserver.settings import Settings
from callserver.simulator.time import VirtualClock

SPEC = Path(__file__).parents[2] / ".node" / "twilio_api_v2010.json"
NOW = datetime(2026, 5, 12, 15, tzinfo=UTC)
AC, CF, CA = "AC" + "1" * 32, "CF" + "2" * 32, "CA" + "3" * 32
BASE = f"https://api.twilio.com/2010-04-01/Accounts/{AC}"
CALL = {"sid": CA, "status": "ringing", "to": "+4532200000", "date_created": None}
PARTICIPANT = {"call_sid": CA, "conference_sid": CF, "label": "a1", "status": "queued"}
SETTINGS = Settings(
    account_sid=AC,
    auth_token="token",
    public_url="https://calls.example.org",
    api_key="SK" + "4" * 32,
    api_secret="s" * 32,
    app_sid="AP" + "5" * 32,
)
OPEN_IN_THE_SPEC = {
    "StatusCallbackEvent": {"initiated", "ringing", "answered", "completed"},
    "Beep": {"true", "false", "onEnter", "onExit"},
    "MachineDetection": {"Enable", "DetectMessageEnd"},
    "Status": {"canceled", "completed"},
}


@cache
def spec() -> OpenAPI:
    assert SPEC.exists(), "run scripts/openapi-spec: it fetches Twilio's OpenAPI"
    return OpenAPI.from_dict(json.loads(SPEC.read_text()))


def permit(at: datetime = NOW) -> DialPermit:
    return DialPermit("a1", "+4532200000", "+4532123400", at, 25, "r")


def adapter(http: httpx.AsyncClient, **more: Any) -> Twilio:
    from dataclasses import replace

    return Twilio(replace(SETTINGS, **more), VirtualClock(NOW), http)


Work = Callable[[Twilio], Coroutine[Any, Any, Any]]


def run(work: Work, reply: Any = None, **more: Any) -> tuple[Any, list[httpx.Request]]:
    """Let the adapter do one thing against one answer; what came of it, and what was sent."""

    async def go() -> tuple[Any, list[httpx.Request]]:
        sent: list[httpx.Request] = []

        def answer(request: httpx.Request) -> httpx.Response:
            sent.append(request)
            found = reply(request) if callable(reply) else reply
            if isinstance(found, Exception):
                raise found
            assert isinstance(found, httpx.Response)
            return found

        with respx.mock(assert_all_called=False) as router:
            router.route().mock(side_effect=answer)
            async with httpx.AsyncClient() as http:
                return await work(adapter(http, **more)), sent

    return asyncio.run(go())


def ok(document: Any, status: int = 200) -> httpx.Response:
    return httpx.Response(status, json=document)


def error(status: int, code: int) -> httpx.Response:
    return httpx.Response(status, json={"code": code, "message": "no", "status": status})


def place(twilio: Twilio) -> Coroutine[Any, Any, Any]:
    return twilio.place(permit(), Room("room", CF))


def either(request: httpx.Request) -> httpx.Response:
    """A sensible answer for whatever was asked."""
    path = request.url.path
    if path.endswith("Participants.json"):
        return ok(PARTICIPANT, 201)
    if "/Participants/" in path:
        return ok(PARTICIPANT)
    if path.endswith("Conferences.json"):
        return ok({"conferences": [{"sid": CF, "status": "in-progress"}], "next_page_uri": None})
    if path.endswith("Calls.json") and request.method == "GET":
        return ok({"calls": [CALL], "next_page_uri": None})
    return ok(CALL, 201 if path.endswith("Calls.json") else 200)


ORDERS: dict[str, tuple[Work, dict[str, Any]]] = {
    "place": (place, {}),
    "place with machine detection": (place, {"amd": True}),
    "ring a browser": (lambda t: t.ring_phoner("client:phoner_1", 1, Room("r"), "+4532123400"), {}),
    "ring a SIP phone": (lambda t: t.ring_phoner("sip:a@b.c", 1, Room("r"), "+4532123400"), {}),
    "ring a telephone": (lambda t: t.ring_phoner("+4532200001", 1, Room("r"), "+4532123400"), {}),
    "hang up": (lambda t: t.hang_up(CA), {}),
    "apologise": (lambda t: t.apologise(CA, "Lysværk"), {}),
    "look up by sid": (lambda t: t.look_up("a1", CA, Room("r", CF), "+4532200000", NOW), {}),
    "look up by label": (lambda t: t.look_up("a1", None, Room("r", CF), "+4532200000", NOW), {}),
    "look up by number": (lambda t: t.look_up("a1", None, Room("r"), "+4532200000", NOW), {}),
    "leg": (lambda t: t.leg(CA), {}),
    "find room": (lambda t: t.find_room("room"), {}),
}


def check(request: httpx.Request) -> None:
    """Against the spec, and against what the spec leaves open."""
    form = parse_qs(request.content.decode(), keep_blank_values=True)
    operation = spec_operation(request)
    schema = (
        operation.get("requestBody", {})
        .get("content", {})
        .get("application/x-www-form-urlencoded", {})
        .get("schema", {})
        .get("properties", {})
    )
    assert set(form) <= set(schema), f"unknown fields {set(form) - set(schema)}"
    known = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"}
    assert set(request.url.params) <= known
    for name, values in OPEN_IN_THE_SPEC.items():
        assert set(form.get(name, ())) <= values, name
    spec().validate_request(
        MockRequest(
            "https://api.twilio.com",
            request.method.lower(),
            request.url.path,
            args=dict(request.url.params),
            headers=dict(request.headers),
            data=request.content or None,
            content_type="application/x-www-form-urlencoded",
        )
    )


def spec_operation(request: httpx.Request) -> dict[str, Any]:
    for path, item in json.loads(SPEC.read_text())["paths"].items():
        pattern = re.sub(r"\\{\w+\\}", "[^/]+?", re.escape(path))
        if re.fullmatch(pattern, request.url.path):
            found: dict[str, Any] = item[request.method.lower()]
            return found
    raise AssertionError(f"{request.url.path} is no path of Twilio's")


@pytest.mark.parametrize("name", ORDERS)
def test_every_request_is_as_twilio_describes_it(name: str) -> None:
    work, more = ORDERS[name]
    _, sent = run(work, either, **more)
    assert sent
    for request in sent:
        check(request)


def test_the_check_itself_can_fail() -> None:
    """The negative control."""
    wrong = httpx.Request("POST", f"{BASE}/Calls.json", data={"To": "+45", "Beeep": "x"})
    with pytest.raises(AssertionError, match="Beeep"):
        check(wrong)


def test_a_contact_is_put_into_the_room_silently() -> None:
    answer, sent = run(place, either)
    assert answer == Placed(CA)
    form = parse_qs(sent[0].content.decode(), keep_blank_values=True)
    assert sent[0].url.path.endswith(f"/Conferences/{CF}/Participants.json")
    assert form["Label"] == ["a1"]
    assert form["Beep"] == ["false"]
    assert form["EndConferenceOnExit"] == ["false"]
    assert form["WaitUrl"] == [""]
    assert form["Timeout"] == ["20"]  # Twilio adds five
    assert form["StatusCallbackEvent"] == ["initiated", "ringing", "answered", "completed"]
    assert form["StatusCallback"] == [
        "https://calls.example.org/twilio/status/call?attempt=a1#rc=3&rp=ct,rt,5xx"
    ]
    assert "MachineDetection" not in form


CODES = {
    Trouble.BAD_NUMBER: [21201, 21211, 21214, 21216, 21217, 13223, 13224, 13225, 32203],
    Trouble.STOP: [20003, 20005, 20008, 10001, 10004, 16021, 21215, 13227, 32205, 21219, 21210]
    + [21212, 13214, 13247, 21203],
    Trouble.ROOM_GONE: [16003, 16020, 16022, 20404],
    Trouble.BUG: [21205, 21208, 21209, 21218, 21234, 21262, 21263, 21626, 99999],
}


@pytest.mark.parametrize(
    ("trouble", "code"), [(trouble, code) for trouble, codes in CODES.items() for code in codes]
)
def test_error_codes(trouble: Trouble, code: int) -> None:
    answer, sent = run(place, error(400, code))
    assert isinstance(answer, Declined)
    assert (answer.trouble, answer.code, len(sent)) == (trouble, code, 1)


def test_too_many_requests_may_be_tried_later() -> None:
    answer, sent = run(place, error(429, 20429))
    assert isinstance(answer, Declined)
    assert (answer.trouble, len(sent)) == (Trouble.LATER, 1)


@pytest.mark.parametrize(
    "reply",
    [
        error(500, 20500),
        httpx.Response(503, text="down"),
        httpx.ReadTimeout("no reply"),
        httpx.ConnectError("refused"),
        httpx.RemoteProtocolError("reset"),
        httpx.Response(201, text="<html>"),
    ],
    ids=["500", "503", "timeout", "refused", "reset", "unparsable"],
)
def test_what_does_not_tell_is_silent_and_sent_once(reply: Any) -> None:
    answer, sent = run(place, lambda _: reply)
    assert isinstance(answer, Silent)
    assert len(sent) == 1


def test_a_label_in_use_is_the_order_that_went_through_before() -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        return error(400, 16026) if request.method == "POST" else ok(PARTICIPANT)

    answer, sent = run(place, reply)
    assert answer == Placed(CA)
    assert [request.method for request in sent] == ["POST", "GET"]


def test_a_permit_is_spent_once_and_soon() -> None:
    one = permit()

    async def twice(twilio: Twilio) -> None:
        await twilio.place(one, Room("room", CF))
        with pytest.raises(PermitVoid):
            await twilio.place(one, Room("room", CF))

    _, sent = run(twice, either)
    assert len(sent) == 1

    async def late(twilio: Twilio) -> None:
        with pytest.raises(PermitVoid):
            await twilio.place(permit(NOW - timedelta(seconds=2.1)), Room("room", CF))

    _, sent = run(late, either)
    assert sent == []


def test_no_room_no_dial() -> None:
    answer, sent = run(lambda t: t.place(permit(), Room("room")), either)
    assert isinstance(answer, Declined)
    assert (answer.trouble, sent) == (Trouble.ROOM_GONE, [])


@pytest.mark.parametrize("code", [20404, 21220])
def test_hanging_up_what_is_gone_is_fine(code: int) -> None:
    run(lambda t: t.hang_up(CA), error(404 if code == 20404 else 400, code))


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("queued", LegState.QUEUED),
        ("ringing", LegState.RINGING),
        ("in-progress", LegState.TALKING),
        ("busy", LegState.ENDED),
        ("canceled", LegState.ENDED),
    ],
)
def test_a_leg_as_the_provider_sees_it(status: str, state: LegState) -> None:
    leg, _ = run(lambda t: t.leg(CA), ok({**CALL, "status": status}))
    assert leg.state is state


def test_not_knowing_and_not_answering_differ() -> None:
    for reply, state in (
        (error(404, 20404), LegState.UNKNOWN_LEG),
        (error(500, 20500), LegState.NO_ANSWER),
    ):
        leg, _ = run(lambda t: t.leg(CA), reply)
        assert leg.state is state
        found, _ = run(lambda t: t.look_up("a1", CA, Room("r", CF), "+4532200000", NOW), reply)
        assert found.state is state


def test_another_base_takes_every_request() -> None:
    for work, _ in ORDERS.values():
        _, sent = run(work, either, api_url="http://127.0.0.1:9999/base")
        for request in sent:
            assert str(request.url).startswith("http://127.0.0.1:9999/base/2010-04-01/Accounts/")


def test_nothing_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_REGION", "au1")
    monkeypatch.setenv("TWILIO_EDGE", "sydney")
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "leak")
    _, sent = run(place, either)
    assert sent[0].url.host == "api.twilio.com"
    user = base64.b64decode(sent[0].headers["authorization"].split()[1]).decode()
    assert user == f"{SETTINGS.api_key}:{SETTINGS.api_secret}"
    _, sent = run(place, either, region="ie1", edge="dublin")
    assert sent[0].url.host == "api.dublin.ie1.twilio.com"


def test_the_softphones_token() -> None:
    async def token(twilio: Twilio) -> str:
        return twilio.access_token("phoner_42")

    found, _ = run(token, either)
    head, claims, _ = found.split(".")
    header, body = (json.loads(base64.urlsafe_b64decode(one + "==")) for one in (head, claims))
    assert header["cty"] == "twilio-fpa;v=1"
    assert body["grants"]["identity"] == "phoner_42"
    assert body["grants"]["voice"]["incoming"] == {"allow": True}
    assert body["exp"] - body["nbf"] == 3600
