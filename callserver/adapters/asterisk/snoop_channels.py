"""What a listener's leg hears: the phoner's leg, through a snoop channel.

The leg is in its own bridge, alone in silence or with one snoop channel. It never enters the room
of phoner and contact, so nothing changes in that room. A snoop channel whispers to nobody (silent),
into what the phoner hears (coach), or into both directions of the phoner's leg (join). Only the
owner of the event stream uses it: each leg gets one order after the other.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import structlog

from callserver.adapters.asterisk import channel_names
from callserver.adapters.asterisk.bridging import ROOM_TYPE, TRIES, join
from callserver.adapters.asterisk.client import Ari, Lost
from callserver.domain.instruction import Hear, WaitToHear
from callserver.domain.listening import Mode
from callserver.provider_events import Listeners

log = structlog.get_logger(__name__)

WHISPERS: Mapping[Mode, str] = {Mode.SILENT: "none", Mode.COACH: "out", Mode.JOIN: "both"}
"""Into which directions of the phoner's leg the listener's voice goes."""


ASKS_AT_MOST = 4
"""A leg asks again until nothing changes: so the engine knows that its answer took effect."""


class SnoopChannels:
    """The snoop channel of every listener's leg; None: the leg waits in silence."""

    def __init__(self, ari: Ari, engine: Listeners) -> None:
        self._ari = ari
        self._engine = engine
        self._snoops: dict[str, str | None] = {}
        # Legs whose snoop channel was being created or removed when the connection was lost.
        self._unsure: set[str] = set()

    def forget(self) -> None:
        self._snoops.clear()
        self._unsure.clear()

    async def look_up_all(
        self, bridges: Sequence[Mapping[str, Any]], channels: Iterable[Mapping[str, Any]]
    ) -> None:
        """After a start or a break: remember the snoop channels of existing legs, remove others."""
        alive = {channel["id"] for channel in channels}
        heard_by: dict[str, str] = {}
        for bridge in bridges:
            leg = channel_names.leg_of_snoop_bridge(bridge["id"])
            if leg is None:
                continue
            if leg not in alive:
                await self._ari.delete("bridges", bridge["id"])
            heard_by |= {
                channel: leg for channel in bridge["channels"] if channel != leg and leg in alive
            }
        for snoop in filter(channel_names.snoop_channel, alive):
            leg = heard_by.get(snoop)
            if leg is None or self._snoops.get(leg) is not None:
                log.warning("stray_snoop_channel_removed")
                await self._ari.delete("channels", snoop)
            else:
                self._snoops[leg] = snoop

    async def asks(self, leg: str, listener: int | None = None) -> None:
        """An answered leg asks what to hear and obeys, until nothing changes any more.

        Raises:
            Lost: no certain answer.
        """
        for _ in range(ASKS_AT_MOST):
            instruction = await self._engine.listener_asks(
                channel_names.listening_of(leg), listener, leg, self._hears(leg)
            )
            if not isinstance(instruction, Hear | WaitToHear):
                await self._remove("channels", leg)
                return
            if not await self._obey(leg, instruction):
                return

    def _hears(self, leg: str) -> tuple[Mode, str] | None:
        """What a leg hears, or may still hear if its snoop channel was perhaps not removed."""
        snoop = channel_names.snoop_channel(self._snoops.get(leg) or "")
        return None if snoop is None else (snoop.mode, snoop.phoner)

    async def _obey(self, leg: str, what: Hear | WaitToHear) -> bool:
        """Let the leg hear this and nothing else; whether anything was changed or attempted."""
        wanted = None
        if isinstance(what, Hear):
            wanted = channel_names.snoop_channel_name(leg, what.mode, what.phoner)
        before = self._snoops.get(leg)
        if leg in self._snoops and before == wanted and leg not in self._unsure:
            return False
        self._unsure.add(leg)
        if before is not None:
            await self._remove("channels", before)
        self._snoops[leg] = wanted
        if (
            isinstance(what, Hear)
            and wanted is not None
            and not await self._attach(wanted, leg, what)
        ):
            await self._remove("channels", wanted)
            self._snoops[leg] = None
        self._unsure.discard(leg)
        return before is not None or wanted is not None

    async def _remove(self, kind: str, name: str) -> None:
        """Remove a channel or a bridge, if it exists.

        Raises:
            Lost: it may still exist.
        """
        reply = await self._ari.delete(kind, name)
        if not (reply.ok or reply.gone):
            raise Lost(f"{kind} not removed: HTTP {reply.status}")

    async def _attach(self, snoop: str, leg: str, what: Hear) -> bool:
        bridge = channel_names.snoop_bridge_of(leg)
        await self._ari.post("bridges", bridge, type=ROOM_TYPE)
        # Added again, so that a silent listener's voice does not even reach the snoop channel.
        await self._ari.post("bridges", bridge, "removeChannel", channel=leg)
        mute = "true" if what.mode is Mode.SILENT else "false"
        if not (await join(self._ari, bridge, leg, mute=mute, absorbDTMF="true")).ok:
            return False
        for _ in range(TRIES):
            reply = await self._ari.post(
                "channels",
                what.phoner,
                "snoop",
                snoop,
                app=self._ari.app,
                spy="both",
                whisper=WHISPERS[what.mode],
            )
            # 409: the name is in use, perhaps by a channel that is just ending; then it is tried again.
            if not reply.ok and reply.status != 409:
                return False
            joined = await join(self._ari, bridge, snoop)
            if joined.ok:
                return True
        return False

    async def ended(self, leg: str) -> bool:
        """A leg has ended: remove its snoop channel and bridge. False: it was neither a listener's leg
        nor a snoop channel.

        Raises:
            Lost: no certain answer.
        """
        if (snoop := channel_names.snoop_channel(leg)) is not None:
            # The phoner's leg has ended, and its snoop channels with it.
            if self._snoops.get(snoop.leg) == leg:
                self._snoops[snoop.leg] = None
                await self.asks(snoop.leg)
            return True
        if leg not in self._snoops and channel_names.listening_of(leg) is None:
            return False
        self._unsure.discard(leg)
        heard_by = self._snoops.pop(leg, None)
        # First of all: a snoop channel without a leg in its bridge carries nobody's voice.
        await self._engine.listener_leg_ended(leg)
        if heard_by is not None:
            await self._ari.delete("channels", heard_by)
        await self._ari.delete("bridges", channel_names.snoop_bridge_of(leg))
        return True
