"""People who call a number that we show: they hear who called, and state a wish by a key."""

import asyncio
import contextlib
import re
from dataclasses import dataclass

import structlog

from callserver.adapters.asterisk import channel_names
from callserver.adapters.asterisk.client import Ari, Lost, Reply
from callserver.adapters.asterisk.speech import Speech
from callserver.domain.instruction import AskKey, Instruction, Say, SayCode
from callserver.provider_events import InboundCalls

log = structlog.get_logger(__name__)

WAIT_FOR_KEY_S = 10
"""How long a caller may wait with a key after the prompt."""

LONGEST_S = 300
"""Asterisk ends a caller's leg after this time, if nothing else does."""

TRIES = 2
"""How many times a prompt is tried before the caller's leg is ended: nobody waits in silence."""

_QUESTION = "question-"

DIGITS = re.compile(r"\+?[0-9]{3,20}", re.ASCII)


@dataclass(slots=True)
class InboundCaller:
    """A caller on the line. `answered`: a key was pressed, or the time is over."""

    number: str
    called: str
    waiting: asyncio.Task[None] | None = None
    answered: bool = False


class InboundCallers:
    """The callers who are still on the line."""

    def __init__(self, ari: Ari, speech: Speech, engine: InboundCalls) -> None:
        self._ari = ari
        self._speech = speech
        self._engine = engine
        self._callers: dict[str, InboundCaller] = {}

    def forget(self) -> None:
        for leg in list(self._callers):
            self.left(leg)

    async def arrived(self, leg: str, number: str, called: str) -> None:
        """Answer, and say who called. `number` as the carrier writes it; empty when withheld."""
        if leg in self._callers:
            return
        number = channel_names.callers_number(number) if DIGITS.fullmatch(number) else ""
        await self._ari.post("channels", leg, "answer")
        await self._speech.end_after(leg, LONGEST_S)
        self._callers[leg] = InboundCaller(number, called)
        await self.obey(leg, await self._engine.greet(number, called, leg))

    def left(self, leg: str) -> None:
        """The leg has ended."""
        caller = self._callers.pop(leg, None)
        if caller is not None and caller.waiting is not None:
            caller.waiting.cancel()

    async def pressed(self, leg: str, key: str) -> None:
        """The caller pressed a key; the first one counts, and stops the prompt."""
        caller = self._callers.get(leg)
        if caller is None or caller.answered:
            return
        caller.answered = True
        if caller.waiting is not None:
            caller.waiting.cancel()
        # First the wish: it is durable before anything else happens.
        instruction = await self._engine.pressed(caller.number, caller.called, leg, key)
        with contextlib.suppress(Lost):  # then the answer is said after the question
            await self._ari.delete("playbacks", _QUESTION + leg)
        await self.obey(leg, instruction)

    async def question_played(self, leg: str, playback: str) -> None:
        """The question has been played: the time for a key begins."""
        caller = self._callers.get(leg)
        if caller is None or caller.answered or playback != _QUESTION + leg:
            return
        if caller.waiting is not None:
            return  # it was found over before this event came
        caller.waiting = asyncio.get_running_loop().create_task(self._over(leg))

    async def _over(self, leg: str) -> None:
        await asyncio.sleep(WAIT_FOR_KEY_S)
        caller = self._callers.get(leg)
        if caller is None or caller.answered:
            return
        caller.answered = True
        try:
            await self.obey(leg, await self._engine.pressed(caller.number, caller.called, leg, ""))
        except Lost as lost:
            log.warning("caller_not_answered", why=str(lost))

    async def obey(self, leg: str, instruction: Instruction) -> None:
        """Speak; then hang up, or wait for a key. Hang up also when nothing can be said."""
        for _ in range(TRIES):
            try:
                said = await self._say(leg, instruction)
            except Lost as lost:
                log.warning("caller_not_answered", why=str(lost))
                continue
            if said is None:
                break
            if said.ok or said.gone:
                return
        await self._ari.delete("channels", leg)

    async def _say(self, leg: str, instruction: Instruction) -> Reply | None:
        match instruction:
            case AskKey(text, values):
                return await self._speech.say(leg, text, values, _QUESTION + leg)
            case SayCode(organisation, code):
                return await self._speech.say_code_and_hang_up(leg, organisation, code)
            case Say(text, values):
                return await self._speech.say_and_hang_up(leg, text, values)
            case _:
                return None
