"""Twilio's list of calls: every page is read, and a page that stays lost is an error."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest
import respx

from callserver.adapters.twilio.call_list import outbound_calls
from callserver.domain.carrier_list import CarrierCall
from callserver.errors import ConfigurationProblem
from tests.harness.twilio_adapter import AC, BASE, SETTINGS

PATH = f"/2010-04-01/Accounts/{AC}/Calls.json"
SECOND = f"{PATH}?StartTime%3E=2026-05-12&PageSize=1000&Page=1&PageToken=PACA2"


def call(number: int, **more: Any) -> dict[str, Any]:
    """A call as the API writes it."""
    sid = f"CA{number:032x}"
    return {
        "date_updated": "Tue, 12 May 2026 15:05:00 +0000",
        "price_unit": "USD",
        "parent_call_sid": None,
        "caller_name": None,
        "duration": "60",
        "annotation": None,
        "answered_by": None,
        "sid": sid,
        "queue_time": "0",
        "price": None,
        "api_version": "2010-04-01",
        "status": "completed",
        "direction": "outbound-api",
        "start_time": f"Tue, 12 May 2026 15:{number:02}:00 +0000",
        "date_created": "Tue, 12 May 2026 15:00:00 +0000",
        "from_formatted": "+4532123400",
        "group_sid": None,
        "trunk_sid": "",
        "forwarded_from": "",
        "uri": f"/2010-04-01/Accounts/{AC}/Calls/{sid}.json",
        "account_sid": AC,
        "end_time": "Tue, 12 May 2026 15:59:00 +0000",
        "to_formatted": "",
        "phone_number_sid": "",
        "subresource_uris": {},
        "from": "+4532123400",
        "to": f"+45322000{number:02}",
        **more,
    }


def page(calls: Sequence[dict[str, Any]], following: str | None = None) -> httpx.Response:
    document = {
        "first_page_uri": f"{PATH}?PageSize=1000&Page=0",
        "end": len(calls) - 1,
        "calls": list(calls),
        "previous_page_uri": None,
        "uri": f"{PATH}?PageSize=1000&Page=0",
        "page_size": 1000,
        "start": 0,
        "next_page_uri": following,
        "page": 0,
    }
    return httpx.Response(200, json=document)


def error(status: int, **headers: str) -> httpx.Response:
    body = {"code": 20429 if status == 429 else 20500, "message": "no", "status": status}
    return httpx.Response(status, json=body, headers=headers)


def listed(
    answers: Sequence[httpx.Response | Exception],
) -> tuple[list[CarrierCall], list[httpx.Request], list[float]]:
    """What is read, what was asked, and how long it waited in between."""
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)

    async def go() -> list[CarrierCall]:
        async with httpx.AsyncClient() as http:
            day = date(2026, 5, 12)
            return await outbound_calls(SETTINGS, http, day, day, wait)

    with respx.mock as router:
        route = router.get(url__startswith=f"{BASE}/Calls.json").mock(side_effect=list(answers))
        result = asyncio.run(go())
        return result, [call.request for call in route.calls], waits


def test_every_page_is_read_and_whole_days_are_asked_for() -> None:
    calls, asked, waits = listed([page([call(1), call(2)], SECOND), page([call(2), call(3)])])
    assert calls == [
        CarrierCall(
            f"CA{number:032x}", 4532200000 + number, datetime(2026, 5, 12, 15, number, tzinfo=UTC)
        )
        for number in (1, 2, 3)
    ]
    assert dict(asked[0].url.params) == {
        "StartTime>": "2026-05-12",
        "StartTime<": "2026-05-13",
        "PageSize": "1000",
    }
    assert asked[1].url.params["PageToken"] == "PACA2"
    assert waits == []


def test_pages_that_lead_in_a_circle_are_an_error() -> None:
    with pytest.raises(ConfigurationProblem, match="leads back"):
        listed([page([call(1)], SECOND), page([call(2)], SECOND), page([call(3)])])


def test_only_calls_to_telephones_that_began_on_the_days_are_listed() -> None:
    calls, _, _ = listed(
        [
            page(
                [
                    call(1, direction="inbound"),
                    call(2, to="client:phoner-7"),
                    call(3, start_time=None, status="queued"),
                    call(4, start_time="Wed, 13 May 2026 00:00:00 +0000"),
                    call(5, direction="outbound-dial"),
                ]
            )
        ]
    )
    assert [call.number for call in calls] == [4532200005]


def test_what_is_busy_or_broken_is_asked_again_later_each_time() -> None:
    answers: list[httpx.Response | Exception] = [
        error(429),
        error(500),
        httpx.ConnectError("no"),
        page([call(1)], SECOND),
        error(429, **{"Retry-After": "7"}),
        page([call(2)]),
    ]
    calls, asked, waits = listed(answers)
    assert len(calls) == 2
    assert len(asked) == 6
    assert waits == [1.0, 2.0, 4.0, 7.0]


@pytest.mark.parametrize("answers", [[error(500)] * 6, [error(401)]], ids=["lost", "refused"])
def test_a_page_that_stays_lost_is_no_shorter_list(answers: list[httpx.Response]) -> None:
    with pytest.raises(ConfigurationProblem, match="does not hand out"):
        listed([page([call(1)], SECOND), *answers])
