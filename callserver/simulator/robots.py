"""Robot phoners and the people whom they call: the far ends of the simulated network.

A robot has a token for the public JSON API and a softphone in the network. It knows only what a person
would know: its screen, and what happens on its line.
"""

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from callserver.simulator.legs import Behaviour, Conference, Leg
from callserver.simulator.network import Network
from callserver.simulator.population import Population, Talk

Api = Callable[[str, str, str, Mapping[str, Any] | None], Awaitable[tuple[int, dict[str, Any]]]]
"""method, path, token, body -> status, document."""


@dataclass(slots=True)
class Robot:
    """One phoner."""

    user: int
    token: str
    campaign: str
    telephone: str | None = None  # an ordinary telephone, confirmed; None: the browser
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
class TypedLine:
    """A robot asked to be called at a telephone that is not its own."""

    kind: str
    accepted: bool


@dataclass(slots=True)
class Acknowledged:
    """What the server acknowledged to the robots, and the lines that they typed."""

    outcomes: list[tuple[str, str]] = field(default_factory=list)  # attempt, outcome
    opt_outs: list[tuple[str, datetime]] = field(default_factory=list)  # number, acknowledged at
    typed: list[TypedLine] = field(default_factory=list)
    refused: int = 0


@dataclass(frozen=True, slots=True)
class ListeningGrant:
    """A listening that was asked for and granted; level -1: the listener stopped listening."""

    line: str
    at: datetime
    answered_at: datetime
    level: int
    seat: int


class SimulatedPeople:
    """All robots and all called people: the far ends of the network."""

    def __init__(
        self,
        network: Network,
        population: Population,
        robots: list[Robot],
        api: Api,
        dice: random.Random,
        inbound_url: str,
        ends_at: datetime,
    ) -> None:
        self._network = network
        self._population = population
        self._by_line = {robot.line: robot for robot in robots}
        self._api = api
        self._dice = dice
        self._inbound_url = inbound_url
        self._ends_at = ends_at
        self._keys: dict[str, str] = {}
        self.robots = robots
        self.acknowledged = Acknowledged()
        network.people = self

    def begin(self, within: float = 60) -> None:
        """All robots go on shift within so many seconds."""
        for robot in self.robots:
            self._later(robot, self._dice.uniform(0, within), self._arrive)

    # -- events of the network ----------------------------------------------------------------

    def rings(self, leg: Leg) -> Behaviour:
        if leg.to in self._by_line:
            robot = self._by_line[leg.to]
            return Behaviour(answers_after=None if robot.off else self._dice.uniform(0.5, 2))
        if leg.to.startswith("client:"):  # somebody else's softphone, which answers by itself
            return Behaviour(answers_after=self._dice.uniform(0.3, 1))
        return self._population.rings(leg.to)

    def answered(self, leg: Leg) -> None:
        robot = self._by_line.get(leg.to)
        if robot is not None:
            robot.leg = leg
        if robot is not None or leg.to.startswith("client:"):
            return
        talk = self._population.talk(leg.to)
        if talk.result == "early":
            self._network.agenda.after(talk.seconds, self._person_hangs_up(leg))
        elif leg.label is not None and leg.conference is not None:
            # A person who hears nobody hangs up after a while.
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
            phoner = self._by_line.get(other.to)
            if phoner is not None:
                self._hears(phoner, leg)

    def left(self, room: Conference, leg: Leg) -> None:
        robot = self._by_line.get(leg.to)
        if robot is not None:
            robot.leg = None
            if robot.talking_to is not None:
                self._talk_is_over(robot)
            return
        for other in list(room.legs.values()):
            phoner = self._by_line.get(other.to)
            if phoner is not None and phoner.talking_to is leg:
                self._talk_is_over(phoner)

    def missed(self, leg: Leg) -> None:
        key = None if leg.to in self._by_line else self._population.returns(leg.to)
        if key is None or not leg.telephone_rang:
            return

        async def ring_back() -> None:
            self._keys[leg.to] = key
            await self._network.call_in(leg.to, leg.caller, self._inbound_url)

        self._network.agenda.after(self._dice.uniform(30, 1800), ring_back)

    def key(self, leg: Leg) -> str:
        """The key that a caller presses; an opt-out counts from when the server has answered it."""
        pressed = self._keys.pop(leg.caller, "")
        if pressed == "9":
            self.acknowledged.opt_outs.append(
                (leg.caller, self._network.now() + timedelta(seconds=1))
            )
        return pressed

    # -- actions of a phoner ------------------------------------------------------------------

    def _later(self, robot: Robot, seconds: float, act: Callable[[Robot], Awaitable[None]]) -> None:
        self._network.agenda.after(seconds, lambda: act(robot))

    def _hears(self, robot: Robot, person: Leg) -> None:
        robot.talking_to = person
        robot.talk = self._population.talk(person.to)
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
            self.acknowledged.opt_outs.append((person.to, self._network.now()))

    def _talk_is_over(self, robot: Robot) -> None:
        robot.talking_to = None
        self._later(robot, self._dice.uniform(*self._population.rates.wraps_up), self._outcome)

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
        """Ask to be called at telephones of others, one of each kind; whether one was accepted."""
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
            self.acknowledged.typed.append(TypedLine(kind, status == 200))
            if status == 200:
                return True
        return False

    async def _arrive(self, robot: Robot) -> None:
        if self._network.faults.typed_line > self._dice.random() and await self._type(robot):
            return
        body = {"campaign": robot.campaign, "line": robot.line}
        await self._api("POST", "/api/v1/shift", robot.token, body)
        self._later(robot, self._population.rates.looks_every, self._look)

    async def _ready(self, robot: Robot) -> None:
        robot.idle_since = robot.idle_since or self._network.now()
        await self._api("POST", "/api/v1/ready", robot.token, {})

    async def _outcome(self, robot: Robot) -> None:
        """Record the outcome of the current call if it is missing, with details that a person would type."""
        _, seat = await self._api("GET", "/api/v1/seat", robot.token, None)
        owed = seat.get("outcome_owed") or seat.get("state") == "talking"
        call = seat.get("call") if owed and robot.talking_to is None else None
        if not call or call.get("outcome"):
            return
        result = robot.talk.result if robot.talk is not None else "early"
        key, details = answer(result, call["outcomes"], self._call_back_at)
        body = {"outcome": key, "details": details, "note": "", "next": "ready"}
        status, problem = await self._api("POST", "/api/v1/outcome", robot.token, body)
        if "confirm" in problem:  # a call-back outside the hours, which the person asked for
            body |= {problem["confirm"]: True}
            status, _ = await self._api("POST", "/api/v1/outcome", robot.token, body)
        if status == 200:
            self.acknowledged.outcomes.append((call["attempt"], key))
            robot.idle_since = self._network.now()
        else:
            self.acknowledged.refused += 1
            if robot.talk is not None:  # the rules refuse the wish: record a refusal instead
                robot.talk = replace(robot.talk, result="no")
            self._later(robot, 5, self._outcome)

    def _call_back_at(self) -> datetime:
        return self._network.now() + timedelta(minutes=self._dice.randint(40, 60 * 26))

    async def _look(self, robot: Robot) -> None:
        """Look at the screen and do what was missed."""
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
        self._later(robot, self._population.rates.looks_every, self._look)

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
    """The outcome of a conversation with this result, and the details that a person would type."""
    match result:
        case "yes":
            agreements = (key for key, outcome in outcomes.items() if outcome["agreement"])
            key = next(agreements, "no_thanks")
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
