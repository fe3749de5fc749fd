"""Whether one pseudonymous key stands for one number, as far as facts show the number.

The keys are hashes with the server's secret, which a stranger does not have; but what entries say about a key holds
for the number that was called only if each number always has its own.
"""

from collections.abc import Iterable

from callserver.engine.audit_log.published_check import Find


class FollowedNumbers:
    """Takes the keys of all decisions, and the numbers that their facts show, in the order of the log."""

    def __init__(self, find: Find) -> None:
        self._find = find
        self._key_of: dict[str, str] = {}
        self._number_of: dict[str, str] = {}
        self._since: dict[str, int] = {}  # key -> the first decision with it
        self._other_key: list[int] = []  # decisions in which a number has another key than before

    def decided(self, leaf: int, keys: Iterable[str], number: str | None) -> None:
        """One decision. `number`: of its facts; None: they do not show it."""
        for key in keys:
            since = self._since.setdefault(key, leaf)
            if self._other_key and since < self._other_key[0]:
                self._report()
            if number is not None and key.startswith("number:"):
                self._compare(leaf, key, number)

    def _compare(self, leaf: int, key: str, number: str) -> None:
        if self._number_of.setdefault(key, number) != number:
            self._find(leaf, "the facts have another number than earlier ones with this key")
        if self._key_of.setdefault(number, key) != key:
            self._other_key.append(leaf)
            self._key_of[number] = key

    def _report(self) -> None:
        """Not before a key from before is seen again: with another CALLSERVER_KEY every number has another one."""
        for leaf in self._other_key:
            self._find(leaf, "the number has another key than in earlier decisions")
        self._other_key.clear()
