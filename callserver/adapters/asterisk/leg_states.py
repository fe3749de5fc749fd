"""Looks up the state of a leg or a room."""

import asyncio
from datetime import datetime, timedelta

import structlog

from callserver.adapters.asterisk import causes, channel_names, noted_ends
from callserver.adapters.asterisk.bridging import packets_received
from callserver.adapters.asterisk.causes import STATES
from callserver.adapters.asterisk.client import Ari, Lost
from callserver.domain.call import ENDINGS, Cause
from callserver.ports import Clock, Leg, LegState, Room

log = structlog.get_logger(__name__)

DIALED = "CALLSERVER_DIALED"
"""A variable set just before a channel is dialed, to the seconds for which it rings: a channel without it has
never rung and never will. Asterisk ends one that it has dialed after that time."""

NEVER_DIALED = timedelta(seconds=10)
"""A channel that is still down this long after its ringing should be over was never dialed: the order was
lost."""

LISTEN_S = 0.8
"""A telephone sends fifty packets per second; one that sends none for this long is dead."""


class LegStates:
    """Look-ups at one exchange."""

    def __init__(self, ari: Ari, clock: Clock) -> None:
        self._ari = ari
        self._clock = clock

    async def answers(self) -> bool:
        """Whether the exchange answers."""
        try:
            return (await self._ari.get("asterisk", "ping")).ok
        except Lost:
            return False

    async def look_up(
        self, attempt: str, ref: str | None, room: Room, number: str, since: datetime
    ) -> Leg:
        """Look the channel up by the attempt's id. A channel that was never dialed is ended."""
        del ref, number
        leg = await self._look_up(attempt)
        if leg.state is LegState.UNKNOWN_LEG and channel_names.is_attempt(attempt):
            return await self._ended(attempt, room.name)
        if leg.state is not LegState.QUEUED:
            return leg
        try:
            dialed = await self._ari.get("channels", attempt, "variable", variable=DIALED)
            rings = dialed.body["value"] if dialed.ok else ""
            if not (dialed.ok or dialed.gone):
                return Leg(LegState.NO_ANSWER, attempt)
            if not rings or self._clock.now() - since > _seconds(rings) + NEVER_DIALED:
                await self._ari.delete("channels", attempt)
                return Leg(LegState.ENDED, attempt, Cause.CANCELLED.value)
        except Lost:
            return Leg(LegState.NO_ANSWER, attempt)
        return leg

    async def _ended(self, attempt: str, bridge: str) -> Leg:
        """A channel that is not there: how it ended, if it has ever been there."""
        try:
            noted = await noted_ends.noted(self._ari, attempt, bridge)
        except Lost:
            return Leg(LegState.NO_ANSWER, attempt)
        if noted is None:
            return Leg(LegState.UNKNOWN_LEG, attempt)
        answered, rang = noted.state == "Up", noted.state == "Ringing"
        end = causes.end(noted.cause, None, answered=answered, rang=rang)
        return Leg(LegState.ENDED, attempt, ENDINGS[end.report].value)

    async def leg(self, ref: str) -> Leg:
        """Look a user's leg up. A phoner's leg without any sound has lost its telephone, and is ended at
        once: Asterisk would notice later, while a person who has answered waits for a voice. A
        listener's leg may be silent.
        """
        leg = await self._look_up(ref)
        if leg.state is not LegState.TALKING:
            return leg
        try:
            if not await self._is_listener(ref) and await self._is_dead(ref):
                await self._ari.delete("channels", ref)
                return Leg(LegState.ENDED, ref, Cause.COMPLETED.value)
        except Lost:
            return Leg(LegState.NO_ANSWER, ref)
        return leg

    async def _is_listener(self, ref: str) -> bool:
        """Whether it is a listener's leg: it has its own bridge once it was told what to hear."""
        if channel_names.listening_of(ref) is not None:
            return True
        return (await self._ari.get("bridges", channel_names.snoop_bridge_of(ref))).ok

    async def _is_dead(self, ref: str) -> bool:
        """Whether a telephone sends no packets any more, not even silence."""
        before = await packets_received(self._ari, ref)
        await asyncio.sleep(LISTEN_S)
        return await packets_received(self._ari, ref) == before

    async def _look_up(self, ref: str) -> Leg:
        """The channel's state; Asterisk forgets a leg as soon as it has ended."""
        try:
            reply = await self._ari.get("channels", ref)
        except Lost as lost:
            log.warning("leg_not_looked_up", why=str(lost))
            return Leg(LegState.NO_ANSWER, ref)
        if reply.ok:
            state = STATES.get(reply.body["state"])
            if state is None:
                log.error("unknown_channel_state", state=reply.body["state"])
            return Leg(state or LegState.NO_ANSWER, ref)
        return Leg(LegState.UNKNOWN_LEG if reply.gone else LegState.NO_ANSWER, ref)

    async def find_room(self, name: str) -> str | None:
        """The bridge with this name, if a channel is in it."""
        try:
            reply = await self._ari.get("bridges", name)
        except Lost:
            return None
        return name if reply.ok and reply.body["channels"] else None


def _seconds(text: str) -> timedelta:
    return timedelta(seconds=int(text))
