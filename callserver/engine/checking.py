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
        whole = path.read_bytes()
        lines = whole[: whole.rfind(b"\n") + 1].splitlines()  # the last may be in the writing
        return [sealed.parse(line) for line in lines if line]
    except ValueError:
        raise ConfigurationProblem(f"{path} is no heads file", key="no_heads") from None


def read_key(path: Path) -> Ed25519PublicKey:
    """The public half of the sealing key.

    Raises:
        ConfigurationProblem: there is none.
    """
    if not path.exists():
        raise ConfigurationProblem(f"there is no public key {path}", key="no_seal_key")
    try:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(path.read_text().strip()))
    except ValueError:
        raise ConfigurationProblem(f"{path} holds no public key", key="no_seal_key") from None


async def check(store: Store, heads: Path, key: Path) -> Checked:
    """Every entry against the heads outside; reads beside the server, however long it takes."""
    public = read_key(key)

    def work(tx: Tx) -> Checked:
        before, entries = read_heads(heads), list(audit.entries(tx))
        fitting = sealed.between(before, read_heads(heads), entries)
        found, count, unsealed = sealed.verify(entries, fitting, public)
        return Checked(count, unsealed, tuple(found))

    return await store.read(work)
