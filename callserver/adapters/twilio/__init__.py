"""Twilio: orders over REST, in the provider's own words."""

from callserver.adapters.twilio.telephony import Twilio

__all__ = ["Twilio"]
