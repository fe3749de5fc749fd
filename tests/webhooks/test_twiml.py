"""What a leg is told: golden files, and no attribute that Twilio does not document."""

import os
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from callserver.adapters.twilio import speech
from callserver.domain.instruction import (
    AskKey,
    HangUp,
    Hear,
    Instruction,
    JoinRolePlay,
    JoinRoom,
    Say,
    SayCode,
    WaitToHear,
)
from callserver.domain.listening import Mode
from callserver.domain.role_play import Player
from webhooks.twiml import render

GOLDEN = Path(__file__).parents[1] / "golden" / "twiml"
PHONER = "CA" + "3" * 32
WHO = {"organisation": "Lysværk"}
INSTRUCTIONS: dict[str, Instruction] = {
    "join_room": JoinRoom("seat-1-abc", 1),
    "inbound_who": AskKey("inbound_who", WHO),
    "inbound_no_calls": AskKey("inbound_no_calls", WHO),
    "inbound_unknown": AskKey("inbound_unknown", WHO),
    "call_me_refused": Say("inbound_call_me_refused"),
    "never_done": Say("inbound_never_done"),
    "hang_up": HangUp(),
    "hear_silent": Hear("seat-1-abc", 7, Mode.SILENT, PHONER),
    "hear_coach": Hear("seat-1-abc", 7, Mode.COACH, PHONER),
    "hear_join": Hear("seat-1-abc", 7, Mode.JOIN, PHONER),
    "wait_to_hear": WaitToHear(7),
    "join_role_play": JoinRolePlay("role-play-7-abc", 7, Player.APPLICANT),
    "line_code": SayCode("Lys & <Værk>", "012345"),
}
BOOLEAN = {"true", "false"}
DOCUMENTED: dict[str, dict[str, set[str] | None]] = {
    "Response": {},
    "Dial": {"action": None, "method": {"POST", "GET"}},
    "Conference": {
        "beep": {"true", "false", "onEnter", "onExit"},
        "startConferenceOnEnter": BOOLEAN,
        "endConferenceOnExit": BOOLEAN,
        "maxParticipants": {"2"},
        "participantLabel": None,
        "jitterBufferSize": {"small", "medium", "large", "off"},
        "waitUrl": None,
        "muted": BOOLEAN,
        "coach": None,
        "statusCallback": None,
        "statusCallbackMethod": {"POST", "GET"},
        "statusCallbackEvent": None,
    },
    "Say": {"voice": {"Polly.Naja", "Polly.Mads", "Polly.Sofie-Neural"}, "language": {"da-DK"}},
    "Gather": {
        "input": {"dtmf"},
        "numDigits": None,
        "timeout": None,
        "action": None,
        "method": {"POST", "GET"},
        "actionOnEmptyResult": BOOLEAN,
    },
    "Hangup": {},
    "Pause": {"length": None},
    "Redirect": {"method": {"POST", "GET"}},
}
EVENTS = {"start", "end", "join", "leave", "mute", "hold", "modify", "speaker", "announcement"}


def rendered(name: str) -> str:
    if name == "apology":
        return speech.apology("Lysværk")
    return render(INSTRUCTIONS[name], "https://calls.example.org/")


NAMES = [*INSTRUCTIONS, "apology"]


@pytest.mark.parametrize("name", NAMES)
def test_golden(name: str) -> None:
    path = GOLDEN / f"{name}.xml"
    if os.environ.get("CALLSERVER_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(rendered(name) + "\n", "utf-8")
    assert path.read_text("utf-8") == rendered(name) + "\n"


@pytest.mark.parametrize("name", NAMES)
def test_only_documented_attributes(name: str) -> None:
    for element in ET.fromstring(rendered(name)).iter():
        allowed = DOCUMENTED[element.tag]
        for attribute, value in element.attrib.items():
            assert attribute in allowed, f"{element.tag} {attribute}"
            values = allowed[attribute]
            assert values is None or value in values, f"{attribute}={value}"
            if attribute == "statusCallbackEvent":
                assert set(value.split(" ")) <= EVENTS


def test_the_phoners_room_is_silent_and_outlives_its_visitors() -> None:
    room = ET.fromstring(rendered("join_room")).find("Dial/Conference")
    assert room is not None
    assert room.attrib["beep"] == "false"
    assert room.attrib["waitUrl"] == ""
    assert room.attrib["endConferenceOnExit"] == "false"
    assert set(room.attrib["statusCallbackEvent"].split()) >= {"end", "join", "leave"}


@pytest.mark.parametrize("mode", Mode)
def test_a_listener_neither_opens_nor_ends_a_room_and_joins_unheard(mode: Mode) -> None:
    room = ET.fromstring(rendered(f"hear_{mode.value}")).find("Dial/Conference")
    assert room is not None
    assert room.attrib["beep"] == "false"
    assert room.attrib["waitUrl"] == ""
    assert room.attrib["startConferenceOnEnter"] == "false"
    assert room.attrib["endConferenceOnExit"] == "false"
    assert room.attrib["muted"] == ("true" if mode is Mode.SILENT else "false")
    assert room.attrib.get("coach") == (PHONER if mode is Mode.COACH else None)
    assert "statusCallback" not in room.attrib  # the room's own callbacks stay the phoner's
