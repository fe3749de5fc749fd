"""What a called person hears, as TwiML: Danish, in a Danish voice."""

from twilio.twiml.voice_response import VoiceResponse

from callserver import texts

VOICE = "Polly.Naja"
LANGUAGE = "da-DK"


def apology(organisation: str) -> str:
    """For a person who answered into an empty room: who called, and an apology."""
    response = VoiceResponse()
    response.say(
        texts.say("da", "apology", organisation=organisation), voice=VOICE, language=LANGUAGE
    )
    response.hangup()
    return str(response)
