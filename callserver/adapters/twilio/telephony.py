"""Telephony over Twilio's REST interface.

Contacts are added by ConferenceSid, so that the order fails when the phoner's room is over; the
attempt's id is the participant's label, so that a lost reply can be settled. Creates are never
repeated: they are not idempotent.
"""

import contextlib
from datetime import datetime, timedelta
from typing import Any

import structlog
from twilio.http import AsyncHttpClient

from callserver.adapters.twilio import call_status, errors, speech
from callserver.adapters.twilio.client import LOST, NOTHING_SENT, REFUSED, RETRIES, client
from callserver.domain import role_play
from callserver.domain.call import Report
from callserver.domain.instruction import Hear, WaitToHear
from callserver.domain.line import OwnLine
from callserver.domain.permit import DialPermit
from callserver.domain.role_play import Player
from callserver.ports import (
    Clock,
    Declined,
    Leg,
    LegState,
    Placed,
    Result,
    Room,
    Silent,
    Trouble,
)
from callserver.settings import Settings

log = structlog.get_logger(__name__)

ROLE_PLAY = "client:role_play"
"""The caller of a role-play call, as its softphones see it."""

EVENTS = ["initiated", "ringing", "answered", "completed"]
TWILIO_ADDS_S = 5

SHOWN_WITHIN = timedelta(seconds=20)
"""A call that Twilio has named may be unknown to it for a moment: its look-ups are eventually consistent."""

SHORTEST_RING_S = 5

_CLOCKS_S = 10
"""How far Twilio's clock and ours may differ in a look-up by time."""


