"""An own Asterisk exchange as a Telephony, over ARI: HTTP for orders, a WebSocket for events."""

from callserver.adapters.asterisk.telephony import Asterisk

__all__ = ["Asterisk"]
