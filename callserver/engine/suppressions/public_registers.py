"""Issues of public registers: loaded beside the one in force, and put into force in one step.

An import that dies changes nothing.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from callserver.database import audit, registers, suppressions
from callserver.database.store import Engine
from callserver.domain.audit import EntryKind
from callserver.errors import Impossible
from callserver.ports import Tx

CHUNK = 10_000
"""Rows a transaction while an issue is loaded."""

LEAST_SHARE = 0.5
"""An issue smaller than this share of the one in force is taken for a broken file."""


def load(
    engine: Engine,
    numbers: Sequence[int],
    name: str,
    washed_at: datetime,
    now: datetime,
    *,
    by: str = "command",
    smaller: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Load an issue and put it into force; its version. `numbers`: each once.

    Raises:
        Impossible: its date lies ahead; the issue is empty, or much smaller than the one in force and
            `smaller` is not set; or another import of the register overtook this one.
    """
    if washed_at > now:
        raise Impossible("the issue's date is in the future", key="register_date")
    with engine.begin() as tx:
        _check_size(tx, len(numbers), name, smaller=smaller)
        version = registers.new_version(tx, name, washed_at)
    for at in range(0, len(numbers), CHUNK):
        progress(at)
        with engine.begin() as tx:
            registers.add_entries(tx, version, numbers[at : at + CHUNK])
    progress(len(numbers))
    with engine.begin() as tx:
        _put_into_force(tx, name, version, len(numbers), now, by)
    with engine.begin() as tx:
        registers.forget_older(tx, name, version)
    return version


def load_within(
    tx: Tx, numbers: Sequence[int], name: str, washed_at: datetime, now: datetime, *, by: str
) -> int:
    """`load` in one transaction, for a few numbers."""
    _check_size(tx, len(numbers), name, smaller=False)
    version = registers.new_version(tx, name, washed_at)
    registers.add_entries(tx, version, numbers)
    _put_into_force(tx, name, version, len(numbers), now, by)
    registers.forget_older(tx, name, version)
    return version


def _check_size(tx: Tx, size: int, name: str, *, smaller: bool) -> None:
    before = registers.size_in_force(tx, name)
    if size == 0 and not smaller:
        raise Impossible(
            "the file holds no numbers: the register in force stays; if nobody of your lists stands on"
            " it, say --smaller",
            key="register_size",
        )
    if before is not None and size < LEAST_SHARE * before and not smaller:
        raise Impossible(
            f"the file holds {size} numbers and the register in force {before}; if that is right,"
            " say --smaller",
            key="register_size",
        )


def _put_into_force(tx: Tx, name: str, version: int, size: int, now: datetime, by: str) -> None:
    suppressions.before_suppressing(tx)
    if not registers.put_into_force(tx, name, version, size):
        raise Impossible(
            "another import of this register overtook this one: nothing was changed",
            key="register_overtaken",
        )
    audit.append(tx, now, EntryKind.REGISTER, register=name, version=version, size=size, by=by)
