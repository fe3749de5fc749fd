"""Whether a server runs on a database that a command is about to replace or to change."""

import time
from datetime import datetime

from callserver.cli import resources
from callserver.database import leases
from callserver.database.engines import Engine, reading
from callserver.errors import ConfigurationProblem


def refuse(engine: Engine, *, watch: bool = False) -> None:
    """Refuse while a server has the scheduler's lease.

    With a simulated network every command's clock begins at the latest entry, where the lease of a killed
    server never ends. `watch`: see whether a server renews it, because none starts that could release it.

    Raises:
        ConfigurationProblem: a server runs on this database.
    """
    until = _lease_ends(engine)
    if until is not None and watch:
        time.sleep(leases.LEASE.total_seconds())
        until = None if _lease_ends(engine) == until else until
    if until is not None:
        raise ConfigurationProblem(
            "a server runs on this database: stop it (of a killed one, try again after 10 s)"
        )


def _lease_ends(engine: Engine) -> datetime | None:
    with reading(engine) as tx:
        return leases.held_until(tx, leases.SCHEDULER, resources.now(tx))
