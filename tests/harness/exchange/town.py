"""Called persons at the far end of the trunk, each with a way of their own, by a seed."""

import asyncio
import random
import re
import secrets
import time
from dataclasses import dataclass

from tests.harness.exchange.sip import Address, Message, Talk, Telephone, media_of, uri_of

ANSWERS = ("answers",) * 6
LOUD = 8
"""A packet with more different samples is not silence."""
OTHERS = (
    "answers without ringing",
    "early sound",
    "answers as it is cancelled",
    "hangs up at once",
    "stays on the line",
)
REFUSALS = {"busy": 486, "declines": 603, "is unavailable": 480, "is refused by the carrier": 503}
SILENT = ("only tries", "rings out", "says nothing")
WAYS = (*ANSWERS, *OTHERS, *REFUSALS, *SILENT)

LONGEST_TALK_S = 6.0

PATIENCE_S = 25.0
"""How long a person stays on the line who does not hang up."""


@dataclass
class Ring:
    """One call to a person. Times are the loop's."""

    number: str
    way: str
    at: float
    answered_at: float = 0
    heard_at: float = 0  # the last sound
    silence_s: float = 0  # the longest time without sound while the person was on the line
    over: bool = False

    def listens(self, now: float, *, loud: bool) -> None:
        """The person is on the line."""
        since = max(self.answered_at, self.heard_at)
        self.silence_s = max(self.silence_s, now - since)
        if loud:
            self.heard_at = now


class Town(Telephone):
    """Answers for every number at the trunk."""

    def __init__(self, server: tuple[str, int], seed: int) -> None:
        super().__init__("town", server)
        self._random = random.Random(seed)
        self._rings: dict[str, Ring] = {}

    @property
    def rings(self) -> list[Ring]:
        return list(self._rings.values())

    def _called(self, invite: Message) -> None:
        number = re.search(r"sip:(\+?[0-9]+)@", invite["To"])
        assert number
        to = f"{invite['To']};tag={secrets.token_hex(4)}"
        contact, media = uri_of(invite["Contact"]), media_of(invite.body)
        talk = Talk(invite["Call-ID"], to, invite["From"], contact, invite, media)
        ring = Ring(number[1], self._random.choice(WAYS), time.monotonic())
        self.talks[talk.call_id], self._rings[talk.call_id] = talk, ring
        self._start(self._live(ring, talk, invite))

    def answer_the_rest(self) -> None:
        """Refuse the calls that got no answer at all: Asterisk would repeat them to the next one in this place."""
        for call_id, ring in self._rings.items():
            invite = self.talks[call_id].invite
            if ring.way == "says nothing" and invite is not None:
                self._reply(invite, 480)

    async def _live(self, ring: Ring, talk: Talk, invite: Message) -> None:
        if ring.way == "says nothing":
            return
        if ring.way == "early sound":
            self._reply(invite, 183, body=self._offer())
        elif ring.way != "answers without ringing":
            self._reply(invite, 100 if ring.way == "only tries" else 180)
        if ring.way in REFUSALS:
            self._reply(invite, REFUSALS[ring.way])
            ring.over = True
            talk.ended.set()
        if ring.way in REFUSALS or ring.way in SILENT or ring.way.endswith("cancelled"):
            return
        await asyncio.sleep(self._random.uniform(0.05, 3))
        if not talk.ended.is_set():
            await self._talk(ring, talk)

    async def _talk(self, ring: Ring, talk: Talk) -> None:
        await self._answer(talk, 0)
        ring.answered_at = time.monotonic()
        lasts = {"hangs up at once": 0.0, "stays on the line": PATIENCE_S}
        await asyncio.sleep(lasts.get(ring.way, self._random.uniform(0.5, LONGEST_TALK_S)))
        if not (ring.over or talk.ended.is_set()):
            ring.listens(time.monotonic(), loud=False)
        ring.over = True
        if not talk.ended.is_set():
            await self.hang_up(talk)

    def heard(self, data: bytes, at: float, sender: Address) -> None:
        """Each call's sound comes from an address of its own."""
        del at
        loud = len(set(data[12:])) > LOUD
        for call_id, talk in self.talks.items():
            ring = self._rings[call_id]
            if loud and talk.media == sender and ring.answered_at and not ring.over:
                ring.listens(time.monotonic(), loud=True)

    def _asked(self, request: Message) -> None:
        talk, ring = self.talks.get(request["Call-ID"]), self._rings.get(request["Call-ID"])
        if talk is None or ring is None or request.method == "INVITE":
            if talk is None:
                super()._asked(request)
            return  # a repeated packet
        if request.method == "CANCEL" and ring.way.endswith("cancelled") and not talk.answered:
            self._reply(request, 200)
            self._start(self._talk(ring, talk))
            return
        if ring.answered_at and not ring.over and request.method == "BYE":
            ring.listens(time.monotonic(), loud=False)
        ring.over = ring.over or request.method in ("CANCEL", "BYE")
        super()._asked(request)
