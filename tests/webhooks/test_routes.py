"""Each address on its own: what reaches the engine, and what is answered."""

import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from twilio.request_validator import RequestValidator

from callserver.domain.call import Receipt, Report
from callserver.domain.listening import Mode
from callserver.domain.role_play import Player
from callserver.provider_events import RoomChange, RoomEvent
from tests.harness.recording_engine import (
    AC,
    BASE,
    CA,
    CF,
    SETTINGS,
    WHO,
    Fields,
    RecordingEngine,
    post,
    send,
    webhook_routes,
)

AT = datetime(2026, 5, 12, 15, 0, 10, tzinfo=UTC)
TIMESTAMP = "Tue, 12 May 2026 17:00:10 +0200"

LEG = ("CallSid", CA)
STATUS = "/twilio/status/call?attempt=a1"
CALLER, CALLED = ("From", "+4532200000"), ("To", "+4532123400")


@pytest.mark.parametrize(
    ("status", "report"),
    [
        ("queued", Report.TAKEN),
        ("initiated", Report.TAKEN),
        ("ringing", Report.RANG),
        ("in-progress", Report.ANSWERED),
        ("completed", Report.HUNG_UP),
        ("busy", Report.BUSY),
        ("failed", Report.FAILED),
        ("no-answer", Report.NOT_ANSWERED),
        ("canceled", Report.CANCELLED),
    ],
)
def test_a_call_status_becomes_a_report(status: str, report: Report) -> None:
    answer, told = post(
        STATUS, LEG, ("CallStatus", status), ("SequenceNumber", "2"), ("Timestamp", TIMESTAMP)
    )
    assert (answer.status_code, answer.content) == (204, b"")
    assert told == [("report", "a1", report, AT, CA, Receipt(report.value[:4], CA, 2))]
    assert told[0][3].tzinfo is UTC


@pytest.mark.parametrize(
    ("path", "fields", "report"),
    [
        (STATUS, [("CallStatus", "COMPLETED")], Report.HUNG_UP),
        (STATUS, [("CallStatus", "In-Progress")], Report.ANSWERED),
        ("/twilio/status/amd?attempt=a1", [("AnsweredBy", "MACHINE_START")], Report.MACHINE),
    ],
)
def test_words_count_in_any_letter_case(
    path: str, fields: list[tuple[str, str]], report: Report
) -> None:
    answer, told = post(path, LEG, *fields)
    assert answer.status_code == 204
    assert told == [("report", "a1", report, None, CA, None)]


@pytest.mark.parametrize("timestamp", ["", "yesterday", "Fri, 31 Dec 9999 23:00:00 -1400"])
@pytest.mark.parametrize("sequence", ["", "-1", "²", "9" * 5000])
def test_what_cannot_be_read_is_left_out_of_the_report(timestamp: str, sequence: str) -> None:
    answer, told = post(
        STATUS,
        LEG,
        ("CallStatus", "ringing"),
        ("SequenceNumber", sequence),
        ("Timestamp", timestamp),
    )
    assert answer.status_code == 204
    assert told == [("report", "a1", Report.RANG, None, CA, None)]


ROOM = [("FriendlyName", "seat-1-abc"), ("ConferenceSid", CF), ("SequenceNumber", "4"), LEG]
JOINED = Receipt(f"j {CA[-6:]}", CF, 4)
OVER = Receipt("e", CF, 4)


@pytest.mark.parametrize(
    ("path", "fields", "told"),
    [
        (
            "/twilio/status/phoner?seat=7",
            [LEG, ("CallStatus", "completed"), ("SequenceNumber", "3")],
            ("phoner_leg_ended", 7, CA, Receipt("phoner", CA, 3)),
        ),
        (
            "/twilio/status/conference?seat=1",
            [*ROOM, ("StatusCallbackEvent", "participant-join"), ("ParticipantLabel", "a1")],
            ("room_event", RoomEvent("seat-1-abc", CF, CA, RoomChange.JOINED, JOINED)),
        ),
        (
            "/twilio/status/conference?seat=1",
            [*ROOM, ("StatusCallbackEvent", "participant-join"), ("ParticipantLabel", ROOM[0][1])],
            (
                "room_event",
                RoomEvent("seat-1-abc", CF, CA, RoomChange.JOINED, JOINED, of_phoner=True),
            ),
        ),
        (
            "/twilio/status/conference?seat=1",
            [*ROOM[:3], ("StatusCallbackEvent", "Conference-End")],
            ("room_event", RoomEvent("seat-1-abc", CF, "", RoomChange.ENDED, OVER, True)),
        ),
        (
            "/twilio/status/listener?listening=7",
            [LEG, ("CallStatus", "no-answer")],
            ("listener_leg_ended", CA),
        ),
        (
            "/twilio/status/role-play?role_play=7&player=interviewer",
            [LEG, ("CallStatus", "completed")],
            ("role_play_leg_ended", 7, Player.INTERVIEWER, CA),
        ),
        (
            "/twilio/status/amd?attempt=a1",
            [LEG, ("AnsweredBy", "machine_start"), ("MachineDetectionDuration", "4000")],
            ("report", "a1", Report.MACHINE, None, CA, None),
        ),
    ],
)
def test_the_other_reports(path: str, fields: Fields, told: tuple[Any, ...]) -> None:
    answer, reports = post(path, *fields)
    assert (answer.status_code, reports) == (204, [told])


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/twilio/status/phoner?seat=7", ("CallStatus", "in-progress")),
        ("/twilio/status/listener?listening=7", ("CallStatus", "ringing")),
        ("/twilio/status/role-play?role_play=7&player=applicant", ("CallStatus", "ringing")),
        ("/twilio/status/amd?attempt=a1", ("AnsweredBy", "human")),
    ],
)
def test_what_changes_nothing_is_told_to_nobody(path: str, field: tuple[str, str]) -> None:
    answer, told = post(path, LEG, field)
    assert (answer.status_code, told) == (204, [])


