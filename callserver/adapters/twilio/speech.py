"""What a called person hears, as TwiML in Danish."""

from twilio.twiml.voice_response import VoiceResponse

from callserver import texts

VOICE = "Polly.Naja"
LANGUAGE = "da-DK"


def apology(organisation: str) -> str:
    """Who called, and an apology, for a person who answered into an empty room."""
    response = VoiceResponse()
    response.say(
        texts.say("da", "apology", organisation=organisation), voice=VOICE, language=LANGUAGE
    )
    response.hangup()
    return str(response)
