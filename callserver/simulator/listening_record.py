"""The network's own record of who listened, in which mode, and which called persons heard them.

Role-play calls, to which nobody may listen, are recorded separately.
"""

from callserver.ports import Clock
from callserver.simulator.legs import Conference, Leg, ListenerStay
from callserver.simulator.role_play_record import RolePlayRecord


class ListeningRecord:
    """Records every listener who joins or leaves a room."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: dict[str, ListenerStay] = {}
        self.stays: list[ListenerStay] = []
        self.role_plays = RolePlayRecord()
        self.beeps: list[str] = []  # legs that joined or left with a tone

    def joined(self, room: Conference, leg: Leg) -> None:
        """A leg has joined the room."""
        self.role_plays.joined(room, leg)
        if not leg.starts:
            level = 0 if leg.muted else 1 if leg.coach else 2
            first = len(room.legs) == 1
            stay = ListenerStay(leg.far_end, room.name, level, self._clock.now(), first)
            self.stays.append(stay)
            self._open[leg.sid] = stay
        for listener in room.legs.values():
            if listener.sid in self._open:
                self._open[listener.sid].heard_by.update(
                    other.sid
                    for other in room.legs.values()
                    if other.is_contact and room.hears(other, listener)
                )

    def left(self, leg: Leg) -> None:
        """A leg has left its room."""
        stay = self._open.pop(leg.sid, None)
        if stay is not None:
            stay.until = self._clock.now()

    def beeped(self, leg: Leg, beep: str) -> None:
        """A leg joins or leaves with this `beep` setting."""
        if beep != "false":
            self.beeps.append(leg.sid)
