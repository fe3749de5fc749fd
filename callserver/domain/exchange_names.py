"""Names of legs and rooms where there are several exchanges: EXCHANGE/NAME.

Everything outside an exchange's own adapter knows these names only, so that an order finds its exchange. With
one exchange, or another provider, a name is the provider's own.
"""

from collections.abc import Sequence

_MARK = "/"


def at(exchange: str, name: str) -> str:
    """The name outside of the exchange; `exchange` is empty where there is only one."""
    return f"{exchange}{_MARK}{name}" if exchange else name


def split(name: str) -> tuple[str, str]:
    """The exchange, empty where there is only one, and the name that it uses itself."""
    exchange, _, own = name.rpartition(_MARK)
    return exchange, own


def exchange_of(name: str) -> str:
    """The exchange in a name; empty where there is only one."""
    return split(name)[0]


def of_role_play(role_play: int, exchanges: Sequence[str]) -> str:
    """The exchange of a role-play call, at which both of its softphones sign in."""
    return exchanges[role_play % len(exchanges)] if exchanges else ""
