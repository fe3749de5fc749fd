"""People who call a number we show: they hear who called, and state a wish by a key."""

import asyncio
import re
from dataclasses import dataclass

import structlog

from callserver.adapters.asterisk.client import Ari, Lost
from callserver.adapters.asterisk.speech import Speech
from callserver.domain.instruction import AskKey, Instruction, Say, SayCode
from callserver.provider_events import InboundCalls

log = structlog.get_logger(__name__)

WAIT_FOR_KEY_S = 10
"""How long we wait for a key once the prompt has been said."""

_QUESTION = "question-"

_DIGITS = re.compile(r"\+?[0-9]{3,20}", re.ASCII)


@dataclass(slots=True)
class InboundCaller:
    """Somebody on the line. `answered`: a key was pressed, or the time was over."""

    number: str
    called: str
    waiting: asyncio.Task[None] | None = None
    answered: bool = False


class InboundCallers:
    """Everybody who called and is still there."""

    def __init__(self, ari: Ari, speech: Speech, engine: InboundCalls) -> None:
        self._ari = ari
        self._speech = speech
        self._engine = engine
        self._here: dict[str, InboundCaller] = {}

    def forget(self) -> None:
        for leg in list(self._here):
            self.left(leg)

    async def arrived(self, leg: str, number: str, called: str) -> None:
        """Answer, and say who called. `number` as the carrier writes it; none when withheld."""
        number = number if _DIGITS.fullmatch(number) else ""
        self._here[leg] = InboundCaller(number, called)
        await self._ari.post("channels", leg, "answer")
        await self.obey(leg, await self._engine.greet(number, called, leg))

    def left(self, leg: str) -> None:
        """The leg is over."""
        gone = self._here.pop(leg, None)
        if gone is not None and gone.waiting is not None:
            gone.waiting.cancel()

    async def pressed(self, leg: str, key: str) -> None:
        """A key; the first one counts, and stops the prompt."""
        here = self._here.get(leg)
        if here is None or here.answered:
            return
        here.answered = True
        if here.waiting is not None:
            here.waiting.cancel()
        # The wish first: it is durable before anything else is done or said.
        instruction = await self._engine.pressed(here.number, here.called, leg, key)
        await self._ari.delete("playbacks", _QUESTION + leg)
        await self.obey(leg, instruction)

    async def asked(self, leg: str, playback: str) -> None:
        """The question has been said: from now on a key is waited for."""
        here = self._here.get(leg)
        if here is None or here.answered or playback != _QUESTION + leg:
            return
        here.waiting = asyncio.get_running_loop().create_task(self._over(leg))

    async def _over(self, leg: str) -> None:
        await asyncio.sleep(WAIT_FOR_KEY_S)
        here = self._here.get(leg)
        if here is None or here.answered:
            return
        here.answered = True
        try:
            await self.obey(leg, await self._engine.pressed(here.number, here.called, leg, ""))
        except Lost as lost:
            log.warning("caller_not_answered", why=str(lost))

    async def obey(self, leg: str, instruction: Instruction) -> None:
        """Say it; then hang up, or wait for a key."""
        match instruction:
            case AskKey(text, values):
                await self._speech.say(leg, text, values, _QUESTION + leg)
            case SayCode(organisation, code):
                await self._speech.say_code_and_hang_up(leg, organisation, code)
            case Say(text, values):
                await self._speech.say_and_hang_up(leg, text, values)
            case _:
                await self._ari.delete("channels", leg)
