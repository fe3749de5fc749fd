"""An own Asterisk exchange as a Telephony, over ARI: HTTP for orders, a WebSocket for events: `telephony.Asterisk`."""
