"""The network's own record of who listened, how loud she was, and which people heard her."""

from callserver.ports import Clock
from callserver.simulator.legs import Conference, Leg, Voice


class ListeningRecord:
    """Told of every coming and going; knows what a wiretap would."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: dict[str, Voice] = {}
        self.voices: list[Voice] = []
        self.beeps: list[str] = []  # legs that came or went with a tone

    def came(self, room: Conference, leg: Leg) -> None:
        """A leg is in the room now."""
        if not leg.starts:
            level = 0 if leg.muted else 1 if leg.coach else 2
            first = len(room.legs) == 1
            voice = Voice(leg.far_end, room.name, level, self._clock.now(), first)
            self.voices.append(voice)
            self._open[leg.sid] = voice
        for listener in room.legs.values():
            if listener.sid in self._open:
                self._open[listener.sid].heard_by.update(
                    other.sid
                    for other in room.legs.values()
                    if other.is_contact and room.hears(other, listener)
                )

    def left(self, leg: Leg) -> None:
        """A leg is out of its room."""
        voice = self._open.pop(leg.sid, None)
        if voice is not None:
            voice.until = self._clock.now()

    def beeped(self, leg: Leg, beep: str) -> None:
        """How a leg's coming and going sounds to the others."""
        if beep != "false":
            self.beeps.append(leg.sid)
