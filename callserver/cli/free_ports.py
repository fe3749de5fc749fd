"""Free ports for servers on this machine that start in a moment: local exchanges, demos and tests."""

import socket
from random import SystemRandom

# Below the ports that systems give to outgoing connections (Linux: 32768-60999, IANA: 49152-65535):
# one of those can take a port between the search and the start. Above the media ports of a local exchange.
SERVERS = range(20_000, 32_768)
MEDIA = range(10_000, 20_000)

_KINDS = (socket.SOCK_STREAM, socket.SOCK_DGRAM)
_given: set[int] = set()  # the server that gets it may not have started yet


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody uses, neither for TCP nor for UDP; every call gives another one.

    Raises:
        OSError: a hundred random ports were all in use.
    """
    for _ in range(100):
        port = SystemRandom().choice(SERVERS)
        if port not in _given and all(_is_free(host, port, kind) for kind in _KINDS):
            _given.add(port)
            return port
    raise OSError(f"{host} has no free port")


def _is_free(host: str, port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
