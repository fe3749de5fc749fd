"""The official file of a register of names and addresses: loaded, compared with everybody, put into force.

Nothing is in force before everybody was compared with it. An import that dies changes nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import islice

from callserver.database import register_people, register_records, registers
from callserver.database.engines import Engine, reading
from callserver.database.register_records import PEOPLE
from callserver.database.side_connection import for_writing, one_part, pause_after
from callserver.domain import register_match, robinson
from callserver.domain.configuration import Configuration
from callserver.domain.robinson import Content
from callserver.engine.suppressions import public_registers, register_matching
from callserver.errors import Impossible
from callserver.ports import Tx

CHUNK = 10_000
"""Records per transaction while an issue is loaded."""

KEYS_CHUNK = 50_000

MOST_REFUSED_SHARE = 0.5
"""If more than this share of a file is refused, it is not a register."""

Progress = Callable[[int, int, str], None]
"""Called with the number done, the total (0: unknown), and the key of a text for the current step."""


def ignore_progress(done: int, of: int, what: str) -> None:
    """Ignore progress."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The result of loading a file."""

    version: int
    content: Content
    results: dict[register_match.Match, int]


def load(
    engine: Engine,
    lines: Iterable[bytes],
    name: str,
    issued_at: datetime | None,
    now: datetime,
    rules: Configuration,
    *,
    by: str,
    smaller: bool = False,
    older: bool = False,
    progress: Progress = ignore_progress,
) -> Loaded:
    """Load an issue and put it into force. `issued_at`: None: the date that the file states.

    Raises:
        Impossible: nothing says when it was issued, or that is in the future; it is mostly something
            else; it is empty, or much smaller than the one in force and `smaller` is not set; it was
            issued before that one and `older` is not set; or another import of it overtook this one.
    """
    content = Content()
    lines = iter(lines)
    with register_records.gathering(engine) as side:
        records = robinson.read(lines, content)
        first = list(islice(records, CHUNK))
        issued = _issued_at(content.issued, issued_at, now)
        with engine.begin() as tx:
            public_registers.check_date(tx, name, issued, PEOPLE, older=older)
            version = registers.new_version(tx, name, issued, PEOPLE)
        try:
            _store(engine, side, version, first, records, progress)
            _check(engine, content, name, smaller=smaller)
            _store_keys(side, version, progress)
            register_matching.match_everybody(
                engine, version, lambda done: progress(done, 0, "suppressions.comparing")
            )
            public_registers.put_into_force(
                engine, version, content.records, now, rules, by, older=older
            )
        except BaseException:
            public_registers.discard(engine, version)
            raise
    register_matching.match_new(engine, rules, now)  # people who were imported meanwhile
    with reading(engine) as connection:
        results = register_people.tally(connection, version)
    return Loaded(version, content, results)


def _issued_at(stated: date | None, given: datetime | None, now: datetime) -> datetime:
    """When the issue was published: the earlier of what the file and the importer say."""
    dates = [] if given is None else [given]
    if stated is not None:
        dates.append(datetime.combine(stated, time(), UTC))
    if not dates:
        raise Impossible(
            "the file's first records hold no date of issue: say --issued-at",
            key="register_undated",
        )
    if max(dates) > now:
        raise Impossible("the issue's date is in the future", key="register_date")
    return min(dates)


def _store(
    engine: Engine,
    side: Tx,
    version: int,
    first: list[robinson.Record],
    records: Iterator[robinson.Record],
    progress: Progress,
) -> None:
    """The records into the issue, their keys into the temporary table."""
    number, chunk = 0, first
    while chunk:
        numbered = list(enumerate(chunk, start=number))
        with one_part(engine) as tx:
            register_records.add_records(
                tx, version, [(key, record.text) for key, record in numbered]
            )
        register_records.gather_keys(
            side,
            (
                (key, number_of_record)
                for number_of_record, record in numbered
                for key in register_match.keys_of_entry(register_match.entry(record))
            ),
        )
        number += len(chunk)
        progress(number, 0, "suppressions.reading_records")
        chunk = list(islice(records, CHUNK))


def _store_keys(side: Tx, version: int, progress: Progress) -> None:
    count = register_records.sort_keys(side)
    writing = for_writing(side)
    for after in range(0, count, KEYS_CHUNK):
        with pause_after(), writing.begin():
            register_records.write_keys(writing, version, after, after + KEYS_CHUNK)
        progress(after, count, "suppressions.writing_records")


def _check(engine: Engine, content: Content, name: str, *, smaller: bool) -> None:
    if content.refused > MOST_REFUSED_SHARE * content.read:
        raise Impossible(
            f"{content.refused} of {content.read} records cannot be read: this is no such register;"
            " the register in force stays",
            key="register_unreadable",
        )
    with reading(engine) as connection:
        public_registers.check_size(connection, content.records, name, smaller=smaller)
