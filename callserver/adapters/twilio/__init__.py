"""Twilio's REST API as a Telephony."""

from callserver.adapters.twilio.telephony import Twilio

__all__ = ["Twilio"]
