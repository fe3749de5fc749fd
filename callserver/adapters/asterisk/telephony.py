"""Telephony over ARI: create, bridge, then dial.

The contact's channel is in the phoner's bridge before it rings. When it is answered, sound flows without
this server, so that a server killed during the ringing leaves nobody in silence. The attempt's id is the
channel's id: after a lost reply it is looked up. Creates are never repeated.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable

import structlog

from callserver.adapters.asterisk import channel_names, noted_ends, trunk
from callserver.adapters.asterisk.bridging import AGAIN_S, TRIES, join, once_ours
from callserver.adapters.asterisk.causes import NORMAL_CLEARING
from callserver.adapters.asterisk.client import Ari, Lost, Reply, Unreached
from callserver.adapters.asterisk.leg_states import DIALED, LegStates
from callserver.adapters.asterisk.speech import Speech
from callserver.domain import role_play
from callserver.domain.instruction import Hear, WaitToHear
from callserver.domain.line import OwnLine
from callserver.domain.permit import DialPermit
from callserver.domain.role_play import Player
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
"""A user event: a listener's leg must ask what to hear."""

NO_SUCH_SOURCE = 422
"""The status for an event about a channel that has ended."""

QUALIFIED_AFTER_S = (0.1, 0.4, 1.0)
"""Waits before an offline telephone is looked up again."""

_BROWSERS = tuple(
    f"PJSIP/{kind}_" for kind in ("phoner", "listener", Player.APPLICANT, Player.INTERVIEWER)
)


