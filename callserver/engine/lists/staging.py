"""A list taken in beside a server that dials: read and checked first, written in one short transaction.

It has a connection of its own and runs in a thread of its own. Reading fills a temporary table and
takes no lock; `take` holds the writing lock for one statement. A dry run ends before that.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from callserver.database import import_staging
from callserver.database.side_connection import aside
from callserver.domain import permit
from callserver.domain.campaign import Campaign
from callserver.engine.context import Rules
from callserver.engine.lists import comparison, eligibility, importer, refused_rows
from callserver.engine.lists.comparison import Comparison
from callserver.engine.lists.eligibility import AsIf
from callserver.engine.lists.reader import ListReader, Summary, open_list

Tell = Callable[[int, int, str], None]
"""done, of, what is being done (the key of a text)."""


@dataclass(frozen=True, slots=True)
class Order:
    """Which list, into which campaign, read how."""

    campaign: Campaign
    raw: bytes
    columns: Mapping[str, str]  # column -> field, before the synonyms
    ignored: Collection[str]  # fields that no column is taken for
    region: str
    source: str | None = None  # where the people come from, in words


@contextmanager
def read(
    database: str, order: Order, today: date, tell: Tell
) -> Iterator[tuple[Connection, ListReader, Comparison]]:
    """Read the whole list into a table of a connection's own, and compare it with the contacts.

    Raises:
        ConfigurationProblem: it cannot be read as a list at all.
    """
    listed = open_list(order.campaign, order.raw, given=order.columns, ignored=order.ignored)
    lines = order.raw.count(b"\n")
    with aside(database) as connection:
        import_staging.open_table(connection)
        with importer.no_collector():
            for numbers, ranks, rows in listed.fresh(order.region, None, today):
                import_staging.add(connection, zip(numbers, ranks, *rows, strict=True))
                tell(listed.summary.read, lines, "lists.reading")
        compared = comparison.compare(
            connection,
            listed,
            order.campaign.name,
            order.raw,
            ranked=order.campaign.order is not None,
        )
        connection.commit()
        yield connection, listed, compared


def dry_run(
    database: str, order: Order, rules: Rules, secret: bytes, at: datetime, tell: Tell
) -> tuple[Summary, Counter[str]]:
    """What an import would come to, and who of the whole list might then be rung at that instant."""
    name = order.campaign.name
    with read(database, order, at.date(), tell) as (connection, listed, compared):
        summary = listed.summary
        count = import_staging.size(connection)
        summary.taken = count - import_staging.known(connection, name)
        summary.changed = len(compared.here)
        summary.unchanged = count - summary.taken - summary.changed
        summary.elsewhere = import_staging.elsewhere(connection, name)
        size = import_staging.sizes(connection).get(name, {}).get("ready", 0) + summary.taken
        as_if = AsIf(compared.all(), listed.noes, at)
        found = eligibility.tally(
            connection,
            rules,
            secret,
            order.campaign,
            at,
            lambda n: tell(n, size, "rules.asking"),
            as_if,
        )
        source = order.source or importer.source_of(order.campaign, at)
        for people in import_staging.new_contacts(connection, name, source):
            for facts in eligibility.pictures(
                connection, rules, secret, order.campaign, people, at, as_if
            ):
                found[eligibility.first_reason(permit.decide(facts, "list"))] += 1
            tell(found.total(), size, "rules.asking")
    return summary, found


def take(
    database: str, order: Order, clock: Callable[[], datetime], by: str, language: str, tell: Tell
) -> tuple[int, Summary]:
    """Take the list in, all of it or nothing; the import's number and what became of the rows."""
    campaign = order.campaign
    with read(database, order, clock().date(), tell) as (connection, listed, compared):
        summary = listed.summary
        refused = None
        if summary.refused:
            refused = refused_rows.as_file(
                summary.header, summary.refused, summary.separator, language
            )
        tell(summary.read, 0, "lists.writing")
        writing = _writing(connection)
        with writing.begin():
            now = clock()
            source = order.source or importer.source_of(campaign, now)
            number = importer.write(
                writing, campaign, listed, compared, now, source=source, by=by, refused=refused
            )
    return number, summary


def _writing(connection: Connection) -> Connection:
    """The same connection, for one transaction that writes."""
    connection.commit()
    if connection.dialect.name == "sqlite":
        return connection.execution_options(reads_only=False)
    return connection.execution_options(isolation_level="READ COMMITTED")
