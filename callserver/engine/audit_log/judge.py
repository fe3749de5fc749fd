"""The judge: recomputes every published decision, and follows calls and opt-outs through the log.

It reads only the folder that `callserver audit decisions` writes: no database and no secret key.
"""

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from callserver.domain import configuration as configurations
from callserver.domain import judging, signed_note
from callserver.domain.audit import UNREADABLE
from callserver.domain.configuration import Configuration
from callserver.domain.judging import Published
from callserver.domain.signed_heads import Finding
from callserver.domain.signed_note import VerifierKey
from callserver.engine.audit_log.decision_export import (
    BEFORE,
    CALLS,
    CONFIGURATIONS,
    DECISIONS,
    ERASED,
    EXPIRED,
)
from callserver.engine.audit_log.followed import Followed
from callserver.engine.audit_log.followed_rules import SHORT, FollowedRules
from callserver.engine.audit_log.forgotten import Forgotten
from callserver.engine.audit_log.published_check import CheckedEntries
from callserver.engine.audit_log.published_log import PublishedLog
from callserver.errors import ConfigurationProblem

MOST_FINDINGS = 10_000


@dataclass(slots=True)
class Judgement:
    """Counts and findings. `counts`: entries, permitted, refused, judged, unknown, before, erased,
    expired; calls with entries that are not sealed yet (unsealed); restored backups (restored)."""

    counts: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)  # by withheld field
    findings: list[Finding] = field(default_factory=list)

    def find(self, leaf: int | None, what: str) -> None:
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(leaf, what))


def judge(folder: Path, key: VerifierKey | None = None) -> Judgement:
    """Judge an export. `key`: the log's key, obtained elsewhere; by default the one in the folder.

    Raises:
        ConfigurationProblem: the folder is no export.
    """
    return _Judge(folder, key or key_in(folder)).run()


def key_in(folder: Path) -> VerifierKey:
    """The key in the folder."""
    try:
        return signed_note.parse_key((folder / "vkey").read_text("ascii"))
    except (OSError, ValueError) as error:
        raise ConfigurationProblem(f"{folder}/vkey: {error}") from None


