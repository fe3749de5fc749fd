"""The prompts that are being played, and what follows their ends.

An event that reports an end may be lost: Asterisk is asked about each prompt as well, so that nobody waits in
silence for it.
"""

from typing import Any

import structlog

from callserver.adapters.asterisk.client import Ari
from callserver.adapters.asterisk.inbound_callers import InboundCallers
from callserver.adapters.asterisk.speech import LAST_WORD

log = structlog.get_logger(__name__)

_CHANNEL = "channel:"


class Playbacks:
    """Every prompt that is being played to a leg of ours. Only the owner of the event stream uses it."""

    def __init__(self, ari: Ari, callers: InboundCallers) -> None:
        self._ari = ari
        self._callers = callers
        self._playing: dict[str, str] = {}  # playback -> leg
        self._missing: set[str] = set()  # those that were not there at the last look
        # Prompts that failed while their leg seemed to be there.
        self._not_played_before: set[str] = set()

    def forget(self) -> None:
        self._playing.clear()
        self._missing.clear()

    def started(self, playback: str, leg: str) -> None:
        self._playing[playback] = leg

    def last_word(self, leg: str) -> None:
        """The leg has heard its last word, or hears it now."""
        self.started(LAST_WORD + leg, leg)

    async def happened(self, event: dict[str, Any]) -> None:
        """A prompt has begun or ended: after the last word the leg is hung up, after a question a key is waited for.

        Raises:
            Lost: it was not followed; the next look tries again.
        """
        playback = event["playback"]
        leg = playback["target_uri"].removeprefix(_CHANNEL)
        if event["type"] == "PlaybackStarted":
            self.started(playback["id"], leg)
            return
        prompt = playback["media_uri"].rpartition("/")[2]
        if playback["state"] == "failed":
            await self._not_played(leg, prompt)
        else:
            self._not_played_before.discard(prompt)
        if playback["id"].startswith(LAST_WORD):
            await self._ari.delete("channels", leg)
        else:
            await self._callers.question_played(leg, playback["id"])
        self._playing.pop(playback["id"], None)

    async def _not_played(self, leg: str, prompt: str) -> None:
        """Usually the person hung up during the prompt, and their leg exists for a moment longer; a prompt that
        cannot be played fails every time."""
        if not (await self._ari.get("channels", leg)).ok:
            log.info("prompt_not_played", prompt=prompt)
            return
        log_it = log.error if prompt in self._not_played_before else log.warning
        log_it("prompt_not_played", prompt=prompt)
        self._not_played_before.add(prompt)

    async def lost_ends(self) -> list[dict[str, Any]]:
        """An event for each prompt that is over without one. The event itself has until the next look.

        Raises:
            Lost: no certain answer.
        """
        missing = {
            playback
            for playback in list(self._playing)
            if (await self._ari.get("playbacks", playback)).gone
        }
        over = missing & self._missing & self._playing.keys()
        self._missing = missing
        return [_ended(playback, self._playing[playback]) for playback in over]


def _ended(playback: str, leg: str) -> dict[str, Any]:
    log.info("end_of_prompt_found")
    state = {"id": playback, "target_uri": _CHANNEL + leg, "state": "done", "media_uri": ""}
    return {"type": "PlaybackFinished", "playback": state}
