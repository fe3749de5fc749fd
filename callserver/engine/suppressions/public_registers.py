"""Issues of public registers: loaded beside the one in force, and put into force in one step.

An import that dies changes nothing.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from callserver.database import audit, register_records, registers, suppressions
from callserver.database.engines import Engine, reading
from callserver.database.side_connection import one_part
from callserver.domain import phone
from callserver.domain.audit import EntryKind
from callserver.domain.configuration import Configuration
from callserver.engine.gate import forbidden_calls
from callserver.engine.suppressions import register_matching
from callserver.errors import Impossible
from callserver.ports import Tx

CHUNK = 2_000
"""Rows per transaction while an issue is loaded."""

LEAST_SHARE = 0.5
"""An issue smaller than this share of the one in force is taken for a broken file."""

SAMPLE = 1_000
"""The number of entries whose country is checked."""

SHORTEST = 10**8
"""No telephone number with its country code has fewer digits."""


def load(
    engine: Engine,
    numbers: Sequence[int],
    name: str,
    issued_at: datetime,
    now: datetime,
    rules: Configuration,
    *,
    by: str = "command",
    smaller: bool = False,
    older: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Load an issue and put it in force. Returns its version. `numbers`: each once.

    Raises:
        Impossible: its date lies ahead; the issue is empty, or much smaller than the one in force and
            `smaller` is not set; it was issued before that one and `older` is not set; most numbers are of
            countries that no policy calls; or another import of the register overtook this one.
    """
    if issued_at > now:
        raise Impossible("the issue's date is in the future", key="register_date")
    _check_countries(numbers, name, rules)
    with engine.begin() as tx:
        check_size(tx, len(numbers), name, smaller=smaller)
        check_date(tx, name, issued_at, "numbers", older=older)
        version = registers.new_version(tx, name, issued_at)
    try:
        for at in range(0, len(numbers), CHUNK):
            progress(at)
            with one_part(engine) as tx:
                registers.add_entries(tx, version, numbers[at : at + CHUNK])
        progress(len(numbers))
        put_into_force(engine, version, len(numbers), now, rules, by, older=older)
    except BaseException:
        discard(engine, version)
        raise
    return version


def put_into_force(
    engine: Engine,
    version: int,
    size: int,
    now: datetime,
    rules: Configuration,
    by: str,
    *,
    older: bool,
) -> None:
    """Replace the register's issue in force, and delete earlier ones.

    Telephones that ring for people whom it forbids to call are silenced.

    Raises:
        Impossible: another import of the register overtook this one; or a newer issue is in force by now,
            and `older` is not set.
    """
    with engine.begin() as tx:
        name = _put_into_force(tx, version, size, now, rules, by, older=older)
    register_matching.reopen_in_parts(engine)
    with engine.begin() as tx:
        forgotten = registers.forget_older(tx, name, version)
    _drop(engine, forgotten)


def discard(engine: Engine, version: int) -> None:
    """Drop an issue unless it was put into force. Its number must not come again while it has entries."""
    with reading(engine) as connection:
        issue = registers.issue(connection, version)
    if issue is not None and issue.active:  # what failed came afterwards
        return
    _drop(engine, [version])
    with engine.begin() as tx:
        registers.forget(tx, version)


def _drop(engine: Engine, versions: Sequence[int]) -> None:
    """Drop what these issues hold, and what imports that died have left, in short transactions."""
    is_left = bool(versions)
    while is_left:
        with one_part(engine) as tx:
            is_left = register_records.drop_some(tx, versions, CHUNK)
    after: int | None = -1
    while after is not None:
        with one_part(engine) as tx:
            after = registers.drop_some(tx, versions, after, CHUNK)


def load_within(
    tx: Tx,
    numbers: Sequence[int],
    name: str,
    issued_at: datetime,
    now: datetime,
    rules: Configuration,
    *,
    by: str,
    smaller: bool = False,
) -> int:
    """`load` in one transaction, for a few numbers."""
    check_size(tx, len(numbers), name, smaller=smaller)
    version = registers.new_version(tx, name, issued_at)
    registers.add_entries(tx, version, numbers)
    _put_into_force(tx, version, len(numbers), now, rules, by, older=True)
    register_matching.reopen(tx)
    forgotten = registers.forget_older(tx, name, version)
    while register_records.drop_some(tx, forgotten, CHUNK):
        pass
    after: int | None = -1
    while after is not None:
        after = registers.drop_some(tx, forgotten, after, CHUNK)
    return version


def check_size(tx: Tx, size: int, name: str, *, smaller: bool) -> None:
    before = registers.size_in_force(tx, name)
    if size == 0 and not smaller:
        raise Impossible(
            "the file holds no numbers and no people: the register in force stays; if nobody of your lists stands on"
            " it, say --smaller",
            key="register_size",
        )
    if before is not None and size < LEAST_SHARE * before and not smaller:
        raise Impossible(
            f"entries of the file: {size}, of the register in force: {before}; if that is right,"
            " say --smaller",
            key="register_size",
        )


def check_date(tx: Tx, name: str, issued_at: datetime, kind: str, *, older: bool) -> None:
    """An earlier issue lacks the people who were entered since.

    Raises:
        Impossible: the issue in force is newer, and `older` is not set.
    """
    newest = registers.issued_in_force(tx, name, kind)
    if newest is not None and issued_at < newest and not older:
        raise Impossible(
            f"the issue in force is newer, of {newest:%Y-%m-%d %H:%M} UTC; if this one is right, say --older",
            key="register_older",
        )


def _check_countries(numbers: Sequence[int], name: str, rules: Configuration) -> None:
    """Refuse another country's register: it protects nobody who is called, and would count as fresh.

    Raises:
        Impossible: most numbers are of countries that are not called under it.
    """
    in_use = {campaign.policy for campaign in rules.campaigns.values()} & rules.policies.keys()
    policies = [rules.policies[key] for key in in_use]
    ask = [policy for policy in policies if policy.register_rule.name == name]
    called = {region for policy in ask or policies for region in policy.numbers.regions}
    some = numbers[:: len(numbers) // SAMPLE + 1]
    known = [phone.country(phone.from_int(key)) for key in some if key >= SHORTEST]
    abroad = {country for country in known if country is not None} - called
    if sum(country in abroad for country in known) * 2 > len(some):
        raise Impossible(
            f"most numbers are of countries that are not called under it ({', '.join(sorted(abroad)[:3])}):"
            " the register in force stays",
            key="register_country",
        )


def _put_into_force(
    tx: Tx,
    version: int,
    size: int,
    now: datetime,
    rules: Configuration,
    by: str,
    *,
    older: bool,
) -> str:
    """Returns the register's name."""
    suppressions.before_suppressing(tx)
    issue = registers.issue(tx, version)
    if issue is not None:  # another may have come into force since this one was begun
        check_date(tx, issue.name, issue.washed_at, issue.kind, older=older)
    if issue is None or not registers.put_into_force(tx, issue.name, version, size):
        raise Impossible(
            "another import of this register overtook this one: nothing was changed",
            key="register_overtaken",
        )
    forbidden_calls.silence(tx, rules, now)
    audit.append(
        tx, now, EntryKind.REGISTER, register=issue.name, version=version, size=size, by=by
    )
    return str(issue.name)
