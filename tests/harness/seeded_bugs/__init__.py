"""Bugs that a server could have, each a small change of the running server, and the rule that shows it in the log."""

from tests.harness.seeded_bugs import calls, outcomes, permits, seats
from tests.harness.seeded_bugs.bug import BUGS, Bug

__all__ = ["BUGS", "Bug", "calls", "outcomes", "permits", "seats"]
