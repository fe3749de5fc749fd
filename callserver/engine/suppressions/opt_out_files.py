"""Lists of opt-outs: written in short parts, so that dials are decided while a long list is imported.

A part is one transaction and one audit entry: it protects as soon as it is committed. Its importer hears of
success after the last part. An import that died is completed by importing the same file again.
"""

from collections.abc import Callable, Collection

from callserver.database.engines import Engine
from callserver.database.side_connection import one_part
from callserver.domain.facts import Scope
from callserver.engine.suppressions import opt_outs
from callserver.engine.suppressions.opt_outs import ROWS_OF_ENTRY, Origin
from callserver.ports import Tx

Start = Callable[[Tx], Origin]
"""Who records a part, and when: the present instant, so that the log is in order."""


def load(
    engine: Engine,
    numbers: Collection[int],
    list_name: str,
    start: Start,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Suppress these numbers. Returns how many were new. `progress` is called with the number written."""
    added = 0
    ordered = sorted(numbers)
    for at in range(0, len(ordered), ROWS_OF_ENTRY):
        some = ordered[at : at + ROWS_OF_ENTRY]
        with one_part(engine) as tx:
            added += opt_outs.add_listed(tx, Scope.NUMBER, some, list_name, start(tx))
        progress(at + len(some))
    if not added:
        with engine.begin() as tx:
            opt_outs.log_listed(tx, Scope.NUMBER, [], list_name, start(tx))
    return added
