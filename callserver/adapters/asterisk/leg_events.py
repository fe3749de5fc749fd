"""Passes events of legs on the exchange to the engine: contacts', phoners', listeners' and callers' legs.

An event becomes the same report as a provider's callback; the engine's answer (`Instruction`) becomes
orders. Only the owner of the event stream uses it.
"""

from collections.abc import Callable, Iterable
from typing import Any

import structlog

from callserver.adapters.asterisk import causes, channel_names, comparison, noted_ends
from callserver.adapters.asterisk.bridging import ROOM_TYPE, join, sends_sound
from callserver.adapters.asterisk.client import Ari
from callserver.adapters.asterisk.comparison import Comparison, is_ours
from callserver.adapters.asterisk.inbound_callers import InboundCallers
from callserver.adapters.asterisk.playbacks import Playbacks
from callserver.adapters.asterisk.role_play_rooms import RolePlayRooms
from callserver.adapters.asterisk.snoop_channels import SnoopChannels
from callserver.adapters.asterisk.telephony import ASKS
from callserver.domain.call import Receipt, Report
from callserver.domain.instruction import HangUp, Instruction, JoinRoom
from callserver.provider_events import CallReport, ProviderEvents, RoomChange, RoomEvent

log = structlog.get_logger(__name__)

_SEQUENCE = {Report.RANG: 1, Report.ANSWERED: 2}
_END = 9


