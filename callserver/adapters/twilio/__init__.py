"""Twilio's REST API as a Telephony: `telephony.Twilio`."""
