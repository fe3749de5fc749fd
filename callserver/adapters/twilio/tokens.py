"""Access tokens for browsers' softphones at Twilio: for one identity and one hour."""

from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import VoiceGrant

from callserver.errors import ConfigurationProblem
from callserver.settings import Settings

LASTS_S = 3600
"""A token cannot be revoked: a user who has left is refused by their identity (engine/calls/phoner_legs.py)."""

SIGNALLING = "wss://voice-js.{edge}.twilio.com"
ROAMING = "roaming"
"""Lets Twilio choose the edge."""


def access_token(
    settings: Settings, identity: str, lasts_s: int = LASTS_S, *, calls_in: bool = True
) -> str:
    """A token that lets a browser be called, and, with `calls_in`, call in where there is a TwiML application.

    Raises:
        ConfigurationProblem: the API key or its secret is not set; tokens are signed with it.
    """
    if not (settings.api_key and settings.api_secret):
        raise ConfigurationProblem(
            "TWILIO_API_KEY and TWILIO_API_SECRET: needed for the browser's softphone"
        )
    token = AccessToken(
        settings.account_sid,
        settings.api_key,
        settings.api_secret,
        identity=identity,
        ttl=lasts_s,
        region=settings.region or None,
    )
    token.add_grant(
        VoiceGrant(
            incoming_allow=True,
            outgoing_application_sid=(settings.app_sid or None) if calls_in else None,
        )
    )
    return str(token.to_jwt())


def signalling(settings: Settings) -> str:
    """The address of Twilio to which the browser's softphone connects, and the only one that a page may use."""
    return SIGNALLING.format(edge=settings.edge or ROAMING)
