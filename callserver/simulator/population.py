"""Invented people: their contact lists, and what each person does when the telephone rings.

Everything about a person follows from the seed and the number, so one seed gives the same answers.
"""

import csv
import io
import random
from dataclasses import dataclass
from datetime import date, timedelta

from callserver.simulator.legs import Behaviour

FIRST = [
    "Alma",
    "Asta",
    "Bodil",
    "Carlo",
    "Dagny",
    "Ebbe",
    "Elna",
    "Frode",
    "Gudrun",
    "Helge",
    "Inger",
    "Jytte",
    "Knud",
    "Laura",
    "Malte",
    "Nanna",
    "Otto",
    "Poula",
    "Rigmor",
    "Svend",
    "Tove",
    "Ulla",
    "Viggo",
    "Walther",
    "Ylva",
    "Aage",
]
LAST = [
    "Agerbæk",
    "Birkelund",
    "Dalsgaard",
    "Engstrøm",
    "Fjordby",
    "Grønholt",
    "Havbakke",
    "Isager",
    "Kildemose",
    "Lyngvig",
    "Møllehave",
    "Nordhøj",
    "Overbæk",
    "Ravnsborg",
    "Skovlund",
    "Tangager",
    "Uglebjerg",
    "Vestervang",
]
TOWNS = ["Lynghavn", "Birkested", "Møllerup", "Fjordby", "Storskov", "Engsø", "Kirkebæk"]
NUMBERS_FROM = 32_200_000
"""Eight-digit numbers that the numbering plan allows; the simulated network never reaches a trunk."""


@dataclass(frozen=True, slots=True)
class BehaviourRates:
    """Which share of the people does what, and how long things take. The rest do not answer."""

    answers: float = 0.32
    busy: float = 0.05
    unreachable: float = 0.03
    hangs_up_early: float = 0.05  # of those who answer
    says_yes: float = 0.12
    says_never: float = 0.05
    calls_back_later: float = 0.06  # asks to be called at another time
    leaves: float = 0.02
    voicemail: float = 0.08
    returns_missed: float = 0.02  # calls the displayed number after a missed call
    talk_seconds: float = 110.0
    shortest_talk: float = 8.0
    looks_every: float = 45.0  # a phoner looks at the screen, in seconds
    wraps_up: tuple[float, float] = (5.0, 40.0)  # a phoner after each conversation
    rings_for: tuple[float, float] = (2.0, 20.0)  # before an answer


@dataclass(frozen=True, slots=True)
class Talk:
    """One conversation: its length and its result."""

    seconds: float
    result: str  # yes, no, never, later, early or voicemail


class Population:
    """The invented people, by their numbers."""

    def __init__(self, seed: int, rates: BehaviourRates | None = None) -> None:
        self._seed = seed
        self.rates = rates or BehaviourRates()
        self._calls: dict[str, int] = {}  # so far, by number

    def rings(self, number: str) -> Behaviour:
        """What the telephone does at this call."""
        call = self._calls[number] = self._calls.get(number, 0) + 1
        dice = random.Random(f"{self._seed}:{number}:{call}")
        roll, rates = dice.random(), self.rates
        if roll < rates.answers:
            return Behaviour(answers_after=dice.uniform(*rates.rings_for))
        roll -= rates.answers
        if roll < rates.busy:
            return Behaviour(ends="busy")
        roll -= rates.busy
        if roll < rates.unreachable:
            return Behaviour(ends="failed")
        return Behaviour()

    def talk(self, number: str) -> Talk:
        """The conversation that follows an answer."""
        dice = random.Random(f"{self._seed}:{number}:{self._calls.get(number, 0)}:talk")
        roll, rates = dice.random(), self.rates
        length = max(rates.shortest_talk, dice.expovariate(1 / rates.talk_seconds))
        for share, result in (
            (rates.hangs_up_early, "early"),
            (rates.voicemail, "voicemail"),
            (rates.says_yes, "yes"),
            (rates.says_never, "never"),
            (rates.calls_back_later, "later"),
        ):
            if roll < share:
                return Talk(dice.uniform(0.5, 4) if result == "early" else length, result)
            roll -= share
        return Talk(length / 3, "no")

    def returns(self, number: str) -> str | None:
        """The key pressed when a missed call is returned: 9, 1 or empty; None: it is not returned."""
        dice = random.Random(f"{self._seed}:{number}:{self._calls.get(number, 0)}:returns")
        if dice.random() >= self.rates.returns_missed:
            return None
        return dice.choice(("9", "9", "1", ""))


def contacts_csv(
    count: int, seed: int, *, first: int = 0, members: bool = False, bad: int = 0
) -> str:
    """An invented list: semicolons, Danish headings, some households, and `bad` invalid rows."""
    dice = random.Random(f"{seed}:contacts:{first}")
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow(
        [
            "ref",
            "navn",
            "telefon",
            "husstand",
            "født",
            "medlem",
            "sidste_gave",
            "ophørt",
            "kilde",
            "by",
        ]
    )
    today = date(2026, 5, 12)
    household = 0
    for position in range(count):
        number = f"{NUMBERS_FROM + first + position}"
        if dice.random() > 0.08:
            household += 1
        if position < bad:
            number = dice.choice((f"{number} lok. 4", f"ab{number}", f"{number} / {number}", "13"))
        writer.writerow(
            [
                f"K{first + position:07}",
                f"{dice.choice(FIRST)} {dice.choice(LAST)}",
                number,
                f"Vej {first}-{household}",
                (today - timedelta(days=dice.randint(20 * 365, 85 * 365))).strftime("%d-%m-%Y"),
                "ja" if members else "nej",
                (today - timedelta(days=dice.randint(30, 700))).isoformat() if members else "",
                (today - timedelta(days=dice.randint(5, 400))).isoformat() if members else "",
                dice.choice(("underskrift 2025", "gademøde", "køreliste")),
                dice.choice(TOWNS),
            ]
        )
    return out.getvalue()