class Asterisk(LegStates):
    """Telephony over one exchange."""

    longest_leg = None

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        ari: Ari,
        speech: Speech,
        own_numbers: Callable[[], frozenset[str]],
    ) -> None:
        super().__init__(ari, clock)
        self._speech = speech
        self._own_numbers = own_numbers
        both = (trunk.codecs_of(settings, browser=browser) for browser in (False, True))
        self._codecs = tuple(map(",".join, both))
        self._written = settings.asterisk_trunk_numbers
        self._most_channels = settings.asterisk_channels
        self._cancelling: dict[str, asyncio.Task[Result]] = {}
        self._prefixes = tuple(
            prefix.strip() for prefix in settings.asterisk_prefixes.split(",") if prefix.strip()
        )

    # -- ringing ------------------------------------------------------------------------------

    async def place(self, permit: DialPermit, room: Room) -> Placed | Declined | Silent:
        """Ring the permit's number into the room.

        Raises:
            PermitVoid: it was spent before or is too old; nothing was sent.
        """
        if role_play.role_play_of(room.name) is not None:
            return Declined(Trouble.BUG, 400, "nobody is dialed into the room of a role-play call")
        if room.ref is None:
            return Declined(Trouble.ROOM_GONE, 404, "the phoner is in no room yet")
        permit.spend(self._clock.now())
        endpoint = self._allowed(permit.number, permit.caller_id)
        if isinstance(endpoint, Declined):
            return endpoint
        try:
            obstacle = await self._obstacle(room.ref)
        except Lost as lost:
            return Declined(Trouble.LATER, 0, f"the exchange does not answer: {lost}")
        if obstacle is not None:
            return obstacle
        return await self._order(
            permit.attempt, endpoint, permit.caller_id, permit.ring_seconds, room.ref
        )

    async def ring_to_confirm(self, permit: DialPermit) -> Placed | Declined | Silent:
        """Ring the permit's number without a bridge; the event stream answers with the code.

        Raises:
            PermitVoid: it was spent before or is too old; nothing was sent.
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
        """Ring a phoner's telephone; when it is answered, the event stream adds it to its room."""
        del seat  # part of the room's name
        return await self._ring(channel_names.phoner_leg(room.name), line.address, caller_id)

    async def ring_listener(
        self, line: OwnLine, listening: int, caller_id: str, exchange: str = ""
    ) -> Placed | Declined | Silent:
        """Ring a listener's telephone; when it is answered, the event stream asks what it should hear."""
        del exchange  # this one
        return await self._ring(channel_names.listener_leg(listening), line.address, caller_id)

    async def ring_role_play(
        self, line: OwnLine, call: int, player: Player
    ) -> Placed | Declined | Silent:
        """Ring the softphone; when it is answered, the event stream adds it to its room."""
        leg = channel_names.role_play_leg(call, player, secrets.token_hex(4))
        return await self._ring(leg, line.address, "")

    async def hear(self, ref: str, what: Hear | WaitToHear) -> Result:
        """Let the leg ask again, by an event: only the stream's owner moves it (snoop_channels.py)."""
        del what  # the answer is the same, or a newer one
        try:
            reply = await self._ari.post(
                "events", "user", ASKS, application=self._ari.app, source=f"channel:{ref}"
            )
        except Lost:
            return Result.SILENT
        if reply.status == NO_SUCH_SOURCE:
            return Result.GONE
        return Result.DONE if reply.ok else Result.REFUSED

    async def _ring(self, leg: str, line: str, caller_id: str) -> Placed | Declined | Silent:
        """Ring a user; the engine decides where the leg goes when it is answered."""
        endpoint: str | Declined | None = channel_names.endpoint(line)
        if line.startswith("+"):
            endpoint = self._allowed(line, caller_id)
        if endpoint is None:
            return Declined(Trouble.BUG, 400, "the line is not a telephone of this exchange")
        if isinstance(endpoint, Declined):
            return endpoint
        if not endpoint.endswith(f"@{channel_names.TRUNK}") and not await self._signed_in(endpoint):
            return Declined(Trouble.AWAY, 480, "the telephone is not signed in")
        return await self._order(leg, endpoint, caller_id, RING_USER_S, None)

    async def _signed_in(self, endpoint: str) -> bool:
        """Whether the exchange can reach a user's telephone; true where it does not report it.

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
        """The endpoint of the number. Checked here again, as a last guard against toll fraud."""
        endpoint = channel_names.by_trunk(number, self._written)
        if endpoint is None:
            return Declined(Trouble.BAD_NUMBER, 484, "not a number that we dial")
        if not number.startswith(self._prefixes):
            return Declined(Trouble.REFUSED, 403, "not in a country that ASTERISK_PREFIXES allows")
        if caller_id not in self._own_numbers():
            return Declined(Trouble.STOP, 403, "not a caller id of a campaign")
        return endpoint

    async def _obstacle(self, bridge: str) -> Declined | None:
        """Why a call into the room would fail now, as far as Asterisk knows."""
        trunk_reply, room, app = await asyncio.gather(
            self._ari.get("endpoints", "PJSIP", channel_names.TRUNK),
            self._ari.get("bridges", bridge),
            self._ari.get("applications", self._ari.app),
        )
        for reply in (trunk_reply, room, app):
            if reply.status in (401, 403):
                return Declined(Trouble.STOP, reply.status, "Asterisk refuses our password")
        if not trunk_reply.ok or trunk_reply.body["state"] == "offline":
            return Declined(Trouble.LATER, 503, "the trunk does not answer")
        if not room.ok or not room.body["channels"]:
            return Declined(Trouble.ROOM_GONE, 404, "nobody is in the room")
        if app.ok and len(app.body["channel_ids"]) >= self._most_channels:
            return Declined(Trouble.LATER, 503, "all ASTERISK_CHANNELS are in use")
        return None

    async def _order(
        self, channel: str, endpoint: str, caller_id: str, ring_s: int, bridge: str | None
    ) -> Placed | Declined | Silent:
        """Create, bridge, dial. Nothing rings before the dial, so an order can be withdrawn until then."""
        try:
            refused = await self._create(channel, endpoint, caller_id, bridge)
            if refused is not None:
                return refused
            if bridge is not None and not (joined := await join(self._ari, bridge, channel)).ok:
                trouble = Trouble.ROOM_GONE if joined.gone else Trouble.LATER
                return await self._withdrawn(channel, trouble, "it could not join the room")
            if not (await self._mark_dialed(channel, ring_s)).ok:
                return await self._withdrawn(channel, Trouble.LATER, "gone before the dial")
        except Unreached as lost:
            return Declined(Trouble.LATER, 0, f"the exchange does not answer: {lost}")
        except Lost as lost:
            return await self._withdrawn(channel, Trouble.LATER, f"lost before the dial: {lost}")
        try:
            if await self._dial(channel, ring_s):
                return Placed(channel)
        except Lost as lost:
            if not channel_names.is_attempt(channel):
                # A user's telephone: it is called again.
                return await self._withdrawn(channel, Trouble.LATER, f"lost while dialing: {lost}")
            return Silent(f"lost while dialing: {lost}")
        return await self._withdrawn(channel, Trouble.LATER, "the channel was gone before the dial")

    async def _mark_dialed(self, channel: str, ring_s: int) -> Reply:
        return await once_ours(
            lambda: self._ari.post(
                "channels", channel, "variable", variable=DIALED, value=str(ring_s)
            )
        )

    async def _dial(self, channel: str, ring_s: int) -> bool:
        """Dial the channel. The answer is 409 if it is too new, and also if it rings already."""
        for _ in range(TRIES):
            dialed = await self._ari.post("channels", channel, "dial", timeout=str(ring_s))
            if dialed.status != 409:
                return dialed.ok
            if (await self._look_up(channel)).state is not LegState.QUEUED:
                return True
            await asyncio.sleep(AGAIN_S)
        return False

    async def _create(
        self, channel: str, endpoint: str, caller_id: str, bridge: str | None
    ) -> Declined | None:
        shown = caller_id
        if endpoint.endswith(f"@{channel_names.TRUNK}"):
            shown = channel_names.written(caller_id, self._written)
        variables = {"CONNECTEDLINE(num)": shown}
        if channel_names.is_attempt(channel):
            variables[noted_ends.HANDLER] = noted_ends.handler(channel, bridge)
        reply = await self._ari.post(
            "channels",
            "create",
            endpoint=endpoint,
            app=self._ari.app,
            channelId=channel,
            # Otherwise Asterisk uses its own order.
            formats=self._codecs[endpoint.startswith(_BROWSERS)],
            json={"variables": variables},
        )
        if reply.ok:
            return None
        if reply.status in (401, 403):
            return Declined(Trouble.STOP, reply.status, "Asterisk refuses our password")
        if reply.status == 409 and (await self._ari.get("channels", channel)).ok:
            return None  # created by an earlier order of this attempt
        if reply.status == 409:
            # Also the answer for a missing endpoint or registration.
            return Declined(Trouble.LATER, 409, "Asterisk has no such telephone")
        return Declined(Trouble.BUG, reply.status, "Asterisk did not understand the order")

    async def _withdrawn(self, channel: str, trouble: Trouble, why: str) -> Declined | Silent:
        try:
            ended = await self._ari.delete("channels", channel)
        except Lost as lost:
            return Silent(f"{why}; not withdrawn: {lost}")
        if not (ended.ok or ended.gone):
            return Silent(f"{why}; not withdrawn: HTTP {ended.status}")
        return Declined(trouble, 404, why)

    # -- ending -------------------------------------------------------------------------------

    async def cancel(self, ref: str) -> Result:
        """End the leg unless it was answered.

        Given again meanwhile it is the same order: on a slow exchange the question of whether it was answered lasts
        longer than the caller waits, and would never be followed by the hang-up.
        """
        under_way = self._cancelling.get(ref)
        if under_way is None:
            under_way = asyncio.create_task(self._cancel(ref))
            self._cancelling[ref] = under_way
            under_way.add_done_callback(lambda _: self._cancelling.pop(ref))
        return await asyncio.shield(under_way)

    async def _cancel(self, ref: str) -> Result:
        match (await self._look_up(ref)).state:
            case LegState.TALKING | LegState.UNKNOWN_LEG:
                return Result.GONE
            case LegState.NO_ANSWER:
                return Result.SILENT
            case _:
                return await self.hang_up(ref)

    async def hang_up(self, ref: str) -> Result:
        """End the leg in any state."""
        try:
            ended = await self._ari.delete("channels", ref, reason_code=str(NORMAL_CLEARING))
        except Lost:
            return Result.SILENT
        if ended.gone:
            return Result.GONE
        return Result.DONE if ended.ok else Result.REFUSED

    async def apologise(self, ref: str, organisation: str) -> Result:
        """Take the leg out of the room and play the apology; then the leg is hung up."""
        try:
            for bridge in await self._ari.every("bridges"):
                if ref in bridge["channels"]:
                    await self._ari.post("bridges", bridge["id"], "removeChannel", channel=ref)
            played = await self._speech.say_and_hang_up(
                ref, "apology", {"organisation": organisation}
            )
        except Lost:
            return Result.SILENT
        if played.gone:
            return Result.GONE
        return Result.DONE if played.ok else Result.REFUSED
