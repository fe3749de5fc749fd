"""Checks a published log against the specification of the server's behaviour (domain/behaviour/).

It reads only the folder that `callserver audit publish` writes.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from callserver.domain.audit import UNREADABLE
from callserver.domain.behaviour import entry as entries
from callserver.domain.behaviour.checker import Checker
from callserver.domain.behaviour.entry import Violation
from callserver.domain.signed_note import VerifierKey
from callserver.engine.audit_log.judge import key_in
from callserver.engine.audit_log.published_check import CheckedEntries
from callserver.engine.audit_log.published_log import PublishedLog


@dataclass(frozen=True, slots=True)
class Behaviour:
    """The result of the check. `counts`: the entries of each kind."""

    counts: Counter[str]
    violations: list[Violation]
    open: int  # duties of entries near the log's end that are not late yet
    damage: list[str]  # why the entries are not those of the signed checkpoint

    @property
    def is_sealed(self) -> bool:
        return not self.damage

    @property
    def accepted(self) -> bool:
        return self.is_sealed and not self.violations


def check(folder: Path, key: VerifierKey | None = None) -> Behaviour:
    """Check a published log. `key`: the log's key, obtained elsewhere; by default the one in the folder.

    Raises:
        ConfigurationProblem: the folder holds no published log.
    """
    known = key or key_in(folder)
    log = PublishedLog(folder, known.name, Ed25519PublicKey.from_public_bytes(known.public))
    checker, damage = Checker(), list[str]()
    for number, body in CheckedEntries(log, lambda _, what: damage.append(what)):
        try:
            checker.entry(entries.read(number, body))
        except UNREADABLE as error:
            checker.violations.append(Violation(number, "entry", f"it cannot be read: {error}"))
    return Behaviour(checker.counts, sorted(checker.violations), checker.open, damage)
