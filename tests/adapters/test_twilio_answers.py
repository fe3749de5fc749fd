"""What the adapter makes of every answer, and of none."""

import base64
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from callserver.adapters.twilio.telephony import Twilio
from callserver.adapters.twilio.tokens import access_token
from callserver.domain.instruction import WaitToHear
from callserver.domain.line import OwnLine
from callserver.domain.permit import PermitVoid
from callserver.errors import ConfigurationProblem
from callserver.ports import Declined, Leg, LegState, Placed, Result, Room, Silent, Trouble
from tests.harness.twilio_adapter import (
    CA,
    CALL,
    CF,
    NOW,
    PARTICIPANT,
    SETTINGS,
    either,
    error,
    ok,
    permit,
    place,
    run,
)

CODES = {
    Trouble.BAD_NUMBER: [21201, 21211, 21214, 21216, 21217, 13223, 13224, 13225, 32203],
    Trouble.STOP: [
        20001,
        20003,
        20005,
        20008,
        20403,
        10001,
        10010,
        10004,
        16021,
        21210,
        21212,
        13214,
        13247,
    ],
    Trouble.REFUSED: [21215, 13227, 32205, 21219, 21203, 21401, 99999],
    Trouble.ROOM_GONE: [16003, 16020, 16022, 20404],
    Trouble.BUG: [21205, 21208, 21209, 21218, 21234, 21262, 21263, 21626],
}


@pytest.mark.parametrize(
    ("trouble", "code"), [(trouble, code) for trouble, codes in CODES.items() for code in codes]
)
def test_error_codes(trouble: Trouble, code: int) -> None:
    answer, sent = run(place, error(400, code))
    assert isinstance(answer, Declined)
    assert (answer.trouble, answer.code, len(sent)) == (trouble, code, 1)


@pytest.mark.parametrize("code", [10004, 16021])
def test_too_many_calls_are_no_passing_matter(code: int) -> None:
    """The account's limit comes as a 429 too: trying again every two seconds would not lift it."""
    answer, _ = run(place, error(429, code))
    assert isinstance(answer, Declined)
    assert (answer.trouble, answer.code) == (Trouble.STOP, code)


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
        httpx.RemoteProtocolError("reset"),
        error(408, 20408),
        error(500, 21211),  # the status counts, not the code
        *(  # not Twilio's: of something between
            httpx.Response(status, text="<html>no</html>")
            for status in (302, 400, 403, 404, 407, 413, 451)
        ),
        httpx.Response(403, json={"message": "Forbidden"}),
        *(httpx.Response(201, text=text) for text in ("<html>", "", "[]", "null", '"x"', "{}")),
    ],
)
def test_what_does_not_tell_is_silent_and_sent_once(reply: Any) -> None:
    answer, sent = run(place, lambda _: reply)
    assert isinstance(answer, Silent)
    assert len(sent) == 1


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
def test_what_was_not_sent_may_be_tried_later(error: type[httpx.TransportError]) -> None:
    answer, _ = run(place, lambda _: error("no connection"))
    assert isinstance(answer, Declined)
    assert answer.trouble is Trouble.LATER


def test_a_label_in_use_is_the_order_that_went_through_before() -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        return error(400, 16026) if request.method == "POST" else ok(PARTICIPANT)

    answer, sent = run(place, reply)
    assert answer == Placed(CA)
    assert [request.method for request in sent] == ["POST", "GET"]


def test_a_label_in_use_that_nobody_can_explain_is_silent() -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        return error(400, 16026) if request.method == "POST" else error(500, 20500)

    answer, sent = run(place, reply)
    assert isinstance(answer, Silent)
    assert [request.method for request in sent] == ["POST", "GET"]


def test_a_no_in_the_form_of_a_problem_document() -> None:
    document = {"type": "about:blank", "title": "no", "status": 400, "code": 21211}
    answer, _ = run(place, ok(document, 400))
    assert isinstance(answer, Declined)
    assert (answer.trouble, answer.code) == (Trouble.BAD_NUMBER, 21211)


def test_a_no_without_a_code_is_a_no() -> None:
    answer, _ = run(place, ok({"code": None, "message": "no"}, 400))
    assert answer == Declined(Trouble.REFUSED, 400, "declined")


def test_a_call_to_a_phoner_is_declined_as_one_to_a_contact() -> None:
    answer, sent = run(
        lambda t: t.ring_phoner(OwnLine("+4532200001"), 1, Room("r"), "+4532123400"),
        error(400, 21211),
    )
    assert isinstance(answer, Declined)
    assert (answer.trouble, len(sent)) == (Trouble.BAD_NUMBER, 1)


