"""Adding a channel to a bridge, and whether sound comes from it."""

import asyncio
from collections.abc import Awaitable, Callable

from callserver.adapters.asterisk.client import Ari, Reply

ROOM_TYPE = "mixing,proxy_media"
"""Sound always passes through Asterisk, so that a listener does not change its path."""

TRIES = 25
AGAIN_S = 0.02
"""A channel may not have reached our application yet just after its creation."""

SOUND_TRIES = 50
SOUND_AGAIN_S = 0.1
"""An answered telephone sends sound at once; a browser negotiates keys first."""

_NOT_YET = (409, 422)


async def join(ari: Ari, bridge: str, channel: str, **more: str) -> Reply:
    """Add a channel of our application to a bridge; Asterisk's last answer.

    No leg in the bridge gets another's number: each keeps its caller id.

    Raises:
        Lost: no certain answer.
    """
    query = {"channel": channel, "inhibitConnectedLineUpdates": "true", **more}
    return await once_ours(lambda: ari.ask("POST", "bridges", bridge, "addChannel", query=query))


async def once_ours(order: Callable[[], Awaitable[Reply]]) -> Reply:
    """Give an order to a channel, again while it has not reached our application; the last answer.

    Raises:
        Lost: no certain answer.
    """
    for _ in range(TRIES):
        reply = await order()
        if reply.status not in _NOT_YET:
            break
        await asyncio.sleep(AGAIN_S)
    return reply


async def packets_received(ari: Ari, channel: str) -> int:
    """How many packets of sound have come from a leg; 0 when it has no media.

    Raises:
        Lost: no certain answer.
    """
    reply = await ari.get("channels", channel, "rtp_statistics")
    return int(reply.body["rxcount"]) if reply.ok else 0


async def sends_sound(ari: Ari, leg: str) -> bool:
    """Whether sound comes from the phoner's telephone: nobody must be called for a mute phoner.

    Raises:
        Lost: no certain answer.
    """
    for _ in range(SOUND_TRIES):
        if await packets_received(ari, leg):
            return True
        if not (await ari.get("channels", leg)).ok:
            return False
        await asyncio.sleep(SOUND_AGAIN_S)
    return False
