"""A telephone network with Twilio's semantics: it queues, rings, joins and ends legs, and reports them.

Where Twilio's behaviour is unknown, the worse case is simulated: a leg that is answered after its room
has ended stays in silence, and a ringing one continues to ring.
"""

import random
from datetime import datetime, timedelta
from typing import Protocol

from callserver.simulator.callbacks import Callbacks
from callserver.simulator.faults import Faults
from callserver.simulator.legs import SIP_RESPONSES, Behaviour, Conference, Leg, OrderRefused, Ring
from callserver.simulator.listening_record import ListeningRecord
from callserver.simulator.twiml_runner import TwimlRun
from callserver.simulator.virtual_time import Agenda, Work

LONGEST_LEG = timedelta(hours=4)
SETUP_S = (0.3, 1.2)
SILENCE_S = 2.0
"""A person who hears nothing for this long after answering has answered into silence (FTC, Ofcom)."""


class People(Protocol):
    """The far ends of the network: called people and phoners."""

    def rings(self, leg: Leg) -> Behaviour: ...
    def answered(self, leg: Leg) -> None: ...
    def joined(self, room: Conference, leg: Leg) -> None: ...
    def left(self, room: Conference, leg: Leg) -> None: ...
    def key(self, leg: Leg) -> str: ...
    def missed(self, leg: Leg) -> None: ...


