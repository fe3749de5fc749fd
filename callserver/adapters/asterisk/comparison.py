"""Compares the legs that were followed by events with those that the exchange has.

An event may be lost with a connection, or an order that should follow it may fail. Either shows as a leg in a
state that was not followed, or as one that is not there any more; both become events of their own. A leg
that was never dialed, and a bridge that nobody is in, are removed.
"""

import asyncio
from typing import Any

import structlog

from callserver.adapters.asterisk import channel_names
from callserver.adapters.asterisk.client import Ari
from callserver.adapters.asterisk.leg_states import DIALED, NEVER_DIALED
from callserver.domain import role_play

log = structlog.get_logger(__name__)

FOUND = "Found"
"""Our event: a leg is in a state that was not followed."""

GONE = "Gone"
"""Our event: a leg that was followed is not there any more."""

UNDIALED_S = NEVER_DIALED.total_seconds()
"""How long after its ringing should be over a leg that does not ring is removed."""

BRIDGES_S = 15.0
"""How often bridges are looked at; one that was empty twice is removed."""

_ENDS = ("ChannelDestroyed", GONE)
_STATES = ("StasisStart", "ChannelStateChange", FOUND)


class Comparison:
    """The last state of each leg that was followed."""

    def __init__(self, ari: Ari) -> None:
        self._ari = ari
        self._followed: dict[str, str] = {}
        self._missing: set[str] = set()  # legs that were not there at the last look
        self._down: dict[str, float] = {}  # legs that do not ring yet, and since when
        self._empty: set[str] = set()  # bridges that were empty at the last look
        self._bridges_at = 0.0

    def forget(self) -> None:
        self._followed.clear()
        self._missing.clear()
        self._down.clear()
        self._empty.clear()

    def followed(self, event: dict[str, Any]) -> None:
        """The event was followed to its end."""
        channel = event.get("channel", {})
        if event["type"] in _ENDS:
            self.left(channel["id"])
        elif event["type"] in _STATES:
            self._followed[channel["id"]] = channel["state"]

    def left(self, leg: str) -> None:
        """The leg's end was followed by another event."""
        self._followed.pop(leg, None)

    def state(self, leg: str) -> str | None:
        """The last state of a leg that was followed; None: it is not known."""
        return self._followed.get(leg)

    async def differences(self) -> list[dict[str, Any]]:
        """An event for each leg that is not as it was followed.

        Raises:
            Lost: no certain answer.
        """
        before = set(self._followed)
        channels = {
            channel["id"]: channel
            for channel in await self._ari.every("channels")
            if is_ours(channel, self._ari.app)
        }
        await self._end_undialed(
            [leg for leg, channel in channels.items() if channel["state"] == "Down"]
        )
        await self._remove_empty_bridges()
        found = [
            {"type": FOUND, "channel": channel}
            for leg, channel in channels.items()
            if self._followed.get(leg) != channel["state"]
        ]
        missing = before - channels.keys()
        # The report of an end says more: it has until the next comparison.
        gone = [{"type": GONE, "channel": {"id": leg}} for leg in missing & self._missing]
        self._missing = missing
        return found + gone

    async def _end_undialed(self, down: list[str]) -> None:
        now = asyncio.get_running_loop().time()
        self._down = {leg: self._down.get(leg, now) for leg in down}
        for leg, since in self._down.items():
            waited = now - since - UNDIALED_S
            if waited < 0:
                continue
            dialed = await self._ari.get("channels", leg, "variable", variable=DIALED)
            if (dialed.gone or dialed.ok) and waited > int(
                dialed.body["value"] if dialed.ok else "0"
            ):
                log.warning("undialed_leg_removed")
                await self._ari.delete("channels", leg)

    async def _remove_empty_bridges(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._bridges_at < BRIDGES_S:
            return
        bridges = await self._ari.every("bridges")
        empty = {bridge["id"] for bridge in bridges if not bridge["channels"]}
        for bridge in filter(_is_our_bridge, empty & self._empty):
            log.warning("empty_bridge_removed")
            await self._ari.delete("bridges", bridge)
        self._empty, self._bridges_at = empty, now


def is_ours(channel: dict[str, Any], app: str) -> bool:
    """Whether the channel is in our application."""
    of, *_ = channel["dialplan"]["app_data"].split(",")
    return bool(channel["dialplan"]["app_name"] == "Stasis" and of == app)


def _is_our_bridge(bridge: str) -> bool:
    return (
        channel_names.seat_of_room(bridge) is not None
        or channel_names.leg_of_snoop_bridge(bridge) is not None
        or role_play.role_play_of(bridge) is not None
    )
