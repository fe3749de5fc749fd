"""Telephony over ARI: create, bridge, then dial.

The contact's channel is in the phoner's bridge before it rings. On answer the sound flows without this
server, so a server that is killed while it rings leaves nobody in silence. The attempt's id is the
channel's id: a lost reply is settled by asking for it. Creates are never repeated.
"""

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from callserver.adapters.asterisk import channel_names, trunk
from callserver.adapters.asterisk.bridging import AGAIN_S, TRIES, join
from callserver.adapters.asterisk.causes import NORMAL_CLEARING
from callserver.adapters.asterisk.client import Ari, Lost, Unreached
from callserver.adapters.asterisk.leg_states import DIALED, LegStates
from callserver.adapters.asterisk.speech import Speech
from callserver.domain.instruction import Hear, WaitToHear
from callserver.domain.line import OwnLine
from callserver.domain.permit import DialPermit
from callserver.ports import (
    Clock,
    Declined,
    LegState,
    Placed,
    Result,
    Room,
    Silent,
    Trouble,
)
from callserver.settings import Settings

log = structlog.get_logger(__name__)

RING_USER_S = 30
"""How long a phoner's or a listener's telephone rings."""

ASKS = "asks"
"""An event of our own: a listener's leg must ask what to hear."""

NO_SUCH_SOURCE = 422
"""An event about a channel that has ended."""

QUALIFIED_AFTER_S = (0.1, 0.4, 1.0)
"""When a telephone that is offline is asked about again."""

_BROWSERS = ("PJSIP/phoner_", "PJSIP/listener_")


