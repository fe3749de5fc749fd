"""Executes TwiML: the verbs that callserver sends, in order, in the network's time."""

import xml.etree.ElementTree as ET
from typing import Protocol

from callserver.simulator.callbacks import Callbacks
from callserver.simulator.legs import Callback, Conference, Leg
from callserver.simulator.listening_record import ListeningRecord
from callserver.simulator.virtual_time import Agenda, Work

CHARACTERS_A_SECOND = 15.0
MOST_PARTICIPANTS = 250


class TwimlHost(Protocol):
    """What a TwiML document can do in the network that runs it."""

    agenda: Agenda
    callbacks: Callbacks
    listening_record: ListeningRecord

    async def end(self, leg: Leg, status: str) -> None: ...
    def heard(self, leg: Leg, what: str) -> None: ...
    def news(self, leg: Leg) -> dict[str, str]: ...
    def open_room(self, name: str) -> Conference: ...
    def room(self, name_or_sid: str) -> Conference | None: ...
    def enter(self, leg: Leg, room: Conference, label: str | None) -> bool: ...
    def leave(self, leg: Leg) -> None: ...
    def key(self, leg: Leg) -> str: ...


class TwimlRun:
    """Runs a leg's instructions."""

    def __init__(self, network: TwimlHost) -> None:
        self._network = network

    async def fetch(self, leg: Leg, url: str, **more: str) -> None:
        """Ask the server for the leg's instructions, and execute them."""
        if not leg.live:
            return
        body = await self._network.callbacks.fetch(url, {**self._network.news(leg), **more})
        if body is not None:
            await self.execute(leg, body)
        else:
            await self._network.end(leg, "completed")  # "an application error has occurred"

    async def execute(self, leg: Leg, twiml: bytes) -> None:
        """Execute a document; an ended leg does nothing.

        It replaces the leg's earlier instructions: two documents in a row do not put it into a room twice.
        """
        self._network.leave(leg)
        leg.version += 1
        verbs = list(ET.fromstring(twiml))  # noqa: S314 - our own server wrote it
        await self._verb(leg, verbs, 0, leg.version)

    async def _verb(self, leg: Leg, verbs: list[ET.Element], at: int, version: int) -> None:
        network = self._network
        if not leg.live or leg.version != version:
            return
        if at >= len(verbs):
            await network.end(leg, "completed")
            return
        verb = verbs[at]

        def then(seconds: float) -> None:
            network.agenda.after(seconds, lambda: self._verb(leg, verbs, at + 1, version))

        match verb.tag:
            case "Say" | "Play":
                network.heard(leg, "apology")
                leg.spoken.append(verb.text or "")
                then(len(verb.text or "") / CHARACTERS_A_SECOND)
            case "Pause":
                then(float(verb.get("length", "1")))
            case "Dial":
                if not self._dial(leg, verb):
                    then(0)
            case "Gather":
                await self._gather(leg, verb, version)
            case "Redirect":
                await self.fetch(leg, verb.text or "")
            case _:  # Hangup, Reject
                await network.end(leg, "completed")

    def _dial(self, leg: Leg, dial: ET.Element) -> bool:
        """Put the leg into a conference; False when it could not enter."""
        network = self._network
        inner = dial.find("Conference")
        if inner is None:
            return False
        leg.action = dial.get("action")
        coach, coached_room = inner.get("coach"), network.room(inner.text or "")
        if coach is not None and (coached_room is None or coach not in coached_room.legs):
            return False  # 13240: there is no leg to coach
        room = network.open_room(inner.text or "")
        if len(room.legs) >= int(inner.get("maxParticipants") or MOST_PARTICIPANTS):
            return False
        if not room.legs and room.callback.url is None:
            room.callback = Callback(
                inner.get("statusCallback"),
                frozenset((inner.get("statusCallbackEvent") or "").split()),
            )
        if inner.get("endConferenceOnExit") == "true":
            room.ends_with.add(leg.sid)
        leg.muted = inner.get("muted") == "true"
        leg.starts = inner.get("startConferenceOnEnter") != "false"
        leg.coach = coach
        network.listening_record.beeped(leg, inner.get("beep") or "true")
        return network.enter(leg, room, inner.get("participantLabel"))

    def after_room(self, leg: Leg) -> Work:
        """A live leg has left its room: its Dial's action says what follows."""

        async def go_on() -> None:
            if leg.live and leg.action:
                await self.fetch(leg, leg.action, DialCallStatus="answered")
            elif leg.live:
                await self._network.end(leg, "completed")

        return go_on

    async def _gather(self, leg: Leg, gather: ET.Element, version: int) -> None:
        text = "".join(say.text or "" for say in gather.iter("Say"))
        self._network.heard(leg, "apology")
        action = gather.get("action") or ""

        async def pressed() -> None:
            if leg.live and leg.version == version:
                await self.fetch(leg, action, Digits=self._network.key(leg))

        self._network.agenda.after(len(text) / CHARACTERS_A_SECOND, pressed)
