"""Simulated telephones of the demonstration's visitors: their pages show as text what they would hear.

A visitor's telephone exists while its page follows it, and answers automatically, as a softphone does.
The page shows whom the visitor hears, and who hears the visitor as far as they could notice: a silent
listener never appears in what a phoner is shown. What people say follows the conversation that a robot
would have had.
"""

import asyncio
from collections.abc import AsyncGenerator, Container, Mapping, Sequence
from typing import Literal, NamedTuple

from pydantic import BaseModel

from callserver.simulator.legs import Behaviour, Conference, Leg
from callserver.simulator.network import Network, People
from callserver.simulator.population import Population, Talk

Who = Literal["person", "phoner", "listener", "applicant", "interviewer"]

ROLE_PLAYERS: Mapping[str, Who] = {
    "client:applicant_": "applicant",
    "client:interviewer_": "interviewer",
}
"""How the lines of role-play calls begin; every page that plays one is a visitor's."""

BEAT_S = 10
TAKES_S = 0.4
LONGER_S = 40.0
"""Visitors read and type while they talk, so people stay on the line for at least this long."""

VOICEMAIL_S = 20.0

FIRST_HOUR = (
    Behaviour(answers_after=2.5),
    Behaviour(ends="busy"),
    Behaviour(answers_after=5),
    Behaviour(ends="busy"),
    Behaviour(),
)
"""How the calls of somebody who tries the demonstration end, in turn: every second or third is answered."""


class Heard(BaseModel):
    """Whom a telephone's owner hears, who hears them, and what was just said."""

    on: bool  # the telephone is in a call
    muted: bool
    hears: list[Who]
    heard_by: list[Who]
    who: Who | None = None
    says: str | None = None  # which sentence: `played.says.<says>`


class Utterance(NamedTuple):
    """One sentence of a conversation: when it is said, and by whom."""

    at: float
    who: Who
    says: str


class Telephone:
    """One page's telephone."""

    def __init__(self) -> None:
        self.news: asyncio.Queue[Heard | None] = asyncio.Queue()  # None: the end
        self.leg: Leg | None = None
        self.muted = False
        self.last_sent: Heard | None = None