class _Judge:
    def __init__(self, folder: Path, key: VerifierKey) -> None:
        self._folder = folder
        public = Ed25519PublicKey.from_public_bytes(key.public)
        self._log = PublishedLog(folder, key.name, public)
        self._result = Judgement()
        self._lines = _lines(folder / DECISIONS)
        self._next: Mapping[str, Any] | None = None
        self._configurations: dict[str, Configuration | None] = {}
        self._followed = Followed(self._result.find)
        self._forgotten = Forgotten()
        self._rules = FollowedRules(self._result.find, self._named)
        self._commits = False  # from the first commitment on every decision has one

    def run(self) -> Judgement:
        self._advance()
        for leaf, body in CheckedEntries(self._log, self._result.find):
            self._entry(leaf, body)
        while self._next is not None:
            self._result.find(None, f"a line for leaf {self._next.get('leaf')} has no decision")
            self._advance()
        for leaf in self._forgotten.unexplained():
            self._result.find(leaf, "the facts are gone, and no entry says why")
        self._outcomes()
        return self._result

    def _entry(self, leaf: int, body: bytes) -> None:
        self._result.counts["entries"] += 1
        try:
            entry = orjson.loads(body)
            kind = entry["kind"]
        except (ValueError, TypeError, KeyError):
            self._result.find(leaf, "this is no entry")
            return
        published = None
        self._result.counts["restored"] += kind == "restored"
        if kind in ("permitted", "refused"):
            self._result.counts[kind] += 1
            published = self._decision(leaf, entry)
        try:
            self._followed.entry(leaf, entry, published)
            if kind in ("permitted", "refused"):
                self._rules.decided(leaf, entry)
            elif kind == "configuration":
                self._rules.changed(leaf, entry)
            if not self._forgotten.entry(entry, self._periods):
                self._result.find(leaf, "no configuration in force here has this period")
        except UNREADABLE:
            self._result.find(leaf, f"an entry {kind} lacks its fields")

    def _decision(self, leaf: int, entry: Mapping[str, Any]) -> Published | None:
        line = self._line(leaf)
        self._commits = self._commits or "commitment" in entry
        if line is None:
            self._result.find(leaf, f"{DECISIONS} has no line for this decision")
            return None
        if "commitment" not in entry:
            if self._commits:
                self._result.find(leaf, "the decision has no commitment, though earlier ones do")
            self._result.counts[BEFORE] += 1
            return None
        gone = line.get("opening")
        if gone in (ERASED, EXPIRED):
            self._result.counts[gone] += 1
            self._forgotten.decided(leaf, entry)
            return None
        try:
            published = judging.read(line)
            is_sealed = judging.is_sealed(published, str(entry.get("commitment")))
        except UNREADABLE as error:
            self._result.find(leaf, str(error))
            return None
        if not is_sealed:
            self._result.find(leaf, "the facts are not those that the entry commits to")
            return None
        for what in judging.findings(entry, published, self._configuration(entry)):
            self._result.find(leaf, what)
        self._result.counts["unknown" if published.unknown else "judged"] += 1
        self._result.unknown.update(published.unknown)
        return published

    def _line(self, leaf: int) -> Mapping[str, Any] | None:
        """The decision's line. The file has the order of the log."""
        while self._next is not None and (
            not isinstance(self._next.get("leaf"), int) or self._next["leaf"] < leaf
        ):
            self._result.find(None, f"a line for leaf {self._next.get('leaf')} has no decision")
            self._advance()
        if self._next is None or self._next["leaf"] != leaf:
            return None
        line = self._next
        self._advance()
        return line

    def _advance(self) -> None:
        self._next = next(self._lines, None)

    def _configuration(self, entry: Mapping[str, Any]) -> Configuration | None:
        revision = str(entry.get("revision"))
        if revision not in self._configurations:
            self._configurations[revision] = self._read(revision)
        return self._configurations[revision]

    def _read(self, revision: str) -> Configuration | None:
        path = self._folder / CONFIGURATIONS / f"{revision}.json"
        if len(revision) != 64 or not revision.isalnum() or not path.exists():
            self._result.find(None, f"the configuration {revision} is missing")
            return None
        raw = path.read_bytes()
        if sha256(raw).hexdigest() != revision:
            self._result.find(None, f"the configuration {revision} has another hash")
            return None
        with contextlib.suppress(*UNREADABLE):
            composed = configurations.imported(raw)
            if isinstance(composed, Configuration):
                return composed
        self._result.find(None, f"this version cannot read the configuration {revision}")
        return None

    def _named(self, short: str) -> Configuration | None:
        """The exported configuration that an entry names by its first digits; None: there is none."""
        folder = self._folder / CONFIGURATIONS
        named = next(
            (path.stem for path in folder.glob("*.json") if path.stem[:SHORT] == short), None
        )
        return None if named is None else self._configuration({"revision": named})

    def _periods(self) -> set[int]:
        """The retention periods of facts of decisions, in days, of the configurations in force."""
        return {
            configuration.organisation.retention.decisions.days
            for configuration in map(self._named, self._rules.latest)
            if configuration is not None
        }

    def _outcomes(self) -> None:
        """Compare the exported calls with the log."""
        said = self._followed.calls
        exported = set[str]()
        for line in _lines(self._folder / CALLS):
            call = str(line.get("call"))
            exported.add(call)
            self._result.counts["unsealed"] += bool(line.get("unsealed"))
            try:
                self._followed.compare(call, line)
            except UNREADABLE:
                self._result.find(None, f"the line of the call {call} cannot be read")
        for call in sorted(said.keys() - exported):
            self._result.find(said[call].leaf, f"the call {call} is in the log, but is no call now")


def _lines(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    read = orjson.loads(line)
                except ValueError:
                    read = None
                if not isinstance(read, dict):
                    raise ConfigurationProblem(f"{path}:{number}: this is no line of an export")
                yield read
    except OSError as error:
        raise ConfigurationProblem(f"{path}: {error.strerror}") from None
