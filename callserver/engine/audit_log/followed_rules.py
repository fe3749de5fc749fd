"""Which configuration the log says is in force: that decisions were made by it, and that nobody loosened it alone.

Configurations of decisions without commitments are not compared: their files are not exported.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from callserver.domain.configuration import Configuration
from callserver.domain.loosening import looser
from callserver.engine.audit_log.published_check import Find

Read = Callable[[str], Configuration | None]

FOLLOWED_WITHIN = timedelta(minutes=5)
"""How long after a change a process may decide by the former configuration. It looks every few seconds."""

NOT_IN_FORCE = frozenset({"proposed", "unreviewed", "refused", "withdrawn"})
SHORT = 16
"""So many digits of a revision name it in entries of kind `configuration`."""


class FollowedRules:
    """Takes the entries about configurations and the decisions, in the order of the log."""

    def __init__(self, find: Find, read: Read) -> None:
        """`read`: an exported configuration by its short name; None: there is none that can be read."""
        self._find = find
        self._read = read
        self.latest: list[str] = []  # the two that may be in force while processes follow a change
        self._replaced: dict[str, datetime] = {}
        self._compares = False  # from the first decision with a commitment on
        self._known: Configuration | None = None  # the latest one that can be read
        self._proposed: dict[Any, Any] = {}  # proposal -> who made it

    def changed(self, leaf: int, entry: Mapping[str, Any]) -> None:
        """An entry of kind `configuration`."""
        did, proposal = entry.get("did"), entry.get("proposal")
        if did == "proposed":
            self._proposed[proposal] = entry.get("by")
        if did in NOT_IN_FORCE or entry.get("revision") is None:
            return
        short = str(entry["revision"])[:SHORT]
        configuration = self._read(short) if self._compares else None
        if did == "approved":
            self._approved(leaf, entry)
        elif self._known is not None and configuration is not None:
            opens = sorted(
                {f"{rule.file}: {rule.key}" for rule in looser(self._known, configuration)}
            )
            if opens:
                rules = ", ".join(opens)
                self._find(leaf, f"no second person has approved looser rules: {rules}")
        self._known = configuration or self._known
        self._take(short, datetime.fromisoformat(entry["at"]))

    def decided(self, leaf: int, entry: Mapping[str, Any]) -> None:
        """A decision. The first one shows what was in force before."""
        if entry.get("revision") is None:
            return
        short = str(entry["revision"])[:SHORT]
        if not self.latest:
            self.latest = [short]
        if "commitment" in entry and not self._compares:
            self._compares, self._known = True, self._read(self.latest[-1])
        if short == self.latest[-1] or entry["kind"] != "permitted":
            return
        at, replaced = datetime.fromisoformat(entry["at"]), self._replaced.get(short)
        if replaced is None or at - replaced > FOLLOWED_WITHIN:
            self._find(leaf, f"the log has not put the configuration {short} in force at this time")

    def _approved(self, leaf: int, entry: Mapping[str, Any]) -> None:
        if entry.get("proposal") not in self._proposed:
            self._find(leaf, "looser rules were approved, and nobody has proposed them")
        elif self._proposed[entry["proposal"]] == entry.get("by"):
            self._find(leaf, "looser rules were proposed and approved by one account")

    def _take(self, short: str, at: datetime) -> None:
        if self.latest and self.latest[-1] != short:
            self._replaced[self.latest[-1]] = at
        self.latest = [*(name for name in self.latest[-1:] if name != short), short]
