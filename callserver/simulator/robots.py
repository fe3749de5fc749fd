"""Robot phoners: each has a token, a softphone in the network, and only what a person would know.

They use the public JSON API. What happens on their line they hear; nobody tells them more.
"""

import json
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from callserver.simulator.legs import Behaviour, Conference, Leg
from callserver.simulator.network import Network
from callserver.simulator.town import Talk, Town

Api = Callable[[str, str, str, Mapping[str, Any] | None], Awaitable[tuple[int, dict[str, Any]]]]
"""method, path, token, body -> status, document."""


@dataclass(slots=True)
class Robot:
    """One phoner."""

    user: int
    token: str
    campaign: str
    telephone: str | None = None  # an ordinary telephone, confirmed; none: the browser
    leg: Leg | None = None
    talking_to: Leg | None = None
    talk: Talk | None = None
    heard_at: datetime | None = None
    idle_since: datetime | None = None
    waited: float = 0.0
    off: bool = False

    @property
    def line(self) -> str:
        return self.telephone or f"client:phoner_{self.user}"


@dataclass(frozen=True, slots=True)
class Typed:
    """Somebody asked to be rung in at a telephone that is not her own."""

    kind: str
    accepted: bool


@dataclass(slots=True)
class Told:
    """What the robots were promised: outcomes acknowledged, noes said; and the lines they typed."""

    outcomes: list[tuple[str, str]] = field(default_factory=list)  # attempt, outcome
    noes: list[tuple[str, datetime]] = field(default_factory=list)  # number, acknowledged at
    typed: list[Typed] = field(default_factory=list)
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asked to hear at an instant, and was told: granted; level -1: nothing more."""

    line: str
    at: datetime
    told: datetime
    level: int
    seat: int


class Floor:
    """All robots and all people: the far ends of the network."""

    def __init__(
        self,
        network: Network,
        town: Town,
        robots: list[Robot],
        api: Api,
        dice: random.Random,
        inbound_url: str,
        ends_at: datetime,
    ) -> None:
        self._network = network
        self._town = town
        self._by_line = {robot.line: robot for robot in robots}
        self._api = api
        self._dice = dice
        self._inbound_url = inbound_url
        self._ends_at = ends_at
        self._keys: dict[str, str] = {}
        self.robots = robots
        self.told = Told()
        network.people = self

    def begin(self, within: float = 60) -> None:
        """Everybody comes to work within so many seconds."""
        for robot in self.robots:
            self._later(robot, self._dice.uniform(0, within), self._arrive)

    # -- what the network tells the far ends --------------------------------------------------

    def rings(self, leg: Leg) -> Behaviour:
        if leg.to in self._by_line:
            robot = self._by_line[leg.to]
            return Behaviour(answers_after=None if robot.off else self._dice.uniform(0.5, 2))
        if leg.to.startswith("client:"):  # somebody else's softphone, which answers by itself
            return Behaviour(answers_after=self._dice.uniform(0.3, 1))
        return self._town.rings(leg.to)

    def answered(self, leg: Leg) -> None:
        robot = self._by_line.get(leg.to)
        if robot is not None:
            robot.leg = leg
        if robot is not None or leg.to.startswith("client:"):
            return
        talk = self._town.talk(leg.to)
        if talk.result == "early":
            self._network.agenda.after(talk.seconds, self._person_hangs_up(leg))
        elif leg.label is not None and leg.conference is not None:
            # Somebody to whom nobody speaks puts the receiver down after a while.
            self._network.agenda.after(12, self._gives_up(leg))

    def joined(self, room: Conference, leg: Leg) -> None:
        if not leg.starts:
            return  # a listener: nobody notices
        robot = self._by_line.get(leg.to)
        if robot is not None:
            self._later(robot, self._dice.uniform(0.5, 3), self._ready)
            for other in room.parties():
                if other is not leg:
                    self._hears(robot, other)
            return
        for other in room.parties():
            found = self._by_line.get(other.to)
            if found is not None:
                self._hears(found, leg)

    def left(self, room: Conference, leg: Leg) -> None:
        robot = self._by_line.get(leg.to)
        if robot is not None:
            robot.leg = None
            if robot.talking_to is not None:
                self._talk_is_over(robot)
            return
        for other in list(room.legs.values()):
            found = self._by_line.get(other.to)
            if found is not None and found.talking_to is leg:
                self._talk_is_over(found)

    def missed(self, leg: Leg) -> None:
        key = None if leg.to in self._by_line else self._town.returns(leg.to)
        if key is None or not leg.rang_in_town:
            return

        async def ring_back() -> None:
            self._keys[leg.to] = key
            await self._network.call_in(leg.to, leg.caller, self._inbound_url)

        self._network.agenda.after(self._dice.uniform(30, 1800), ring_back)

    def key(self, leg: Leg) -> str:
        """The key a caller presses; a no counts from when the server has answered it."""
        pressed = self._keys.pop(leg.caller, "")
        if pressed == "9":
            self.told.noes.append((leg.caller, self._network.now() + timedelta(seconds=1)))
        return pressed

    # -- what a phoner does -------------------------------------------------------------------

    def _later(self, robot: Robot, seconds: float, act: Callable[[Robot], Awaitable[None]]) -> None:
        self._network.agenda.after(seconds, lambda: act(robot))

    def _hears(self, robot: Robot, person: Leg) -> None:
        robot.talking_to = person
        robot.talk = self._town.talk(person.to)
        robot.heard_at = self._network.now()
        if robot.idle_since is not None:
            robot.waited += (robot.heard_at - robot.idle_since).total_seconds()
            robot.idle_since = None
        self._later(robot, 0.2, self._card)
        if robot.talk.result == "never":
            self._later(robot, min(6, robot.talk.seconds / 2), self._never)
        if robot.talk.result != "early":
            self._network.agenda.after(robot.talk.seconds, self._person_hangs_up(person))

    async def _card(self, robot: Robot) -> None:
        await self._api("GET", "/api/v1/seat", robot.token, None)

    async def _never(self, robot: Robot) -> None:
        person = robot.talking_to
        if person is None:
            return
        status, _ = await self._api("POST", "/api/v1/wish", robot.token, {"wish": "never"})
        if status == 200:
            self.told.noes.append((person.to, self._network.now()))

    def _talk_is_over(self, robot: Robot) -> None:
        robot.talking_to = None
        self._later(robot, self._dice.uniform(*self._town.habits.wraps_up), self._outcome)

    def _person_hangs_up(self, leg: Leg) -> Callable[[], Awaitable[None]]:
        async def hang_up() -> None:
            if leg.live:
                self._network.hang_up_by_person(leg)

        return hang_up

    def _gives_up(self, leg: Leg) -> Callable[[], Awaitable[None]]:
        async def give_up() -> None:
            room = self._network.rooms.get(leg.conference or "")
            alone = room is None or len(room.parties()) < 2
            if leg.live and alone:
                self._network.hang_up_by_person(leg)

        return give_up

    async def _type(self, robot: Robot) -> bool:
        """Ask to be rung in at somebody else's telephone, of each kind; whether one was accepted."""
        stranger = 4_532_000_000 + self._dice.randrange(400_000)
        for kind, line in (
            ("a stranger", f"+{stranger}"),
            ("abroad", "+46701234567"),
            ("a satellite", "+881612345678"),
            ("an emergency number", "112"),
            ("an emergency number by SIP", "sip:114@carrier.example"),
            ("a number by SIP", f"sip:{stranger}@carrier.example"),
            ("another's browser", f"client:phoner_{robot.user + 1}"),
            ("another's telephone", f"sip:telephone_{robot.user + 1}"),
        ):
            body = {"campaign": robot.campaign, "line": line}
            status, _ = await self._api("POST", "/api/v1/shift", robot.token, body)
            self.told.typed.append(Typed(kind, status == 200))
            if status == 200:
                return True
        return False

    async def _arrive(self, robot: Robot) -> None:
        if self._network.faults.typed_line > self._dice.random() and await self._type(robot):
            return
        body = {"campaign": robot.campaign, "line": robot.line}
        await self._api("POST", "/api/v1/shift", robot.token, body)
        self._later(robot, self._town.habits.looks_every, self._look)

    async def _ready(self, robot: Robot) -> None:
        robot.idle_since = robot.idle_since or self._network.now()
        await self._api("POST", "/api/v1/ready", robot.token, {})

    async def _outcome(self, robot: Robot) -> None:
        """Give the outcome of the call in hand; its details are what a person would type."""
        _, seat = await self._api("GET", "/api/v1/seat", robot.token, None)
        call = seat.get("call")
        if not call or call.get("outcome") or robot.talking_to is not None:
            return
        result = robot.talk.result if robot.talk is not None else "early"
        key, details = answer(result, call["outcomes"], self._call_back_at)
        body = {"outcome": key, "details": details, "note": "", "next": "ready"}
        status, problem = await self._api("POST", "/api/v1/outcome", robot.token, body)
        if (
            "confirm" in problem
        ):  # a call-back outside the hours: the person has asked for that time
            body |= {problem["confirm"]: True}
            status, _ = await self._api("POST", "/api/v1/outcome", robot.token, body)
        if status == 200:
            self.told.outcomes.append((call["attempt"], key))
            robot.idle_since = self._network.now()
        else:
            self.told.refused += 1
            if robot.talk is not None:  # the rules refuse what was wished: then it is a no
                robot.talk = replace(robot.talk, result="no")
            self._later(robot, 5, self._outcome)

    def _call_back_at(self) -> datetime:
        return self._network.now() + timedelta(minutes=self._dice.randint(40, 60 * 26))

    async def _look(self, robot: Robot) -> None:
        """Glance at the screen: go on where something was missed."""
        if robot.off:
            return
        now = self._network.now()
        if now >= self._ends_at:
            await self._go_home(robot)
            return
        _, seat = await self._api("GET", "/api/v1/seat", robot.token, None)
        state = seat.get("state")
        if state == "off":
            await self._api(
                "POST",
                "/api/v1/shift",
                robot.token,
                {"campaign": robot.campaign, "line": robot.line},
            )
        elif (seat.get("outcome_owed") or state == "wrapping_up") and robot.talking_to is None:
            await self._outcome(robot)
        elif state == "paused":
            await self._ready(robot)
        elif state == "talking" and robot.talking_to is None and robot.leg is not None:
            await self._api("POST", "/api/v1/hang-up", robot.token, {})
        self._later(robot, self._town.habits.looks_every, self._look)

    async def _go_home(self, robot: Robot) -> None:
        status, seat = await self._api("POST", "/api/v1/off", robot.token, {})
        if status == 200 and seat.get("state") == "off":
            robot.off = True
            return
        await self._outcome(robot)
        if self._network.now() < self._ends_at + timedelta(minutes=20):
            self._later(robot, 20, self._go_home)


def answer(
    result: str, outcomes: Mapping[str, Any], call_back_at: Callable[[], datetime]
) -> tuple[str, dict[str, Any]]:
    """The outcome of a talk that ended so, and what a person would type for it."""
    match result:
        case "yes":
            key = next((k for k, one in outcomes.items() if one["agreement"]), "no_thanks")
        case "never":
            key = "never"
        case "later":
            key = "call_back"
        case "voicemail":
            key = "voicemail"
        case "early":
            key = "hung_up"
        case _:
            key = "no_thanks"
    details: dict[str, Any] = {}
    for ask in outcomes[key]["asks"]:
        if ask == "at":
            details["at"] = call_back_at().isoformat()
        else:
            details[ask] = {"amount": 100, "frequency": "monthly"}.get(ask, "et par ord")
    return key, details


def document(body: bytes) -> dict[str, Any]:
    """A reply's JSON."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