class LegEvents:
    """Follows every leg of this server."""

    def __init__(
        self,
        ari: Ari,
        engine: ProviderEvents,
        callers: InboundCallers,
        shown: Callable[[], Iterable[str]],
    ) -> None:
        self._shown = shown
        self._ari = ari
        self._engine = engine
        self._callers = callers
        self._snoops = SnoopChannels(ari, engine.listeners)
        self._role_plays = RolePlayRooms(ari, engine.role_plays)
        self._comparison = Comparison(ari)
        self._playbacks = Playbacks(ari, callers)
        self._rang: set[str] = set()
        self._silent: set[str] = set()  # answered phoners' telephones that send no sound
        self._unheard: set[str] = set()  # phoners' telephones whose sound is waited for
        self._given_up: set[str] = set()  # ended by the dial's time-out
        self._rooms: dict[str, str] = {}  # a phoner's leg -> the bridge it sits in
        self._met_in: dict[str, str] = {}  # a contact's leg -> the bridge that it has entered

    def forget(self) -> None:
        """Forget every leg: another process has the events now."""
        self._comparison.forget()
        self._playbacks.forget()
        self._rang.clear()
        self._given_up.clear()
        self._silent.clear()
        self._unheard.clear()
        self._rooms.clear()
        self._met_in.clear()
        self._snoops.forget()
        self._role_plays.forget()
        self._callers.forget()

    # -- after a start or a break ---------------------------------------------------------------

    async def look_up_all(self) -> list[dict[str, Any]]:
        """Look up every channel and bridge; an event for each leg, as if it were new.

        Raises:
            Lost: no certain answer.
        """
        self.forget()
        bridges = await self._ari.every("bridges")
        channels = await self._ari.every("channels")
        await self._snoops.look_up_all(bridges, channels)
        await self._role_plays.look_up_all(bridges)
        for bridge in bridges:
            if channel_names.seat_of_room(bridge["id"]) is None:
                continue
            if not bridge["channels"]:
                await self._ari.delete("bridges", bridge["id"])
            for leg in bridge["channels"]:
                known = self._met_in if channel_names.is_attempt(leg) else self._rooms
                known[leg] = bridge["id"]
        ours = [channel for channel in channels if is_ours(channel, self._ari.app)]
        inside = {leg for bridge in bridges for leg in bridge["channels"]}
        for leg in (channel["id"] for channel in ours if channel["state"] == "Up"):
            # A contact's leg is in a room until it is taken out for the apology.
            contacts = channel_names.is_attempt(leg) and not channel_names.confirms_line(leg)
            if contacts and leg not in inside:
                self._playbacks.last_word(leg)
        return [{"type": comparison.FOUND, "channel": channel} for channel in ours]

    async def differences(self) -> list[dict[str, Any]]:
        """An event for each leg whose state was not followed, as when an event was lost.

        Raises:
            Lost: no certain answer.
        """
        return await self._comparison.differences() + await self._playbacks.lost_ends()

    async def _found(self, leg: str) -> None:
        """A leg was looked up. Its state is asked for again: events may have come meanwhile."""
        reply = await self._ari.get("channels", leg)
        if reply.gone or (reply.ok and self._comparison.state(leg) == reply.body["state"]):
            return
        channel = reply.carried_out().body
        state = channel["state"]
        if leg in self._rooms:
            await self._admit(leg, self._rooms[leg])
        elif not await self._changed(leg, state) and channel_names.snoop_channel(leg) is None:
            await self._arrived(channel, channel["dialplan"]["app_data"].split(",")[1:])
        self._comparison.followed({"type": comparison.FOUND, "channel": channel})

    async def _gone(self, leg: str) -> None:
        """A leg is not there any more, and its end was not followed: a contact's is noted."""
        state = self._comparison.state(leg)
        if state is None or not (await self._ari.get("channels", leg)).gone:
            return
        noted = None
        if channel_names.is_attempt(leg):
            noted = await noted_ends.noted(self._ari, leg, self._met_in.get(leg))
        state, cause = noted or (state, 0)
        log.info("end_of_leg_found", state=state, noted=noted is not None)
        await self._ended(leg, state, cause, seen=False)

    # -- events -------------------------------------------------------------------------------

    async def happened(self, event: dict[str, Any]) -> None:
        """Handle one event; irrelevant ones are ignored.

        Raises:
            Lost: it was not followed; the next comparison tries again.
        """
        channel = event.get("channel") or event.get("peer") or {}
        leg = channel.get("id", "")
        match event["type"]:
            case comparison.FOUND:
                await self._found(leg)
                return
            case comparison.GONE:
                await self._gone(leg)
            case _:
                await self._follow(event, leg, channel)
        self._comparison.followed(event)

    async def _follow(  # noqa: C901 - one table of events
        self, event: dict[str, Any], leg: str, channel: dict[str, Any]
    ) -> None:
        match event["type"]:
            case "StasisStart":
                await self._arrived(channel, event["args"])
            case "ChannelStateChange":
                await self._changed(leg, channel["state"])
            case "Dial" if event["dialstatus"] == "PROGRESS" and channel_names.is_attempt(leg):
                await self._contact(leg, "Ringing")  # early media: the telephone rings
            case "ChannelUserevent" if event["eventname"] == ASKS and channel["state"] == "Up":
                await self._snoops.asks(leg)
            case "ChannelHangupRequest" | "ChannelDestroyed":
                await self._ends(leg, event)
            case "StasisEnd" if (
                not channel_names.is_attempt(leg) and channel_names.seat_of_leg(leg) is None
            ):
                # The only event of the end of a leg that called in.
                await self._ended(leg, channel["state"], 0)
                self._comparison.left(leg)
            case "ChannelDtmfReceived":
                await self._callers.pressed(leg, event["digit"])
            case "PlaybackStarted" | "PlaybackFinished":
                await self._playbacks.happened(event)
            case "ChannelEnteredBridge" if channel_names.is_attempt(leg):
                self._met_in[leg] = event["bridge"]["id"]
            case "BridgeDestroyed":
                await self._room_ended(event["bridge"]["id"])
            case _:
                pass

    async def _changed(self, leg: str, state: str) -> bool:
        """A leg that we rang is ringing or was answered; False: not a leg that we rang."""
        if channel_names.is_attempt(leg):
            await self._contact(leg, state)
        elif channel_names.seat_of_leg(leg) is not None:
            await self._phoner_up(leg, state)
        elif channel_names.listening_of(leg) is not None:
            if state == "Up":
                await self._snoops.asks(leg)
        elif (player := channel_names.role_player(leg)) is not None:
            if state == "Up":
                await self._role_plays.answered(leg, *player)
        else:
            return False
        return True

    async def _arrived(self, channel: dict[str, Any], args: list[str]) -> None:
        """A leg called in: a caller at a number that we show, a phoner's or a listener's telephone."""
        leg = channel["id"]
        if args[:1] == ["inbound"]:
            # Our dialplan names the called number, or a header does.
            called = args[1] if len(args) > 1 else await self._called(leg)
            if called is None:
                log.warning("inbound_to_unknown_number")
                await self._ari.delete("channels", leg, reason_code=str(causes.UNALLOCATED))
                return
            await self._callers.arrived(leg, channel["caller"]["number"], called)
        elif args[:1] == ["phoner"]:
            identity = channel["name"].removeprefix("PJSIP/").rpartition("-")[0]
            identity = identity.replace("telephone_", "phoner_")
            if channel["state"] != "Up":
                await self._ari.post("channels", leg, "answer")
            if (listener := channel_names.listener_of(identity)) is not None:
                await self._snoops.asks(leg, listener)
            else:
                await self.obey(leg, await self._engine.phoners.phoner_asks(None, identity, leg))

    async def _called(self, leg: str) -> str | None:
        """The called number, one that we show, from a header: the carrier calls our registered contact."""
        for header in ("P-Called-Party-ID", "To"):
            variable = f"PJSIP_HEADER(read,{header})"
            reply = await self._ari.get("channels", leg, "variable", variable=variable)
            number = (
                channel_names.own_number_in(reply.body["value"], self._shown())
                if reply.ok
                else None
            )
            if number is not None:
                return number
        return None

    # -- a contact's leg ----------------------------------------------------------------------

    async def _contact(self, attempt: str, state: str) -> None:
        report = {"Ringing": Report.RANG, "Up": Report.ANSWERED}.get(state)
        if report is None or (report is Report.RANG and attempt in self._rang):
            return
        self._rang.add(attempt)
        receipt = Receipt("call", attempt, _SEQUENCE[report])
        await self._engine.calls.receive(CallReport(attempt, report, leg=attempt, receipt=receipt))
        if report is Report.ANSWERED and channel_names.confirms_line(attempt):
            await self.obey(attempt, await self._engine.line_confirmations.code_for(attempt))

    async def _ends(self, leg: str, event: dict[str, Any]) -> None:
        """A leg is about to end or has ended; the SIP response comes with the latter."""
        if event["type"] == "ChannelHangupRequest":
            if event.get("cause") == causes.WE_GAVE_UP:
                self._given_up.add(leg)
            return
        code = None if leg in self._given_up else event.get("tech_cause")
        self._given_up.discard(leg)
        await self._ended(leg, event["channel"]["state"], event["cause"], code)

    async def _ended(
        self, leg: str, state: str, cause: int, code: int | None = None, *, seen: bool = True
    ) -> None:
        """A leg has ended. `seen`: the exchange has reported it."""
        if channel_names.is_attempt(leg):
            rang = state == "Ringing" or leg in self._rang
            self._rang.discard(leg)
            self._met_in.pop(leg, None)
            end = causes.end(cause, code, answered=state == "Up", rang=rang)
            receipt = Receipt("call", leg, _END) if seen else None
            await self._engine.calls.receive(
                CallReport(
                    leg,
                    end.report,
                    leg=leg,
                    receipt=receipt,
                    code=end.code,
                    declined=end.declined,
                )
            )
            return
        if await self._snoops.ended(leg) or await self._role_plays.ended(leg):
            return
        room = self._rooms.pop(leg, None)
        seat = channel_names.seat_of_leg(leg)
        if seat is None and room is not None:
            seat = channel_names.seat_of_room(room)
        if seat is not None:
            if state != "Up":
                log.warning("phoner_not_reached", seat=seat, cause=cause)
            silent = leg in self._silent or cause == causes.NO_SOUND
            self._silent.discard(leg)
            self._unheard.discard(leg)
            receipt = Receipt("phoner", leg, _END) if seen else None
            reason = "line_silent" if silent else ""
            await self._engine.phoners.phoner_leg_ended(seat, leg, receipt, reason)
        if room is not None:
            await self._ari.delete("bridges", room)
        self._callers.left(leg)

    # -- a phoner's leg -----------------------------------------------------------------------

    async def _phoner_up(self, leg: str, state: str) -> None:
        seat = channel_names.seat_of_leg(leg)
        if state == "Up" and seat is not None and leg not in self._rooms:
            await self.obey(leg, await self._engine.phoners.phoner_asks(seat, None, leg))

    async def _admit(self, leg: str, room: str) -> None:
        """The phoner is in the room, once sound comes from the telephone."""
        if leg not in self._unheard or await sends_sound(self._ari, leg):
            await self._engine.rooms.room_event(_joined(room, leg))
        else:
            log.warning("phoner_without_sound", room=room)
            self._silent.add(leg)
            await self._ari.delete("channels", leg)
        self._unheard.discard(leg)

    async def _room_ended(self, room: str) -> None:
        """A room ended while a phoner was in it: the phoner gets another one."""
        seat = channel_names.seat_of_room(room)
        left = [leg for leg, inside in self._rooms.items() if inside == room]
        for leg in left:
            del self._rooms[leg]
            if seat is not None:
                await self.obey(leg, await self._engine.phoners.phoner_left_room(seat, leg, room))

    async def obey(self, leg: str, instruction: Instruction) -> None:
        """Carry out the engine's instruction for a leg."""
        match instruction:
            case JoinRoom(room):
                (await self._ari.post("bridges", room, type=ROOM_TYPE)).carried_out()
                joined = await join(self._ari, room, leg)
                if not joined.ok and (await self._ari.get("channels", leg)).gone:
                    await self._ended(leg, "Up", 0, seen=False)
                    return
                joined.carried_out()
                self._rooms[leg] = room
                self._unheard.add(leg)
                await self._admit(leg, room)
            case HangUp():
                await self._ari.delete("channels", leg)
            case _:
                await self._callers.obey(leg, instruction)


def _joined(room: str, leg: str) -> RoomEvent:
    return RoomEvent(room, room, leg, RoomChange.JOINED)