@pytest.mark.parametrize(
    ("how", "mode"),
    [
        ({"Muted": "true", "Coaching": "false"}, Mode.SILENT),
        ({"Muted": "false", "Coaching": "true"}, Mode.COACH),
        ({"Muted": "false", "Coaching": "false"}, Mode.JOIN),
        ({}, None),
    ],
)
def test_who_comes_into_a_room_without_a_label_is_a_listener(
    how: dict[str, str], mode: Mode | None
) -> None:
    joined = [*ROOM, ("StatusCallbackEvent", "participant-join"), ("ParticipantLabel", "")]
    joined += how.items()
    answer, told = post("/twilio/status/conference?seat=1", *joined)
    event = RoomEvent("seat-1-abc", CF, CA, RoomChange.JOINED, JOINED, True, mode)
    assert (answer.status_code, told) == (204, [("room_event", event)])


def test_an_event_of_a_room_that_we_never_asked_for_is_let_pass() -> None:
    answer, told = post(
        "/twilio/status/conference?seat=1", *ROOM, ("StatusCallbackEvent", "participant-mute")
    )
    assert (answer.status_code, told) == (204, [])


@pytest.mark.parametrize(
    ("path", "fields", "told", "verbs"),
    [
        (
            "/twilio/voice/phoner?seat=7",
            [LEG],
            ("phoner_asks", 7, None, CA),
            ["Dial", "Conference"],
        ),
        (
            "/twilio/voice/listener?listening=7",
            [LEG, ("DialCallStatus", "answered")],
            ("listener_asks", 7, None, CA),
            ["Dial", "Conference", "Pause", "Redirect"],
        ),
        (
            "/twilio/voice/role-play?role_play=7&player=applicant",
            [LEG],
            ("role_play_asks", 7, Player.APPLICANT, CA),
            ["Dial", "Conference", "Hangup"],
        ),
        ("/twilio/voice/line?attempt=line1", [LEG], ("code_for", "line1"), ["Say", "Hangup"]),
        (
            "/twilio/voice/client",
            [LEG, ("From", "client:listener_42")],
            ("listener_asks", None, 42, CA),
            ["Dial", "Conference", "Pause", "Redirect"],
        ),
        (
            "/twilio/voice/client",
            [LEG, ("From", "client:listener_x")],
            ("listener_asks", None, 0, CA),
            ["Dial", "Conference", "Pause", "Redirect"],
        ),
        (
            "/twilio/voice/client",
            [LEG, ("From", "client:phoner_42"), ("identity", "phoner_1")],
            ("phoner_asks", None, "phoner_42", CA),
            ["Dial", "Conference"],
        ),
        (
            "/twilio/voice/phoner/left?seat=7&room=r",
            [LEG, ("CallStatus", "in-progress")],
            ("phoner_left_room", 7, CA, "r"),
            ["Hangup"],
        ),
        (
            "/twilio/voice/phoner/left?seat=7&room=r",
            [LEG, ("CallStatus", "completed")],
            ("phoner_leg_ended", 7, CA, None),
            ["Hangup"],
        ),
        (
            "/twilio/voice/inbound",
            [LEG, CALLER, CALLED],
            ("greet", CALLER[1], CALLED[1], CA),
            ["Gather", "Say", "Hangup"],
        ),
        (
            "/twilio/voice/inbound/key",
            [LEG, CALLER, CALLED, ("Digits", "9")],
            ("pressed", CALLER[1], CALLED[1], CA, "9"),
            ["Say", "Hangup"],
        ),
        (
            "/twilio/voice/inbound/key",
            [LEG, CALLER, CALLED, ("Digits", "")],
            ("pressed", CALLER[1], CALLED[1], CA, ""),
            ["Say", "Hangup"],
        ),
    ],
)
def test_who_asks_is_told_what_to_do(
    path: str, fields: Fields, told: tuple[Any, ...], verbs: list[str]
) -> None:
    answer, reports = post(path, *fields)
    assert (answer.status_code, reports) == (200, [told])
    assert answer.headers["content-type"].startswith("text/xml")
    response = ET.fromstring(answer.content)
    assert [element.tag for element in response.iter()] == ["Response", *verbs]


