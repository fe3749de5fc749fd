"""What the adapter sends, held against Twilio's own OpenAPI."""

import base64
import json
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest

from callserver.domain.instruction import Hear, WaitToHear
from callserver.domain.line import OwnLine
from callserver.domain.listening import Mode
from callserver.ports import Placed, Room
from tests.harness.twilio_adapter import (
    BASE,
    CA,
    CF,
    NOW,
    SETTINGS,
    Work,
    either,
    permit,
    place,
    run,
)

SPEC = Path(__file__).parents[2] / ".node" / "twilio_api_v2010.json"
OPEN_IN_THE_SPEC = {
    "StatusCallbackEvent": {"initiated", "ringing", "answered", "completed"},
    "Beep": {"true", "false", "onEnter", "onExit"},
    "MachineDetection": {"Enable", "DetectMessageEnd"},
    "Status": {"canceled", "completed"},
}


@cache
def described() -> dict[str, Any]:
    assert SPEC.exists(), "run scripts/openapi-spec: it fetches Twilio's OpenAPI"
    document: dict[str, Any] = json.loads(SPEC.read_text("utf-8"))
    return document


@cache
def spec() -> OpenAPI:
    return OpenAPI.from_dict(described())


ORDERS: dict[str, tuple[Work, dict[str, Any]]] = {
    "place": (place, {}),
    "place with machine detection": (place, {"amd": True}),
    "ring a browser": (
        lambda t: t.ring_phoner(OwnLine("client:phoner_1"), 1, Room("r"), "+4532123400"),
        {},
    ),
    "ring a SIP phone": (
        lambda t: t.ring_phoner(OwnLine("sip:a@b.c"), 1, Room("r"), "+4532123400"),
        {},
    ),
    "ring a telephone": (
        lambda t: t.ring_phoner(OwnLine("+4532200001"), 1, Room("r"), "+4532123400"),
        {},
    ),
    "ring to confirm": (lambda t: t.ring_to_confirm(permit()), {}),
    "ring a listener": (
        lambda t: t.ring_listener(OwnLine("client:listener_7"), 7, "+4532123400"),
        {},
    ),
    "move a listener": (lambda t: t.hear(CA, Hear("r", 7, Mode.COACH, CA)), {}),
    "let a listener wait": (lambda t: t.hear(CA, WaitToHear(7)), {}),
    "cancel": (lambda t: t.cancel(CA), {}),
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
    known = {
        parameter["name"]
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "query"
    }
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
    for path, item in described()["paths"].items():
        pattern = re.sub(r"\\{\w+\\}", "[^/]+?", re.escape(path))
        if re.fullmatch(pattern, request.url.path):
            operation: dict[str, Any] = item[request.method.lower()]
            return operation
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
