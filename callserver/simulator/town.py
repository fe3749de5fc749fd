"""A town of invented people: who lives there, and what each does when the telephone rings.

Everything about a person follows from the seed and the number, so the same town answers the same.
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
"""Eight-digit numbers that the numbering plan allows; no trunk leads to them from here."""


@dataclass(frozen=True, slots=True)
class Habits:
    """What share of people does what. The rest lets it ring."""

    answers: float = 0.32
    busy: float = 0.05
    unreachable: float = 0.03
    hangs_up_early: float = 0.05  # of those who answer
    says_yes: float = 0.12
    says_never: float = 0.05
    calls_back_later: float = 0.06  # asks to be called at another time
    leaves: float = 0.02
    voicemail: float = 0.08
    returns_missed: float = 0.02  # rings the displayed number after a missed call
    talk_seconds: float = 110.0
    shortest_talk: float = 8.0
    looks_every: float = 45.0  # a phoner, at her screen
    wraps_up: tuple[float, float] = (5.0, 40.0)  # a phoner, after each talk
    rings_for: tuple[float, float] = (2.0, 20.0)  # before who answers does


@dataclass(frozen=True, slots=True)
class Talk:
    """One conversation: how long, and what comes of it."""

    seconds: float
    result: str  # yes no never later early voicemail


class Town:
    """The people, by their numbers."""

    def __init__(self, seed: int, habits: Habits | None = None) -> None:
        self._seed = seed
        self.habits = habits or Habits()
        self._rung: dict[str, int] = {}

    def rings(self, number: str) -> Behaviour:
        """What the telephone does this time."""
        turn = self._rung[number] = self._rung.get(number, 0) + 1
        dice = random.Random(f"{self._seed}:{number}:{turn}")
        roll, habits = dice.random(), self.habits
        if roll < habits.answers:
            return Behaviour(answers_after=dice.uniform(*habits.rings_for))
        roll -= habits.answers
        if roll < habits.busy:
            return Behaviour(ends="busy")
        roll -= habits.busy
        if roll < habits.unreachable:
            return Behaviour(ends="failed")
        return Behaviour()

    def talk(self, number: str) -> Talk:
        """The conversation that follows an answer."""
        dice = random.Random(f"{self._seed}:{number}:{self._rung.get(number, 0)}:talk")
        roll, habits = dice.random(), self.habits
        length = max(habits.shortest_talk, dice.expovariate(1 / habits.talk_seconds))
        for share, result in (
            (habits.hangs_up_early, "early"),
            (habits.voicemail, "voicemail"),
            (habits.says_yes, "yes"),
            (habits.says_never, "never"),
            (habits.calls_back_later, "later"),
        ):
            if roll < share:
                return Talk(dice.uniform(0.5, 4) if result == "early" else length, result)
            roll -= share
        return Talk(length / 3, "no")

    def returns(self, number: str) -> str | None:
        """Whether a missed call is returned, and the key pressed: 9, 1 or none."""
        dice = random.Random(f"{self._seed}:{number}:{self._rung.get(number, 0)}:returns")
        if dice.random() >= self.habits.returns_missed:
            return None
        return dice.choice(("9", "9", "1", ""))


def contacts_csv(
    count: int, seed: int, *, first: int = 0, members: bool = False, bad: int = 0
) -> str:
    """An invented list: semicolons, Danish headings, some households, and some rows that are wrong."""
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
