"""Instructions as TwiML. Every attribute is written here; golden files contain what is sent."""

from twilio.twiml.voice_response import Dial, Gather, VoiceResponse

from callserver import texts
from callserver.adapters.twilio.client import RETRIES
from callserver.adapters.twilio.speech import LANGUAGE, VOICE
from callserver.domain.instruction import (
    AskKey,
    HangUp,
    Hear,
    Instruction,
    JoinRolePlay,
    JoinRoom,
    Say,
    SayCode,
    WaitToHear,
)
from callserver.domain.listening import Mode

WAITS_S = 30
"""A listener's leg that waits in silence asks again after this long."""


def render(instruction: Instruction, public_url: str) -> str:
    """The instruction in Twilio's words."""
    base = public_url.rstrip("/")
    response = VoiceResponse()
    match instruction:
        case JoinRoom(room, seat):
            dial = Dial(
                action=f"{base}/twilio/voice/phoner/left?seat={seat}&room={room}", method="POST"
            )
            dial.conference(
                room,
                beep="false",
                wait_url="",
                start_conference_on_enter=True,
                end_conference_on_exit=False,
                participant_label=room,
                jitter_buffer_size="small",
                status_callback=f"{base}/twilio/status/conference?seat={seat}{RETRIES}",
                status_callback_method="POST",
                status_callback_event="start end join leave",
            )
            response.append(dial)
        case JoinRolePlay(room, _, player):
            dial = Dial()
            dial.conference(
                room,
                beep="false",
                wait_url="",
                start_conference_on_enter=True,
                end_conference_on_exit=True,
                max_participants=2,
                participant_label=player.value,
                jitter_buffer_size="small",
            )
            response.append(dial)
            response.hangup()
        case Hear(room, listening, mode, phoner):
            again = _listener(base, listening)
            dial = Dial(action=again, method="POST")
            dial.conference(
                room,
                muted=mode is Mode.SILENT,
                beep="false",
                wait_url="",
                start_conference_on_enter=False,
                end_conference_on_exit=False,
                jitter_buffer_size="small",
                **({"coach": phoner} if mode is Mode.COACH else {}),
            )
            response.append(dial)
            _ask_again(response, again, 1)  # reached only if the room could not be entered
        case WaitToHear(listening):
            _ask_again(response, _listener(base, listening), WAITS_S)
        case Say(text, values):
            response.say(texts.say("da", text, **values), voice=VOICE, language=LANGUAGE)
            response.hangup()
        case SayCode(organisation, code):
            who = texts.say("da", "line_code", organisation=organisation)
            digits = ", ".join(code)
            words = f"{who} {digits}. {digits}. {texts.say('da', 'line_code_end')}"
            response.say(words, voice=VOICE, language=LANGUAGE)
            response.hangup()
        case AskKey(text, values):
            gather = Gather(
                input="dtmf",
                num_digits=1,
                timeout=10,
                action=f"{base}/twilio/voice/inbound/key",
                method="POST",
                action_on_empty_result=True,
            )
            gather.say(texts.say("da", text, **values), voice=VOICE, language=LANGUAGE)
            response.append(gather)
            response.hangup()
        case HangUp():
            response.hangup()
    return str(response)


def _listener(base: str, listening: int) -> str:
    return f"{base}/twilio/voice/listener?listening={listening}"


def _ask_again(response: VoiceResponse, url: str, seconds: int) -> None:
    response.pause(length=seconds)
    response.redirect(url, method="POST")
