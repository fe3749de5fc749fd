"""A town whose inhabitants stand in several lists, written differently in each; and what it knows of them.

The town knows who is who, whatever the lists say: a judge asks it, and not the server's keys.
"""

import csv
import io
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from callserver.simulator.population import FIRST, LAST, NUMBERS_FROM

SETTLE = timedelta(seconds=1)
"""A telephone that rings already is silenced within this time."""


@dataclass(frozen=True, slots=True)
class Resident:
    """One person: two numbers of which lists know one or the other, and an address."""

    id: int
    first: str
    last: str
    mobile: int
    landline: int  # the household's
    household: int

    @property
    def address(self) -> str:
        return f"Elmevej {self.household}"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that protects: a person, a number or a household, from an instant on."""

    at: datetime
    reach: str  # person, number or household
    of: int
    kind: str
    until: datetime | None = None  # None: for good


@dataclass(frozen=True, slots=True)
class Source:
    """A list: its campaign, the prefix of its references ('' for none), and which number it knows."""

    campaign: str
    system: str = ""
    knows_mobile: float = 0.5
    members: bool = False


@dataclass
class Town:
    """The inhabitants, the lists they stand in, and the facts that were recorded."""

    seed: int
    households: int = 80
    residents: list[Resident] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    dead: set[int] = field(default_factory=set)  # whom the next version of one list knows to be
    _written: dict[tuple[str, str], int] = field(default_factory=dict)  # campaign, ref -> resident
    _named: dict[tuple[str, str, int], int] = field(default_factory=dict)  # campaign, name, number

    def __post_init__(self) -> None:
        dice = random.Random(f"{self.seed}:town")
        for household in range(1, self.households + 1):
            last = dice.choice(LAST)
            for first in dice.sample(FIRST, dice.choice((1, 1, 2, 3))):
                key = len(self.residents)
                self.residents.append(
                    Resident(
                        key,
                        first,
                        last if dice.random() < 0.8 else dice.choice(LAST),
                        NUMBERS_FROM + 10_000 + key,
                        NUMBERS_FROM + household,
                        household,
                    )
                )

    def rows(self, source: Source, version: int = 1, share: float = 0.6) -> str:
        """The list as its system exports it: the same people in every version, written differently."""
        dead = self.dead if source.members else set()
        out = io.StringIO()
        writer = csv.writer(out, delimiter=";")
        writer.writerow(
            ["nr", "navn", "adresse", "postnr", "mobil", "født", "medlem", "kilde", "død"]
        )
        for resident in self.residents:
            stands = random.Random(f"{self.seed}:{source}:{resident.id}")
            if stands.random() > share:
                continue
            dice = random.Random(f"{self.seed}:{source}:{version}:{resident.id}")
            name = _spelled(resident, dice)
            has_mobile = dice.random() < source.knows_mobile
            number = resident.mobile if has_mobile else resident.landline
            ref = f"{source.system}{resident.id:05}" if source.system else ""
            self._written[source.campaign, ref] = resident.id
            self._named[source.campaign, name, number] = resident.id
            writer.writerow(
                [
                    ref,
                    name,
                    dice.choice((resident.address, resident.address.upper())),
                    "4000",
                    number,
                    "1970-01-01",
                    "ja" if source.members else "nej",
                    "gademøde",
                    "ja" if resident.id in dead else "",
                ]
            )
        return out.getvalue()

    def resident(self, campaign: str, ref: str | None, name: str | None, number: int) -> Resident:
        """Who a list's row is about, by what the town wrote."""
        if ref:
            return self.residents[self._written[campaign, ref]]
        return self.residents[self._named[campaign, name or "", number - 45_0000_0000]]

    def listed(self, source: Source) -> set[int]:
        """Who stands in the list."""
        of = self._written.items()
        return {who for (campaign, ref), who in of if campaign == source.campaign and ref}

    def note(
        self, at: datetime, reach: str, of: int, kind: str, until: datetime | None = None
    ) -> None:
        self.facts.append(Fact(at, reach, of, kind, until))

    def wronged(self, rings: Sequence[Any]) -> list[str]:
        """Rings of people although they, their number or their household had a protective fact.

        `rings`: rows of rang_at, number, campaign, and the contact's ref and name.
        """
        cases = []
        for ring in rings:
            who = self.resident(ring.campaign, ring.ref, ring.name, ring.number)
            about = {("person", who.id), ("number", ring.number), ("household", who.household)}
            cases += [
                f"resident {who.id} in {ring.campaign} at {ring.rang_at:%H:%M:%S}: {fact.kind}"
                for fact in self.facts
                if (fact.reach, fact.of) in about
                and ring.rang_at > fact.at + SETTLE
                and (fact.until is None or ring.rang_at < fact.until)
            ]
        return cases

    def called_again(self, rings: Sequence[Any], within: timedelta) -> list[str]:
        """Rings from a list of somebody who was called so shortly before, from whichever list."""
        last: dict[int, datetime] = {}
        cases = []
        for ring in rings:
            who = self.resident(ring.campaign, ring.ref, ring.name, ring.number)
            before = last.get(who.id)
            if ring.path == "list" and before is not None and ring.rang_at < before + within:
                cases.append(f"resident {who.id} in {ring.campaign} at {ring.rang_at:%H:%M:%S}")
            last[who.id] = ring.rang_at
        return cases


def _spelled(resident: Resident, dice: random.Random) -> str:
    """The name as somebody typed it."""
    plain = f"{resident.first} {resident.last}"
    ways: Sequence[Callable[[], str]] = (
        lambda: plain,
        plain.upper,
        lambda: f"{resident.first[0]}. {resident.last}",
        lambda: f"{resident.first} Marie {resident.last}",
        lambda: f"{resident.first} {_typo(resident.last, dice)}",
        lambda: f"{_typo(resident.first, dice)} {resident.last}",
    )
    return dice.choice(ways)()


def _typo(word: str, dice: random.Random) -> str:
    """Two letters change places, or one is doubled."""
    at = dice.randrange(1, len(word) - 1)
    if dice.random() < 0.5:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word[:at] + word[at] + word[at:]