class Asterisk(LegStates):
    """Orders and questions to one exchange."""

    longest_leg = None

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        ari: Ari,
        speech: Speech,
        own_numbers: Callable[[], frozenset[str]],
    ) -> None:
        super().__init__(ari)
        self._clock = clock
        self._speech = speech
        self._own_numbers = own_numbers
        both = (trunk.codecs_of(settings, browser=browser) for browser in (False, True))
        self._codecs = tuple(map(",".join, both))
        self._written = settings.asterisk_trunk_numbers
        self._most_channels = settings.asterisk_channels
        self._prefixes = tuple(
            prefix.strip() for prefix in settings.asterisk_prefixes.split(",") if prefix.strip()
        )

    # -- ringing ------------------------------------------------------------------------------

    async def place(self, permit: DialPermit, room: Room) -> Placed | Declined | Silent:
        """Ring the permit's number into the room.

        Raises:
            PermitVoid: spent before, or too old; nothing was sent.
        """
        if room.ref is None:
            return Declined(Trouble.ROOM_GONE, 404, "the phoner is in no room yet")
        permit.spend(self._clock.now())
        endpoint = self._allowed(permit.number, permit.caller_id)
        if isinstance(endpoint, Declined):
            return endpoint
        try:
            no_way = await self._no_way(room.ref)
        except Lost as lost:
            return Declined(Trouble.LATER, 0, f"the exchange does not answer: {lost}")
        if no_way is not None:
            return no_way
        return await self._order(
            permit.attempt, endpoint, permit.caller_id, permit.ring_seconds, room.ref
        )

    async def ring_to_confirm(self, permit: DialPermit) -> Placed | Declined | Silent:
        """Ring the permit's number, into no bridge; answered, the event stream has the code spoken.

        Raises:
            PermitVoid: spent before, or too old; nothing was sent.
        """
        permit.spend(self._clock.now())
        endpoint = self._allowed(permit.number, permit.caller_id)
        if isinstance(endpoint, Declined):
            return endpoint
        caller_id = permit.caller_id
        return await self._order(permit.attempt, endpoint, caller_id, permit.ring_seconds, None)

    async def ring_phoner(
        self, line: OwnLine, seat: int, room: Room, caller_id: str
    ) -> Placed | Declined | Silent:
        """Ring a phoner's telephone; once it is answered, the event stream puts it into its room."""
        del seat  # the leg's name says it
        return await self._ring(channel_names.phoner_leg(room.name), line.address, caller_id)

    async def ring_listener(
        self, line: OwnLine, listening: int, caller_id: str
    ) -> Placed | Declined | Silent:
        """Ring a listener's telephone; answered, its leg asks by the event stream what to hear."""
        return await self._ring(channel_names.listener_leg(listening), line.address, caller_id)

    async def hear(self, ref: str, what: Hear | WaitToHear) -> Result:
        """Let the leg ask again, by the event stream, whose owner alone moves it (snoop_channels.py)."""
        del what  # the answer is the same, or a newer one
        try:
            told = await self._ari.post(
                "events", "user", ASKS, application=self._ari.app, source=f"channel:{ref}"
            )
        except Lost:
            return Result.SILENT
        if told.status == NO_SUCH_SOURCE:
            return Result.GONE
        return Result.DONE if told.ok else Result.REFUSED

    async def _ring(self, leg: str, line: str, caller_id: str) -> Placed | Declined | Silent:
        """Ring a user; where the leg goes is told once it is answered."""
        endpoint: str | Declined | None = channel_names.endpoint(line)
        if line.startswith("+"):
            endpoint = self._allowed(line, caller_id)
        if endpoint is None:
            return Declined(Trouble.BUG, 400, "a line that is no telephone of this exchange")
        if isinstance(endpoint, Declined):
            return endpoint
        if not endpoint.endswith(f"@{channel_names.TRUNK}") and not await self._signed_in(endpoint):
            return Declined(Trouble.AWAY, 480, "the telephone is not signed in")
        return await self._order(leg, endpoint, caller_id, RING_USER_S, None)

    async def _signed_in(self, endpoint: str) -> bool:
        """Whether the exchange can reach a colleague's telephone; true where it does not say.

        A telephone that has just signed in is offline until it has answered the first OPTIONS.
        """
        with contextlib.suppress(Lost):
            for wait in (*QUALIFIED_AFTER_S, None):
                reply = await self._ari.get("endpoints", *endpoint.split("/"))
                if reply.ok and reply.body["state"] != "offline":
                    return True
                if wait is not None and reply.ok:
                    await asyncio.sleep(wait)
            return False
        return True

    def _allowed(self, number: str, caller_id: str) -> str | Declined:
        """How to reach the number. Asked again here, whatever was asked before: toll fraud."""
        endpoint = channel_names.by_trunk(number, self._written)
        if endpoint is None:
            return Declined(Trouble.BAD_NUMBER, 484, "no number that we dial")
        if not number.startswith(self._prefixes):
            return Declined(Trouble.REFUSED, 403, "no country that ASTERISK_PREFIXES allows")
        if caller_id not in self._own_numbers():
            return Declined(Trouble.STOP, 403, "a caller id that no campaign shows")
        return endpoint

    async def _no_way(self, bridge: str) -> Declined | None:
        """Why nobody can be called into the room just now, as far as Asterisk knows."""
        trunk, room, app = await asyncio.gather(
            self._ari.get("endpoints", "PJSIP", channel_names.TRUNK),
            self._ari.get("bridges", bridge),
            self._ari.get("applications", self._ari.app),
        )
        for reply in (trunk, room, app):
            if reply.status in (401, 403):
                return Declined(Trouble.STOP, reply.status, "Asterisk does not know our password")
        if not trunk.ok or trunk.body["state"] == "offline":
            return Declined(Trouble.STOP, 503, "the trunk does not answer")
        if not room.ok or not room.body["channels"]:
            return Declined(Trouble.ROOM_GONE, 404, "nobody is in the room")
        if app.ok and len(app.body["channel_ids"]) >= self._most_channels:
            return Declined(Trouble.LATER, 503, "as many channels as ASTERISK_CHANNELS allows")
        return None

    async def _order(
        self, channel: str, endpoint: str, caller_id: str, ring_s: int, bridge: str | None
    ) -> Placed | Declined | Silent:
        """Create, bridge, dial. Until the dial nothing rings, and the order can be withdrawn."""
        try:
            refused = await self._create(channel, endpoint, caller_id)
            if refused is not None:
                return refused
            if bridge is not None and not (joined := await join(self._ari, bridge, channel)).ok:
                trouble = Trouble.ROOM_GONE if joined.gone else Trouble.LATER
                return await self._withdrawn(channel, trouble, "it could not join the room")
            await self._ari.post("channels", channel, "variable", variable=DIALED, value="1")
        except Unreached as lost:
            return Declined(Trouble.LATER, 0, f"the exchange does not answer: {lost}")
        except Lost as lost:
            return await self._withdrawn(channel, Trouble.LATER, f"lost before the dial: {lost}")
        try:
            if await self._dial(channel, ring_s):
                return Placed(channel)
        except Lost as lost:
            return Silent(f"lost while dialing: {lost}")
        return await self._withdrawn(channel, Trouble.LATER, "the channel was gone before the dial")

    async def _dial(self, channel: str, ring_s: int) -> bool:
        """Let it ring. A channel that is too new for this says 409, as one does that rings already."""
        for _ in range(TRIES):
            dialed = await self._ari.post("channels", channel, "dial", timeout=str(ring_s))
            if dialed.status != 409:
                return dialed.ok
            if (await self._found(channel)).state is not LegState.QUEUED:
                return True
            await asyncio.sleep(AGAIN_S)
        return False

    async def _create(self, channel: str, endpoint: str, caller_id: str) -> Declined | None:
        shown = caller_id
        if endpoint.endswith(f"@{channel_names.TRUNK}"):
            shown = channel_names.written(caller_id, self._written)
        made = await self._ari.post(
            "channels",
            "create",
            endpoint=endpoint,
            app=self._ari.app,
            channelId=channel,
            formats=self._codecs[endpoint.startswith(_BROWSERS)],  # else Asterisk's own order
            json={"variables": {"CONNECTEDLINE(num)": shown}},
        )
        if made.ok:
            return None
        if made.status in (401, 403):
            return Declined(Trouble.STOP, made.status, "Asterisk does not know our password")
        if made.status == 409 and (await self._ari.get("channels", channel)).ok:
            return None  # an earlier order of this attempt got so far
        if made.status == 409:
            # The same words for a telephone that is not there: its endpoint, or a registration.
            return Declined(Trouble.LATER, 409, "Asterisk has no such telephone")
        return Declined(Trouble.BUG, made.status, "Asterisk did not understand the order")

    async def _withdrawn(self, channel: str, trouble: Trouble, why: str) -> Declined | Silent:
        try:
            await self._ari.delete("channels", channel)
        except Lost as lost:
            return Silent(f"{why}; not withdrawn: {lost}")
        return Declined(trouble, 404, why)

    # -- ending -------------------------------------------------------------------------------

    async def cancel(self, ref: str) -> Result:
        """End the leg unless it was answered."""
        match (await self._found(ref)).state:
            case LegState.TALKING | LegState.UNKNOWN_LEG:
                return Result.GONE
            case LegState.NO_ANSWER:
                return Result.SILENT
            case _:
                return await self.hang_up(ref)

    async def hang_up(self, ref: str) -> Result:
        """End the leg, whatever it does."""
        try:
            ended = await self._ari.delete("channels", ref, reason_code=str(NORMAL_CLEARING))
        except Lost:
            return Result.SILENT
        if ended.gone:
            return Result.GONE
        return Result.DONE if ended.ok else Result.REFUSED

    async def apologise(self, ref: str, organisation: str) -> Result:
        """Take the leg out of the room and speak to it; it is hung up when that has been said."""
        try:
            bridges = await self._ari.get("bridges")
            for bridge in bridges.body or ():
                if ref in bridge["channels"]:
                    await self._ari.post("bridges", bridge["id"], "removeChannel", channel=ref)
            await self._speech.say_and_hang_up(ref, "apology", {"organisation": organisation})
        except Lost:
            return Result.SILENT
        return Result.DONE