class Network:
    """The carrier."""

    def __init__(
        self,
        agenda: Agenda,
        callbacks: Callbacks,
        dice: random.Random,
        faults: Faults,
        calls_per_second: float,
    ) -> None:
        self.agenda = agenda
        self.callbacks = callbacks
        self.dice = dice
        self.faults = faults
        self.people: People
        self.legs: dict[str, Leg] = {}
        self.rooms: dict[str, Conference] = {}
        self.record: list[Ring] = []
        self.listening_record = ListeningRecord(agenda.clock)
        self._rings: dict[str, Ring] = {}
        self._names: dict[str, str] = {}
        self._gap = timedelta(seconds=1 / calls_per_second)
        self.next_start = agenda.clock.now()
        self.twiml = TwimlRun(self)

    def now(self) -> datetime:
        return self.agenda.clock.now()

    def key(self, leg: Leg) -> str:
        """The key that the person on the line presses."""
        return self.people.key(leg)

    def sid(self, kind: str) -> str:
        return f"{kind}{self.dice.getrandbits(128):032x}"

    # -- orders -------------------------------------------------------------------------------

    def order(self, leg: Leg) -> int:
        """Queue a leg; it starts when the account's calls per second allow. Returns milliseconds queued."""
        start = max(self.now(), self.next_start)
        self.next_start = start + self._gap
        self.legs[leg.sid] = leg
        self.agenda.at(start, lambda: self.start(leg))
        return round((start - self.now()).total_seconds() * 1000)

    def reserve(self, room: Conference, leg: Leg) -> None:
        """Assign a leg to a room; its label is in use from now on.

        Raises:
            OrderRefused: the room has ended, or the label is in use.
        """
        if room.status == "completed":
            raise OrderRefused(404, 20404, "The requested resource was not found")
        if leg.label is not None and leg.label in room.labels:
            raise OrderRefused(400, 16026, "Participant label is already in use")
        if leg.label is not None:
            room.labels[leg.label] = leg.sid
        leg.conference = room.sid

    def room(self, name_or_sid: str) -> Conference | None:
        sid = self._names.get(name_or_sid, name_or_sid)
        return self.rooms.get(sid)

    def open_room(self, name: str) -> Conference:
        """The live room of that name, created when there is none."""
        room = self.room(name)
        if room is None or room.status == "completed":
            room = Conference(self.sid("CF"), name, self.now())
            self.rooms[room.sid] = room
            self._names[name] = room.sid
        return room

    # -- what happens to a leg ----------------------------------------------------------------

    async def start(self, leg: Leg) -> None:
        if leg.status != "queued":
            return
        self._move(leg, "initiated", "initiated")
        behaviour = self.people.rings(leg)
        wait = self.dice.uniform(*SETUP_S)
        if behaviour.ends is not None:
            ending = behaviour.ends
            leg.sip_response = behaviour.sip_response if ending == "failed" else None
            self.agenda.after(wait, lambda: self.end(leg, ending))
        else:
            self.agenda.after(wait, lambda: self._ring(leg, behaviour))

    async def _ring(self, leg: Leg, behaviour: Behaviour) -> None:
        if not leg.live:
            return
        if leg.to.startswith("+"):
            ring = Ring(leg.to, leg.caller, leg.label, self.now())
            self.record.append(ring)
            leg.telephone_rang = True
            self._rings[leg.sid] = ring
        self._move(leg, "ringing", "ringing")
        self._maybe_lose_phoner(leg)
        longest = leg.timeout + (5 if leg.conference else 0)
        if behaviour.answers_after is not None and behaviour.answers_after < longest:
            self.agenda.after(behaviour.answers_after, lambda: self.answer(leg))
        else:
            self.agenda.after(longest, lambda: self.end(leg, "no-answer"))

    def _maybe_lose_phoner(self, leg: Leg) -> None:
        room = self.rooms.get(leg.conference or "")
        if room is None or self.dice.random() >= self.faults.leg_dies_ringing:
            return
        for other in room.parties():
            self.agenda.after(self.dice.uniform(0.1, 5), self._death(other))

    def _death(self, leg: Leg) -> Work:
        return lambda: self.end(leg, "completed")

    async def answer(self, leg: Leg) -> None:
        if not leg.live or leg.answered is not None:
            return
        leg.answered = self.now()
        ring = self._rings.get(leg.sid)
        if ring is not None:
            ring.answered_at = self.now()
        self._move(leg, "in-progress", "answered")
        self.agenda.after(LONGEST_LEG.total_seconds(), self._death(leg))
        if leg.conference is not None:
            self.join(leg)
            self.agenda.after(SILENCE_S, lambda: self._judge(leg))
            if self.dice.random() < self.faults.leg_dies_talking:
                for other in list(self.rooms[leg.conference].legs.values()):
                    if other is not leg:
                        self.agenda.after(self.dice.uniform(1, 60), self._death(other))
        self.people.answered(leg)
        if leg.conference is None and leg.url:
            await self.twiml.fetch(leg, leg.url)

    async def _judge(self, leg: Leg) -> None:
        """Record silence when the person has heard nothing within two seconds of the answer."""
        ring = self._rings.get(leg.sid)
        if ring is not None and not ring.heard:
            ring.heard = "silence"

    def heard(self, leg: Leg, what: str) -> None:
        ring = self._rings.get(leg.sid)
        if ring is not None and not ring.heard:
            ring.heard = what

    async def end(self, leg: Leg, status: str) -> None:
        """End the leg, whichever side ends it."""
        if not leg.live:
            return
        was_queued = leg.status == "queued"
        if status in ("completed", "canceled"):
            status = "completed" if leg.answered else "canceled"
        leg.ended = self.now()
        leg.version += 1
        ring = self._rings.get(leg.sid)
        if ring is not None:
            ring.ended_at = self.now()
        self.remove(leg, "participant_hung_up" if leg.answered else "participant_add_failed")
        if was_queued:
            leg.status = status  # a cancelled order in the queue sends no callback
            return
        self._move(leg, status, "completed")
        if not leg.answered and leg.to.startswith("+"):
            self.people.missed(leg)

    def hang_up_by_person(self, leg: Leg) -> None:
        """The person at the far end hangs up."""
        if not (ring := self._rings.get(leg.sid)) or not ring.heard:
            self.heard(leg, "gone")
        self.agenda.after(0, self._death(leg))

    def _move(self, leg: Leg, status: str, event: str) -> None:
        leg.status = status
        if event in leg.callback.events:
            self.callbacks.notify(leg.callback.url, self.news(leg))
            leg.callback.sequence += 1

    def news(self, leg: Leg) -> dict[str, str]:
        """The fields of a call's status callback."""
        form = {
            "CallSid": leg.sid,
            "From": leg.caller,
            "To": leg.to,
            "Caller": leg.caller,
            "Called": leg.to,
            "CallStatus": leg.status,
            "Direction": leg.direction,
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(leg.callback.sequence),
        }
        if leg.ended is not None:
            talked = (leg.ended - leg.answered).total_seconds() if leg.answered else 0
            form["CallDuration"] = str(round(talked))
            form["SipResponseCode"] = str(leg.sip_response or SIP_RESPONSES[leg.status])
            form["Duration"] = str(-(-round(talked) // 60))
        return form

    # -- rooms --------------------------------------------------------------------------------

    def join(self, leg: Leg) -> None:
        room = self.rooms[leg.conference or ""]
        if room.status == "completed":
            return  # Twilio's behaviour is unknown here: silence is the worst case
        room.legs[leg.sid] = leg
        leg.joined = True
        if leg.label is not None:
            room.labels[leg.label] = leg.sid
        phoner_there = any(other.label != leg.label for other in room.parties())
        if leg.direction == "outbound-api" and leg.is_contact and phoner_there:
            self.heard(leg, "phoner")
        self._tell_room(room, "participant-join", "join", leg)
        if room.status == "init" and len(room.legs) > 1 and room.parties():
            room.status = "in-progress"
            self._tell_room(room, "conference-start", "start", None)
        self.listening_record.joined(room, leg)
        self.people.joined(room, leg)

    def enter(self, leg: Leg, room: Conference, label: str | None) -> bool:
        """A leg's instructions put it into a room; False when its label is in use there."""
        leg.label = label
        try:
            self.reserve(room, leg)
        except OrderRefused:
            return False
        self.join(leg)
        return True

    def leave(self, leg: Leg) -> None:
        """New instructions take the leg out of its room."""
        self.remove(leg, "participant_updated_via_api")

    def remove(self, leg: Leg, why: str) -> None:
        room = self.rooms.get(leg.conference or "")
        leg.conference = None
        if room is None:
            return
        if leg.label is not None:
            room.labels.pop(leg.label, None)
        if room.legs.pop(leg.sid, None) is None and why != "participant_add_failed":
            return
        leg.joined = False
        self.listening_record.left(leg)
        if room.status == "completed":
            return
        self._tell_room(room, "participant-leave", "leave", leg, ReasonParticipantLeft=why)
        self.people.left(room, leg)
        if not room.legs:
            self._end_room(room, "last-participant-left")
        elif leg.sid in room.ends_with:
            self.close(room, "participant-with-end-conference-on-exit-left")

    def close(self, room: Conference, why: str) -> None:
        """End the room: all legs leave it and continue with their instructions."""
        legs = list(room.legs.values())
        self._end_room(room, why)
        for leg in legs:
            room.legs.pop(leg.sid, None)
            leg.conference = None
            self.listening_record.left(leg)
            self.people.left(room, leg)
            if leg.live:
                self.agenda.after(0, self.twiml.after_room(leg))

    def _end_room(self, room: Conference, why: str) -> None:
        if room.status != "completed":
            room.status = "completed"
            self._tell_room(room, "conference-end", "end", None, ReasonConferenceEnded=why)

    def _tell_room(
        self, room: Conference, event: str, short: str, leg: Leg | None, **more: str
    ) -> None:
        if short not in room.callback.events:
            return
        form = {
            "ConferenceSid": room.sid,
            "FriendlyName": room.name,
            "StatusCallbackEvent": event,
            "SequenceNumber": str(room.callback.sequence),
            **more,
        }
        if leg is not None:
            form |= {
                "CallSid": leg.sid,
                "Muted": str(leg.muted).lower(),
                "Hold": "false",
                "Coaching": str(leg.coach is not None).lower(),
                "EndConferenceOnExit": str(leg.sid in room.ends_with).lower(),
                "StartConferenceOnEnter": str(leg.starts).lower(),
                "ParticipantLabel": leg.label or "",
            }
        room.callback.sequence += 1
        self.callbacks.notify(room.callback.url, form)

    # -- new instructions ---------------------------------------------------------------------

    async def instruct(self, leg: Leg, twiml: str | None, url: str | None) -> None:
        """Replace the leg's instructions."""
        self.leave(leg)
        if twiml is not None:
            await self.twiml.execute(leg, twiml.encode())
        elif url is not None:
            await self.twiml.fetch(leg, url)

    async def call_in(self, caller: str, called: str, url: str) -> Leg:
        """Somebody calls one of the server's numbers."""
        leg = Leg(self.sid("CA"), called, caller, self.now(), direction="inbound", status="ringing")
        self.legs[leg.sid] = leg
        leg.answered = self.now()
        leg.status = "in-progress"
        await self.twiml.fetch(leg, url)
        return leg