def test_a_permit_is_spent_once_and_soon() -> None:
    granted = permit()

    async def twice(twilio: Twilio) -> None:
        await twilio.place(granted, Room("room", CF))
        with pytest.raises(PermitVoid):
            await twilio.place(granted, Room("room", CF))

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
        looked_up, _ = run(
            lambda t: t.look_up("a1", CA, Room("r", CF), "+4532200000", NOW - timedelta(minutes=1)),
            reply,
        )
        assert looked_up.state is state


def test_a_call_that_twilio_has_just_named_is_not_unknown() -> None:
    """Its look-ups are eventually consistent."""
    room = Room("r", CF)
    found, _ = run(lambda t: t.look_up("a1", CA, room, "+4532200000", NOW), error(404, 20404))
    assert found.state is LegState.NO_ANSWER


@pytest.mark.parametrize(
    ("ref", "room"), [(CA, Room("r", CF)), (None, Room("r", CF)), (None, Room("r"))]
)
def test_a_stray_404_does_not_say_that_a_leg_is_unknown(ref: str | None, room: Room) -> None:
    """A proxy's page must not settle an attempt as never placed: it would be dialed again."""
    page = httpx.Response(404, text="<html>not here</html>")
    looked_up, _ = run(lambda t: t.look_up("a1", ref, room, "+4532200000", NOW), page)
    assert looked_up.state is LegState.NO_ANSWER


def began(seconds: float, sid: str, status: str = "queued") -> dict[str, Any]:
    """A listed leg: queued ones have no start time yet."""
    at = format_datetime(NOW + timedelta(seconds=seconds))
    return {**CALL, "sid": sid, "status": status, "date_created": at, "start_time": None}


@pytest.mark.parametrize(
    ("listed", "leg"),
    [
        ([], Leg(LegState.UNKNOWN_LEG)),
        ([began(1, CA)], Leg(LegState.QUEUED, CA)),
        ([began(-5, CA, "ringing")], Leg(LegState.RINGING, CA)),  # clocks differ
        ([began(-3600, CA, "completed")], Leg(LegState.UNKNOWN_LEG)),  # an earlier attempt's
        ([began(1, CA, "busy"), began(-3600, "CA" + "9" * 32)], Leg(LegState.ENDED, CA, "busy")),
    ],
)
def test_a_lost_order_is_found_by_its_number(listed: list[Any], leg: Leg) -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        if "/Participants/" in request.url.path:
            return error(404, 20404)
        return ok({"calls": listed, "next_page_uri": None})

    looked_up, sent = run(lambda t: t.look_up("a1", None, Room("r", CF), "+4532200000", NOW), reply)
    assert looked_up == leg
    assert [request.url.path.rsplit("/", 1)[1] for request in sent] == ["a1.json", "Calls.json"]
    assert sent[1].url.params["To"] == "+4532200000"


def test_a_list_without_calls_that_goes_on_without_end_says_nothing_of_a_lost_order() -> None:
    asked: list[str] = []

    def reply(request: httpx.Request) -> httpx.Response:
        if "/Participants/" in request.url.path:
            return error(404, 20404)
        asked.append(request.url.path)
        assert len(asked) < 5
        return ok({"calls": [], "next_page_uri": f"{request.url.path}?Page=1"})

    looked_up, _ = run(lambda t: t.look_up("a1", None, Room("r", CF), "+4532200000", NOW), reply)
    assert looked_up == Leg(LegState.NO_ANSWER)


def test_a_room_is_found_by_name_unless_it_is_over() -> None:
    for status, ref in (("in-progress", CF), ("init", CF), ("completed", None)):
        rooms = {"conferences": [{"sid": CF, "status": status}], "next_page_uri": None}
        room_ref, _ = run(lambda t: t.find_room("room"), ok(rooms))
        assert room_ref == ref
    room_ref, _ = run(lambda t: t.find_room("room"), error(500, 20500))
    assert room_ref is None


