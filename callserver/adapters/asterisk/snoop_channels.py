"""What a listener's leg hears: the phoner's leg, by a snoop channel (an ear) beside it.

The leg sits in a bridge of its own, alone in silence or with one ear. The room of phoner and contact
is never entered, in no mode, so nothing in it begins, ends or is mixed anew. An ear whispers into
nobody (silent), into what the phoner hears (coach), or into both directions of her leg (join). Only
the owner of the events has one of these at work: each leg is told one thing after the other.
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
"""A leg asks until what it is told is what it hears: so the engine knows what came of its word. What
is over by the time it could be heard is asked about once more."""


class SnoopChannels:
    """Every listener's leg, and the ear by which it hears; None: it waits in silence."""

    def __init__(self, ari: Ari, engine: Listeners) -> None:
        self._ari = ari
        self._engine = engine
        self._ears: dict[str, str | None] = {}
        self._unsure: set[str] = (
            set()
        )  # legs whose ear was being made or removed when that was lost

    def forget(self) -> None:
        self._ears.clear()
        self._unsure.clear()

    async def found(
        self, bridges: Sequence[Mapping[str, Any]], channels: Iterable[Mapping[str, Any]]
    ) -> None:
        """After a start or a break: ears that belong to a leg are known again, others removed."""
        alive = {channel["id"] for channel in channels}
        heard_by: dict[str, str] = {}
        for bridge in bridges:
            leg = channel_names.leg_of_ears(bridge["id"])
            if leg is None:
                continue
            if leg not in alive:
                await self._ari.delete("bridges", bridge["id"])
            heard_by |= {one: leg for one in bridge["channels"] if one != leg and leg in alive}
        for ear in filter(channel_names.ear, alive):
            leg = heard_by.get(ear)
            if leg is None or self._ears.get(leg) is not None:
                log.warning("stray_ear_removed")
                await self._ari.delete("channels", ear)
            else:
                self._ears[leg] = ear

    async def asks(self, leg: str, listener: int | None = None) -> None:
        """A leg that is up asks what to hear, and does what it is told; until that is so.

        Raises:
            Lost: no certain answer.
        """
        for _ in range(ASKS_AT_MOST):
            told = await self._engine.listener_asks(
                channel_names.listening_of(leg), listener, leg, self._hears(leg)
            )
            if not isinstance(told, Hear | WaitToHear):
                await self._removed("channels", leg)
                return
            if not await self._obey(leg, told):
                return

    def _hears(self, leg: str) -> tuple[Mode, str] | None:
        """What a leg hears; one whose ear may be there though it was to be removed may hear still."""
        ear = channel_names.ear(self._ears.get(leg) or "")
        return None if ear is None else (ear.mode, ear.phoner)

    async def _obey(self, leg: str, what: Hear | WaitToHear) -> bool:
        """Let the leg hear this and nothing else; whether anything was changed, or tried, for that."""
        wanted = None
        if isinstance(what, Hear):
            wanted = channel_names.name_of_ear(leg, what.mode, what.phoner)
        before = self._ears.get(leg)
        if leg in self._ears and before == wanted and leg not in self._unsure:
            return False
        self._unsure.add(leg)
        if before is not None:
            await self._removed("channels", before)
        self._ears[leg] = wanted
        if (
            isinstance(what, Hear)
            and wanted is not None
            and not await self._attach(wanted, leg, what)
        ):
            await self._removed("channels", wanted)
            self._ears[leg] = None
        self._unsure.discard(leg)
        return before is not None or wanted is not None

    async def _removed(self, kind: str, name: str) -> None:
        """Remove a channel or a bridge; one that is gone is fine.

        Raises:
            Lost: it may be there still.
        """
        reply = await self._ari.delete(kind, name)
        if not (reply.ok or reply.gone):
            raise Lost(f"{kind} not removed: HTTP {reply.status}")

    async def _attach(self, ear: str, leg: str, what: Hear) -> bool:
        bridge = channel_names.ears_of(leg)
        await self._ari.post("bridges", bridge, type=ROOM_TYPE)
        # Put in anew: a silent listener's own voice does not even reach the ear, which has no way on.
        await self._ari.post("bridges", bridge, "removeChannel", channel=leg)
        mute = "true" if what.mode is Mode.SILENT else "false"
        if not (await join(self._ari, bridge, leg, mute=mute, absorbDTMF="true")).ok:
            return False
        for _ in range(TRIES):
            made = await self._ari.post(
                "channels",
                what.phoner,
                "snoop",
                ear,
                app=self._ari.app,
                spy="both",
                whisper=WHISPERS[what.mode],
            )
            # 409: there is one of this name; it may be just going, and then another is made.
            if not made.ok and made.status != 409:
                return False
            joined = await join(self._ari, bridge, ear)
            if joined.ok:
                return True
        return False

    async def ended(self, leg: str) -> bool:
        """A leg has ended: so do its ear and its bridge. False: it was no listener's, and no ear.

        Raises:
            Lost: no certain answer.
        """
        if (ear := channel_names.ear(leg)) is not None:
            if self._ears.get(ear.leg) == leg:  # the phoner's leg ended, and its ears with it
                self._ears[ear.leg] = None
                await self.asks(ear.leg)
            return True
        if leg not in self._ears and channel_names.listening_of(leg) is None:
            return False
        self._unsure.discard(leg)
        if (heard_by := self._ears.pop(leg, None)) is not None:
            await self._ari.delete("channels", heard_by)
        await self._ari.delete("bridges", channel_names.ears_of(leg))
        await self._engine.listener_leg_ended(leg)
        return True
