"""Verifying the sealed log from inside a running server: the same check that a stranger makes."""

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from callserver.database import audit
from callserver.domain import sealed
from callserver.domain.sealed import Finding, Head
from callserver.errors import ConfigurationProblem
from callserver.ports import Store, Tx


@dataclass(frozen=True, slots=True)
class Checked:
    """What a verification found."""

    sealed: int
    unsealed: int
    findings: tuple[Finding, ...]


def read_heads(path: Path) -> list[Head]:
    """The heads that left the database.

    Raises:
        ConfigurationProblem: there is no such file, or it is none.
    """
    if not path.exists():
        raise ConfigurationProblem(f"there is no heads file {path}", key="no_heads")
    try:
        return [sealed.parse(line) for line in path.read_bytes().splitlines() if line]
    except ValueError:
        raise ConfigurationProblem(f"{path} is no heads file", key="no_heads") from None


def read_key(path: Path) -> Ed25519PublicKey:
    """The public half of the sealing key.

    Raises:
        ConfigurationProblem: there is none.
    """
    if not path.exists():
        raise ConfigurationProblem(f"there is no public key {path}", key="no_seal_key")
    return Ed25519PublicKey.from_public_bytes(bytes.fromhex(path.read_text().strip()))


async def check(store: Store, heads: Path, key: Path) -> Checked:
    """Every entry against the heads outside; reads beside the server, however long it takes."""
    public = read_key(key)

    def work(tx: Tx) -> Checked:
        found, count, unsealed = sealed.verify(audit.entries(tx), read_heads(heads), public)
        return Checked(count, unsealed, tuple(found))

    return await store.read(work)
