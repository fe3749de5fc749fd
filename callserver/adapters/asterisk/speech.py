"""Plays prompts to a called person's channel.

A prompt's file is named by its text's key, and by the campaign where the text depends on it
(`apology-kanvas`). No part of a name comes from a user's input.
"""

from collections.abc import Callable, Iterable, Mapping

import structlog

from callserver.adapters.asterisk.client import Ari, Reply
from callserver.domain.campaign import Campaign
from callserver.settings import Settings

log = structlog.get_logger(__name__)

CAMPAIGN_PROMPTS = (
    "apology",
    "inbound_who",
    "inbound_no_calls",
    "inbound_unknown",
    "inbound_withheld",
    "line_code",
)
GENERAL_PROMPTS = (
    "inbound_stranger",
    "inbound_never_done",
    "inbound_not_noted",
    "inbound_call_me_done",
    "inbound_call_me_refused",
    "inbound_goodbye",
    "inbound_busy",
    "line_code_end",
)
DIGIT = "line_digit_"
"""The prefix of a spoken digit's file name."""

LAST_WORD = "last-"
"""The prefix of a playback after which the channel is hung up."""

MOST_S = 60
"""Asterisk ends such a channel after this time, if nothing else does."""


class Speech:
    """Speaks to channels."""

    def __init__(
        self, settings: Settings, ari: Ari, campaigns: Callable[[], Iterable[Campaign]]
    ) -> None:
        self._ari = ari
        self._folder = settings.asterisk_sounds.rstrip("/")
        self._campaigns = campaigns

    async def say(self, channel: str, key: str, values: Mapping[str, str], playback: str) -> Reply:
        """Play one prompt; `PlaybackFinished` with this playback's name reports its end.

        Raises:
            Lost: no certain answer.
        """
        return await self._play(channel, playback, self._file(key, values))

    async def _play(self, channel: str, playback: str, *files: str) -> Reply:
        media = ",".join(f"sound:{self._folder}/{file}" for file in files)
        return await self._ari.post("channels", channel, "play", playback, media=media)

    async def say_and_hang_up(self, channel: str, key: str, values: Mapping[str, str]) -> Reply:
        """Play one prompt; the channel ends when it has been played.

        Raises:
            Lost: no certain answer.
        """
        await self.end_after(channel, MOST_S)
        return await self.say(channel, key, values, LAST_WORD + channel)

    async def say_code_and_hang_up(self, channel: str, organisation: str, code: str) -> Reply:
        """Play who calls and the code, twice, digit by digit; then the channel ends.

        Raises:
            Lost: no certain answer.
        """
        await self.end_after(channel, MOST_S)
        digits = [DIGIT + digit for digit in code]
        who = self._file("line_code", {"organisation": organisation})
        return await self._play(
            channel, LAST_WORD + channel, who, *digits, *digits, "line_code_end"
        )

    async def end_after(self, channel: str, seconds: int) -> None:
        """Let Asterisk end the channel after this time, if nothing else does.

        Raises:
            Lost: no certain answer.
        """
        await self._ari.post(
            "channels", channel, "variable", variable="TIMEOUT(absolute)", value=str(seconds)
        )

    def _file(self, key: str, values: Mapping[str, str]) -> str:
        if key not in CAMPAIGN_PROMPTS:
            return key
        campaigns = list(self._campaigns())
        for campaign in campaigns:
            if campaign.organisation == values.get("organisation"):
                return f"{key}-{campaign.name}"
        log.warning("prompt_of_no_campaign", key=key)
        return f"{key}-{campaigns[0].name}" if campaigns else GENERAL_PROMPTS[0]