def test_names_are_spoken_not_obeyed() -> None:
    answer, _ = post("/twilio/voice/inbound", LEG, CALLER, CALLED)
    said = ET.fromstring(answer.content).find("Gather/Say")
    assert said is not None
    assert WHO["organisation"] in (said.text or "")


def test_every_address_given_away_leads_back_here() -> None:
    """Also behind a base with a path: what TwiML names is what is signed next time."""
    answer, _ = post("/twilio/voice/phoner?seat=7", LEG)
    urls = [
        value
        for element in ET.fromstring(answer.content).iter()
        for value in element.attrib.values()
        if value.startswith("http")
    ]
    paths = {route.path for route in webhook_routes(SETTINGS, RecordingEngine())}
    assert len(urls) == 2
    for url in urls:
        assert url.startswith(BASE + "/twilio/")
        assert urlsplit(url).path.removeprefix("/house") in paths


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (STATUS, [LEG]),
        (STATUS, [LEG, ("CallStatus", "sleeping")]),
        (STATUS, [("CallStatus", "ringing")]),
        ("/twilio/status/call", [LEG, ("CallStatus", "ringing")]),
        ("/twilio/status/phoner?seat=", [LEG, ("CallStatus", "ringing")]),
        ("/twilio/voice/phoner?seat=one", [LEG]),
        ("/twilio/voice/phoner?seat=-1", [LEG]),
        ("/twilio/voice/phoner?seat=" + "9" * 5000, [LEG]),
        ("/twilio/voice/phoner?seat=7", []),
        ("/twilio/voice/client", [LEG, ("From", "+4532200000")]),
        ("/twilio/voice/listener", [LEG]),
        ("/twilio/voice/line", [LEG]),
        ("/twilio/voice/listener?listening=x", [LEG]),
        ("/twilio/status/listener?listening=7", [LEG]),
        ("/twilio/voice/role-play?role_play=7&player=phoner", [LEG]),
        ("/twilio/voice/role-play?player=applicant", [LEG]),
        ("/twilio/status/role-play?role_play=7", [LEG, ("CallStatus", "completed")]),
        ("/twilio/voice/inbound", [LEG, CALLER]),
        ("/twilio/status/amd?attempt=a1", [LEG]),
        ("/twilio/status/conference?seat=1", [LEG, ("StatusCallbackEvent", "participant-join")]),
    ],
)
def test_a_form_that_lacks_what_it_must_have(path: str, fields: Fields) -> None:
    answer, told = post(path, *fields)
    assert (answer.status_code, told) == (400, [])


@pytest.mark.parametrize("query", ["attempt=a1&x=%C3%A6%20+", "attempt=a1&b=&c", "attempt=%61%31"])
def test_the_query_is_verified_as_it_came(query: str) -> None:
    answer, told = post(
        f"/twilio/status/call?{query}",
        LEG,
        ("CallStatus", "ringing"),
        ("FromCity", ""),
        ("CallerName", "Åse Ærø"),
        ("Twice", "b"),
        ("Twice", "a"),
        ("Twice", "b"),
    )
    assert answer.status_code == 204
    assert told[0][:3] == ("report", "a1", Report.RANG)


@pytest.mark.parametrize("body", [b"\xff=1", b"%FF=1", b"no form", b"", b"&".join([b"a=1"] * 201)])
def test_what_is_no_form_is_nobodys(body: bytes) -> None:
    signed = RequestValidator("token").compute_signature(f"{BASE}{STATUS}", {})
    answer, told = send(STATUS, body, signed)
    assert answer.status_code == 403
    assert told[0][:2] == ("signature_refused", "/twilio/status/call")


@pytest.mark.parametrize("signed", ["å", "=" * 5000, "RSOYDt4T1cUTdK1PDd93/VVr8B8="])
def test_odd_signatures_are_only_wrong(signed: str) -> None:
    answer, told = send(STATUS, urlencode([("AccountSid", AC)]).encode(), signed)
    assert answer.status_code == 403
    assert told == [("signature_refused", "/twilio/status/call", "wrong_signature")]


def test_a_body_that_hides_its_length_is_cut_off() -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(70):
            yield b"a" * 1024

    answer, told = send(STATUS, endless())
    assert (answer.status_code, told) == (413, [])


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_only_posts(method: str) -> None:
    for route in webhook_routes(SETTINGS, RecordingEngine()):
        answer, told = send(route.path, b"", method=method)
        assert (answer.status_code, told) == (405, [])


def test_the_same_again_is_answered_again() -> None:
    for _ in range(2):
        answer, told = post(STATUS, LEG, ("CallStatus", "ringing"), ("SequenceNumber", "1"))
        assert (answer.status_code, len(told)) == (204, 1)
