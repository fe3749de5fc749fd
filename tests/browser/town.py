"""The town's telephones under a test's hand: what the next one does when it rings."""

from collections.abc import Callable

from callserver.simulator.legs import Behaviour, Conference, Leg
from callserver.simulator.network import Network, People

LINE = "client:phoner_9101"
"""Maja's browser."""


class Town:
    """The people as they are, but for what `does` says of a telephone; None: it does as usual."""

    def __init__(self, network: Network) -> None:
        self._others: People = network.people
        self.does: Callable[[Leg], Behaviour | None] = lambda _: None
        self.keys: dict[str, str] = {}  # what the next caller from a number presses
        network.people = self

    def next_number(self, behaviour: Behaviour) -> None:
        """The next number that is called does this, and those after it as usual."""

        def once(leg: Leg) -> Behaviour | None:
            if not leg.to.startswith("+"):
                return None
            self.does = lambda _: None
            return behaviour

        self.does = once

    def rings(self, leg: Leg) -> Behaviour:
        usual = self._others.rings(leg)
        return self.does(leg) or usual

    def answered(self, leg: Leg) -> None:
        self._others.answered(leg)

    def joined(self, room: Conference, leg: Leg) -> None:
        self._others.joined(room, leg)

    def left(self, room: Conference, leg: Leg) -> None:
        self._others.left(room, leg)

    def key(self, leg: Leg) -> str:
        return self.keys.pop(leg.caller, "") or self._others.key(leg)

    def missed(self, leg: Leg) -> None:
        self._others.missed(leg)
