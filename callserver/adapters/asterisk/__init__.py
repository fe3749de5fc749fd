"""An exchange of one's own: Asterisk over ARI. HTTP for orders, a WebSocket for what happens."""

from callserver.adapters.asterisk.telephony import Asterisk

__all__ = ["Asterisk"]