class Twilio:
    """Telephony over Twilio, or over a server with the same protocol."""

    longest_leg = timedelta(hours=4)  # Twilio's, unless an account asks for a day

    def __init__(self, settings: Settings, clock: Clock, http: AsyncHttpClient) -> None:
        self._settings = settings
        self._clock = clock
        self._client = client(settings, http)

    def _url(self, path: str) -> str:
        return f"{self._settings.public_url.rstrip('/')}{path}{RETRIES}"

    async def place(self, permit: DialPermit, room: Room) -> Placed | Declined | Silent:
        """Ring the permit's number into the room.

        Raises:
            PermitVoid: it was spent before or is too old; nothing was sent.
        """
        if role_play.role_play_of(room.name) is not None:
            return Declined(Trouble.BUG, 400, "nobody is dialed into the room of a role-play call")
        if room.ref is None:
            return Declined(errors.TROUBLES[16022], 16022, "the room has no conference yet")
        permit.spend(self._clock.now())
        amd: dict[str, Any] = {}
        if self._settings.amd:
            amd = {
                "machine_detection": "Enable",
                "amd_status_callback": self._url(f"/twilio/status/amd?attempt={permit.attempt}"),
            }
        answer = await self._create(
            self._client.conferences(room.ref).participants.create_async(
                from_=permit.caller_id,
                to=permit.number,
                label=permit.attempt,
                timeout=max(permit.ring_seconds - TWILIO_ADDS_S, SHORTEST_RING_S),
                early_media=True,
                beep="false",
                start_conference_on_enter=True,
                end_conference_on_exit=False,
                wait_url="",
                status_callback=self._url(f"/twilio/status/call?attempt={permit.attempt}"),
                status_callback_event=EVENTS,
                **amd,
            ),
            "call_sid",
        )
        if isinstance(answer, Declined) and answer.code == errors.LABEL_IN_USE:
            return await self._created_before(permit.attempt, room.ref)
        return answer

    async def _created_before(self, attempt: str, room: str) -> Placed | Silent:
        """The label is in use: an earlier order succeeded, and its reply was lost."""
        try:
            participant = await self._client.conferences(room).participants(attempt).fetch_async()
        except LOST:
            return Silent("the label is in use")
        return (
            Placed(participant.call_sid) if participant.call_sid else Silent("the label is in use")
        )

    async def _create(self, order: Any, sid: str) -> Placed | Declined | Silent:
        try:
            created = await order
        except REFUSED as error:
            status = int(error.status)
            code = errors.code(error.code)
            if code == errors.LABEL_IN_USE:
                return Declined(Trouble.BUG, code, "label in use")
            trouble = errors.trouble(status, code)
            if trouble is None:
                return Silent(f"HTTP {status}")
            return Declined(trouble, code or status, "declined")
        except NOTHING_SENT as error:
            return Declined(Trouble.LATER, 0, f"not sent: {type(error).__name__}")
        except LOST as error:
            return Silent(type(error).__name__)
        ref = getattr(created, sid)
        return Placed(ref) if ref else Silent("a reply without a sid")

    async def ring_to_confirm(self, permit: DialPermit) -> Placed | Declined | Silent:
        """Ring the permit's number; the voice webhook answers with the code.

        Raises:
            PermitVoid: it was spent before or is too old; nothing was sent.
        """
        permit.spend(self._clock.now())
        return await self._create(
            self._client.calls.create_async(
                to=permit.number,
                from_=permit.caller_id,
                url=self._url(f"/twilio/voice/line?attempt={permit.attempt}"),
                status_callback=self._url(f"/twilio/status/call?attempt={permit.attempt}"),
                status_callback_event=EVENTS,
                timeout=permit.ring_seconds,
            ),
            "sid",
        )

    async def ring_phoner(
        self, line: OwnLine, seat: int, room: Room, caller_id: str
    ) -> Placed | Declined | Silent:
        """Ring a phoner; the voice webhook tells the leg what to do."""
        del room  # the webhook knows the seat's room
        return await self._create(
            self._client.calls.create_async(
                to=line.address,
                from_=caller_id,
                url=self._url(f"/twilio/voice/phoner?seat={seat}"),
                status_callback=self._url(f"/twilio/status/phoner?seat={seat}"),
                status_callback_event=EVENTS,
                timeout=30,
            ),
            "sid",
        )

    async def ring_listener(
        self, line: OwnLine, listening: int, caller_id: str, exchange: str = ""
    ) -> Placed | Declined | Silent:
        """Ring a listener; the voice webhook tells the leg what to hear."""
        del exchange  # Twilio is one
        return await self._create(
            self._client.calls.create_async(
                to=line.address,
                from_=caller_id,
                url=self._url(f"/twilio/voice/listener?listening={listening}"),
                status_callback=self._url(f"/twilio/status/listener?listening={listening}"),
                status_callback_event=["completed"],
                timeout=30,
            ),
            "sid",
        )

    async def ring_role_play(
        self, line: OwnLine, call: int, player: Player
    ) -> Placed | Declined | Silent:
        """Ring the softphone; the voice webhook tells the leg which room it joins. No number is shown."""
        about = f"role_play={call}&player={player.value}"
        return await self._create(
            self._client.calls.create_async(
                to=line.address,
                from_=ROLE_PLAY,
                url=self._url(f"/twilio/voice/role-play?{about}"),
                status_callback=self._url(f"/twilio/status/role-play?{about}"),
                status_callback_event=["completed"],
                timeout=30,
            ),
            "sid",
        )

    async def hear(self, ref: str, what: Hear | WaitToHear) -> Result:
        """Let the leg ask again: the webhook's answer is the same `what`, or a newer one."""
        url = self._url(f"/twilio/voice/listener?listening={what.listening}")
        return await self._update(ref, url=url, method="POST")

    async def cancel(self, ref: str) -> Result:
        """`canceled` ends a queued or ringing leg, and leaves one alone that is in progress: refused or accepted."""
        return await self._update(ref, status="canceled")

    async def hang_up(self, ref: str) -> Result:
        """`completed` ends a leg in any state."""
        return await self._update(ref, status="completed")

    async def apologise(self, ref: str, organisation: str) -> Result:
        """Take the leg out of the room and speak to it."""
        return await self._update(ref, twiml=speech.apology(organisation))

    async def _update(self, ref: str, **values: str) -> Result:
        """Change a leg."""
        try:
            call = await self._client.calls(ref).update_async(**values)
            talks = call_status.report(str(call.status)) is Report.ANSWERED
        except REFUSED as error:
            code = errors.code(error.code)
            if code == errors.WRONG_STATE:
                return Result.GONE
            if code == errors.NOT_FOUND:
                return Result.UNKNOWN  # Twilio forgets no leg, but shows a new one late
            lost = int(error.status) >= 500 or int(error.status) == errors.REQUEST_TIMEOUT
            return Result.SILENT if lost else Result.REFUSED
        except LOST:
            return Result.SILENT
        return Result.GONE if talks and values.get("status") == "canceled" else Result.DONE

    async def look_up(
        self, attempt: str, ref: str | None, room: Room, number: str, since: datetime
    ) -> Leg:
        """Look a leg up by its sid; else by its label in the room; else by number and time."""
        try:
            if ref is not None:
                return await self._leg(ref)
            if room.ref is not None and (leg := await self._labelled(room.ref, attempt)):
                return await self._leg(leg)
            return await self._dialed(number, since)
        except LOST as error:
            is_young = ref is not None and self._clock.now() - since < SHOWN_WITHIN
            if _gone(error) and not is_young:
                return Leg(LegState.UNKNOWN_LEG)
            log.warning("look_up_failed", attempt=attempt, error=type(error).__name__)
            return Leg(LegState.NO_ANSWER)

    async def _labelled(self, room: str, attempt: str) -> str | None:
        try:
            participant = await self._client.conferences(room).participants(attempt).fetch_async()
        except REFUSED as error:
            if _gone(error):
                return None
            raise
        sid: str | None = participant.call_sid
        return sid

    async def _dialed(self, number: str, since: datetime) -> Leg:
        """The latest leg to the number that began after the permit.

        The look-up does not filter by StartTime: a queued leg has none, and the filter's precision is
        not documented.
        """
        page = await self._client.calls.page_async(to=number, page_size=20)
        calls = list(page)
        earliest = since - timedelta(seconds=_CLOCKS_S)
        since_permit = [
            call for call in calls if (call.date_created or call.start_time or since) >= earliest
        ]
        if not since_permit:
            says_nothing = not calls and page.next_page_url is not None
            return Leg(LegState.NO_ANSWER if says_nothing else LegState.UNKNOWN_LEG)
        return call_status.leg(since_permit[0])

    async def leg(self, ref: str) -> Leg:
        """Look a leg up by its sid."""
        try:
            return await self._leg(ref)
        except LOST as error:
            return Leg(LegState.UNKNOWN_LEG if _gone(error) else LegState.NO_ANSWER, ref)

    async def _leg(self, ref: str) -> Leg:
        call = await self._client.calls(ref).fetch_async()
        return call_status.leg(call)

    async def find_room(self, name: str) -> str | None:
        """The sid of the open conference with this name."""
        try:
            rooms = await self._client.conferences.page_async(friendly_name=name, page_size=5)
        except LOST:
            return None
        return next((room.sid for room in rooms if room.status != "completed"), None)

    async def compare_clocks(self) -> None:
        """Ask something harmless if the clock must be compared with Twilio's: its answer is."""
        if self._clock.must_hear():
            with contextlib.suppress(*REFUSED, *LOST):
                await self._client.conferences.page_async(page_size=1)


def _gone(error: Exception) -> bool:
    """Whether Twilio itself reports that there is no such leg; a proxy's 404 is no answer."""
    return isinstance(error, REFUSED) and errors.code(error.code) == errors.NOT_FOUND