ORDERS = {
    "hear": lambda t: t.hear(CA, WaitToHear(7)),
    "cancel": lambda t: t.cancel(CA),
    "hang_up": lambda t: t.hang_up(CA),
    "apologise": lambda t: t.apologise(CA, "Lysværk"),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    ("reply", "result"),
    [
        (ok({"sid": CA, "status": "completed"}), Result.DONE),
        (error(400, 21220), Result.GONE),
        (httpx.Response(400, json={"code": "21220", "message": "x"}), Result.GONE),
        (error(404, 20404), Result.UNKNOWN),
        (error(429, 20429), Result.REFUSED),
        (error(401, 20003), Result.REFUSED),
        (httpx.Response(404, text="no such page"), Result.REFUSED),
        (error(500, 20500), Result.SILENT),
        (httpx.Response(503, text="busy"), Result.SILENT),
    ],
)
def test_the_result_of_an_order_to_a_leg(order: str, reply: Any, result: Result) -> None:
    answer, _ = run(ORDERS[order], reply)
    assert answer is result


def test_a_leg_that_goes_on_after_an_accepted_cancellation_was_answered() -> None:
    """It is asked about at once, so that the person hears the apology and not silence."""
    talks = ok({"sid": CA, "status": "in-progress"})
    assert run(ORDERS["cancel"], talks)[0] is Result.GONE
    assert run(ORDERS["hang_up"], talks)[0] is Result.DONE


def test_an_apology_is_spoken_to_the_leg() -> None:
    _, sent = run(lambda t: t.apologise(CA, "Lys & Værk"), either)
    form = parse_qs(sent[0].content.decode())
    assert sent[0].url.path.endswith(f"/Calls/{CA}.json")
    assert "Lys &amp; Værk" in form["Twiml"][0]
    assert len(form["Twiml"][0]) <= 4000
    run(lambda t: t.apologise(CA, "Lysværk"), error(400, 21220))  # hung up meanwhile: fine


def test_no_token_without_a_key_to_sign_it() -> None:
    with pytest.raises(ConfigurationProblem, match="TWILIO_API_KEY"):
        access_token(SETTINGS.model_copy(update={"api_key": ""}), "phoner_42")


def test_the_softphones_token() -> None:
    token = access_token(SETTINGS, "phoner_42")
    head, claims, _ = token.split(".")
    header, body = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in (head, claims))
    assert header == {"alg": "HS256", "cty": "twilio-fpa;v=1", "typ": "JWT"}
    assert body["grants"]["identity"] == "phoner_42"
    assert body["grants"]["voice"]["incoming"] == {"allow": True}
    assert body["grants"]["voice"]["outgoing"] == {"application_sid": SETTINGS.app_sid}
    assert (body["iss"], body["sub"]) == (SETTINGS.api_key, SETTINGS.account_sid)
    assert body["exp"] - body["nbf"] == 3600


CREATED = {"date_created": "Tue, 12 May 2026 15:00:00 +0000"}


@pytest.mark.parametrize(
    ("status", "more", "answered", "ended"),
    [
        ("in-progress", {"start_time": "Tue, 12 May 2026 15:00:06 +0000", **CREATED}, 6, None),
        # It may be the dial's time, also after a wait in Twilio's queue.
        ("in-progress", {"start_time": "Tue, 12 May 2026 15:00:05 +0000", **CREATED}, None, None),
        (
            "in-progress",
            {"start_time": "Tue, 12 May 2026 15:00:12 +0000", **CREATED, "queue_time": "7000"},
            None,
            None,
        ),
        (
            "in-progress",
            {"start_time": "Tue, 12 May 2026 15:00:13 +0000", **CREATED, "queue_time": "7000"},
            13,
            None,
        ),
        ("in-progress", {"start_time": "Tue, 12 May 2026 15:00:06 +0000"}, None, None),
        ("in-progress", {"start_time": None}, None, None),
        ("ringing", {"start_time": "Tue, 12 May 2026 15:00:05 +0000"}, None, None),
        (
            "completed",
            {"end_time": "Tue, 12 May 2026 15:00:30 +0000", "duration": "20"},
            10,
            30,
        ),
        ("completed", {"end_time": "Tue, 12 May 2026 15:00:30 +0000", "duration": None}, None, 30),
        ("completed", {"end_time": "soon", "duration": "20"}, None, None),
        ("busy", {"end_time": "Tue, 12 May 2026 15:00:30 +0000", "duration": "0"}, None, 30),
    ],
)
def test_a_look_up_tells_the_carriers_own_times(
    status: str, more: dict[str, Any], answered: int | None, ended: int | None
) -> None:
    leg, _ = run(lambda t: t.leg(CA), ok({**CALL, "status": status, **more}))
    hour = datetime(2026, 5, 12, 15, tzinfo=UTC)

    def at(seconds: int | None) -> datetime | None:
        return None if seconds is None else hour + timedelta(seconds=seconds)

    assert (leg.answered_at, leg.ended_at) == (at(answered), at(ended))
