"""Putting a channel into a bridge, and whether sound comes from it."""

import asyncio

from callserver.adapters.asterisk.client import Ari, Reply

ROOM_TYPE = "mixing,proxy_media"
"""Sound always passes through Asterisk, so that a listener changes nothing in how it flows."""

TRIES = 25
AGAIN_S = 0.02
"""A channel that was created a moment ago may not have reached our application yet."""

_NOT_YET = (409, 422)


async def join(ari: Ari, bridge: str, channel: str, **more: str) -> Reply:
    """Put a channel of our application into a bridge; Asterisk's last answer.

    Nobody in the bridge is told another's number: each leg keeps the caller id it was given.

    Raises:
        Lost: no certain answer.
    """
    for _ in range(TRIES):
        query = {"channel": channel, "inhibitConnectedLineUpdates": "true", **more}
        reply = await ari.ask("POST", "bridges", bridge, "addChannel", query=query)
        if reply.status not in _NOT_YET:
            break
        await asyncio.sleep(AGAIN_S)
    return reply


async def heard(ari: Ari, channel: str) -> int:
    """How many packets of sound have come from a leg; 0 when it has no way for sound at all.

    Raises:
        Lost: no certain answer.
    """
    reply = await ari.get("channels", channel, "rtp_statistics")
    return int(reply.body["rxcount"]) if reply.ok else 0
