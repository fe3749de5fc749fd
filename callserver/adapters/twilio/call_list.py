"""Twilio's own list of an account's calls, page by page: what `callserver audit compare` compares with.

Reading is safe to repeat: 429, 5xx and lost replies are asked again, later each time. A page that stays
lost is an error, never a shorter list.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
from twilio.base.exceptions import TwilioException

from callserver.adapters.twilio.client import HttpxTwilio, client
from callserver.domain import phone
from callserver.domain.carrier_list import CarrierCall
from callserver.errors import ConfigurationProblem
from callserver.settings import Settings

PAGE_SIZE = 1000  # Twilio's most
WAITS_S = (1.0, 2.0, 4.0, 8.0, 16.0)
LONGEST_WAIT_S = 60.0
Wait = Callable[[float], Awaitable[None]]


async def outbound_calls(
    settings: Settings, http: httpx.AsyncClient, first: date, last: date, wait: Wait = asyncio.sleep
) -> list[CarrierCall]:
    """The account's outbound calls to telephones that began on these days, in UTC.

    Whole days are asked for: the filter's precision within a day is not documented. A call that is still
    queued has not begun, and is not in the list.

    Raises:
        ConfigurationProblem: Twilio refuses, does not answer, or its pages have no end.
    """
    calls = client(settings, HttpxTwilio(http, settings.api_url)).calls
    ask: Callable[[], Awaitable[Any]] | None = lambda: calls.page_async(  # noqa: E731
        start_time_after=first.isoformat(),
        start_time_before=(last + timedelta(days=1)).isoformat(),
        page_size=PAGE_SIZE,
    )
    seen: set[str] = set()  # a page that leads back to one of these would be read for ever
    listed: dict[str, CarrierCall] = {}  # a new call moves the rest on to the next page
    while ask is not None:
        page = await _page(ask, wait)
        for call in page:
            number = phone.parse(call.to or "")
            outbound = str(call.direction or "").startswith("outbound")
            if outbound and isinstance(number, str) and call.start_time is not None:
                at = call.start_time.astimezone(UTC)
                listed[call.sid] = CarrierCall(call.sid, phone.to_int(number), at)
        following = page.next_page_url
        if following in seen:
            raise ConfigurationProblem("Twilio's list of calls leads back to a page that was read")
        seen.add(following)
        ask = page.next_page_async if following else None
    begin = datetime(first.year, first.month, first.day, tzinfo=UTC)
    end = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)
    return [call for call in listed.values() if begin <= call.at < end]


async def _page(ask: Callable[[], Awaitable[Any]], wait: Wait) -> Any:
    why = ""
    for pause in (*WAITS_S, None):
        try:
            return await ask()
        except httpx.HTTPError as error:
            why, after = type(error).__name__, None
        except (TwilioException, ValueError, KeyError) as error:
            reply = error.args[1] if len(error.args) > 1 else None
            status = getattr(reply, "status_code", 0)
            why, after = f"HTTP {status}", _after(reply)
            if (
                status != httpx.codes.TOO_MANY_REQUESTS
                and status < httpx.codes.INTERNAL_SERVER_ERROR
            ):
                break
        if pause is not None:
            await wait(pause if after is None else after)
    raise ConfigurationProblem(f"Twilio does not hand out its list of calls: {why}")


def _after(reply: Any) -> float | None:
    """The seconds of Retry-After, where Twilio says them."""
    said = str((getattr(reply, "headers", None) or {}).get("Retry-After", ""))
    return min(float(said), LONGEST_WAIT_S) if said.isdigit() else None