class Visitors:
    """Far ends of the network: visitors' telephones here; every other leg is passed on to the robots."""

    def __init__(self, network: Network, population: Population, calls_in_at: str) -> None:
        self._network = network
        self._population = population
        self._calls_in_at = calls_in_at
        self._telephones: dict[str, Telephone] = {}
        self._lines: Container[str] = ()
        self._others: People
        self._pattern: Sequence[Behaviour] = ()
        self._calls: dict[str, int] = {}  # the number of calls so far, by the visitor's line

    def start(self, lines: Container[str], others: People, calls: Sequence[Behaviour] = ()) -> None:
        """Play the telephones of these lines; `others` handles all other legs.

        `calls`: how each visitor's calls end, in turn; without it, as the called people decide.
        """
        self._lines, self._others, self._pattern = lines, others, calls
        self._network.people = self

    def stop(self) -> None:
        """End every page's stream: the demonstration stops."""
        for telephone in self._telephones.values():
            telephone.news.put_nowait(None)

    # -- what pages do --------------------------------------------------------------------------

    async def follow(self, line: str) -> AsyncGenerator[Heard | None, None]:
        """The telephone's state after each change; None as a heartbeat. Ends when another page follows."""
        telephone = Telephone()
        before = self._telephones.get(line)
        if before is not None:
            telephone.leg, before.leg = before.leg, None  # a talk goes on
            before.news.put_nowait(None)
        self._telephones[line] = telephone
        if telephone.leg is not None:
            self._tell(telephone)
        try:
            while True:
                try:
                    async with asyncio.timeout(BEAT_S):  # wait_for may lose a cancellation
                        heard = await telephone.news.get()
                except TimeoutError:
                    yield None
                    continue
                if heard is None:
                    return
                yield heard
        finally:
            if self._telephones.get(line) is telephone:
                del self._telephones[line]
            if telephone.leg is not None:
                await self._network.end(telephone.leg, "completed")

    async def call_in(self, line: str) -> None:
        """Call the server from this line, as a browser does that was not called."""
        if line in self._telephones:
            await self._network.call_in(line, "", self._calls_in_at)

    def mute(self, line: str, *, on: bool) -> None:
        """Switch the telephone's microphone off or on."""
        telephone = self._telephones.get(line)
        if telephone is not None:
            telephone.muted = on
            self._tell(telephone)

    # -- events of the network ------------------------------------------------------------------

    def rings(self, leg: Leg) -> Behaviour:
        if not self._is_visitors(leg.to):
            usual = self._others.rings(leg)
            visitor = self._visitor_in(leg.conference)
            return self._reached(visitor) if visitor and self._pattern else usual
        if leg.to not in self._telephones:
            return Behaviour(ends="failed")  # no page is open
        return Behaviour(answers_after=TAKES_S)

    def _is_visitors(self, line: str) -> bool:
        return line in self._lines or line.startswith(tuple(ROLE_PLAYERS))

    def _visitor_in(self, room: str | None) -> str | None:
        """The line of the visitor in this room; None: there is no visitor."""
        conference = self._network.rooms.get(room or "")
        lines = () if conference is None else (leg.far_end for leg in conference.parties())
        return next((line for line in lines if self._is_visitors(line)), None)

    def _reached(self, visitor: str) -> Behaviour:
        """What happens at the far end of the visitor's next call."""
        call = self._calls[visitor] = self._calls.get(visitor, 0) + 1
        return self._pattern[(call - 1) % len(self._pattern)]

    def answered(self, leg: Leg) -> None:
        if not self._is_visitors(leg.to):
            if self._calls.get(self._visitor_in(leg.conference) or "") != 1:
                self._others.answered(leg)  # might hang up at once: not in a visitor's first call
        elif leg.to in self._telephones:
            self._telephones[leg.to].leg = leg
            self._tell(self._telephones[leg.to])

    def joined(self, room: Conference, leg: Leg) -> None:
        if leg.far_end in self._telephones:
            self._telephones[leg.far_end].leg = leg
        self._others.joined(room, leg)
        self._tell_all()
        parties = {self.who(party): party for party in room.parties()}
        if leg.starts and "person" in parties and "phoner" in parties:
            self._converse(room, parties["phoner"], parties["person"])

    def left(self, room: Conference, leg: Leg) -> None:
        self._others.left(room, leg)
        self._tell_all()

    def key(self, leg: Leg) -> str:
        return self._others.key(leg)

    def missed(self, leg: Leg) -> None:
        self._others.missed(leg)

    # -- what is heard --------------------------------------------------------------------------

    @staticmethod
    def who(leg: Leg) -> Who:
        if leg.is_contact:
            return "person"
        for line, player in ROLE_PLAYERS.items():
            if leg.far_end.startswith(line):
                return player
        return "listener" if leg.far_end.startswith("client:listener") else "phoner"

    def _muted(self, leg: Leg) -> bool:
        telephone = self._telephones.get(leg.far_end)
        return telephone is not None and telephone.muted

    def _tell_all(self) -> None:
        for telephone in self._telephones.values():
            self._tell(telephone)

    def _tell(self, telephone: Telephone) -> None:
        now = self.heard(telephone)
        if now != telephone.last_sent:
            telephone.last_sent = now
            telephone.news.put_nowait(now)

    def heard(self, telephone: Telephone) -> Heard:
        """What the telephone's owner hears and notices now."""
        me = telephone.leg
        if me is None or me.ended is not None or not me.live:
            return Heard(on=False, muted=telephone.muted, hears=[], heard_by=[])
        hears: set[Who] = set()
        heard_by: set[Who] = set()
        room = self._network.rooms.get(me.conference or "")
        if room is not None:
            for other in room.legs.values():
                heard = room.hears(me, other)
                if heard and not self._muted(other):
                    hears.add(self.who(other))
                noticed = other.starts or heard
                if noticed and room.hears(other, me) and not telephone.muted:
                    heard_by.add(self.who(other))
        return Heard(on=True, muted=telephone.muted, hears=sorted(hears), heard_by=sorted(heard_by))

    # -- what is said ---------------------------------------------------------------------------

    def _converse(self, room: Conference, phoner: Leg, person: Leg) -> None:
        """A conversation begins. A visitor speaks for themselves; the person hangs up at the end."""
        talk = self._population.talk(person.to)
        visits = self._is_visitors(phoner.far_end)
        if self._calls.get(phoner.far_end) == 1 and talk.result in ("early", "voicemail"):
            talk = Talk(talk.seconds, "no")  # a visitor's first call is a talk
        seconds = talk.seconds
        if visits and talk.result != "early":
            seconds = VOICEMAIL_S if talk.result == "voicemail" else max(talk.seconds, LONGER_S)
            self._network.agenda.after(seconds, lambda: self._hangs_up(person))
        for utterance in _script(talk.result, seconds):
            if utterance.who == "phoner" and visits:
                continue
            speaker = person if utterance.who == "person" else phoner
            self._later(room, speaker, utterance)

    def _later(self, room: Conference, speaker: Leg, utterance: Utterance) -> None:
        async def say() -> None:
            for telephone in self._telephones.values():
                me = telephone.leg
                if me is not None and room.hears(me, speaker):
                    sentence = {"who": utterance.who, "says": utterance.says}
                    telephone.news.put_nowait(self.heard(telephone).model_copy(update=sentence))

        self._network.agenda.after(utterance.at, say)

    async def _hangs_up(self, person: Leg) -> None:
        if person.live:
            self._network.hang_up_by_person(person)


def _script(result: str, seconds: float) -> list[Utterance]:
    """The sentences of a conversation with this result, within its length."""
    if result in ("early", "voicemail"):
        return [Utterance(0.4, "person", result)]
    utterances = [
        Utterance(0.5, "person", "hello"),
        Utterance(2, "phoner", "open"),
        Utterance(4.5, "person", "who"),
        Utterance(6.5, "phoner", "ask"),
        Utterance(max(9, seconds * 0.6), "person", result),
        Utterance(max(11, seconds - 3), "phoner", "well"),
        Utterance(max(12, seconds - 1.5), "person", "thanks"),
    ]
    return [utterance for utterance in utterances if utterance.at < seconds]
