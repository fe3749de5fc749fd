"""A list taken in beside a server that dials: read and checked first, written in one short transaction.

It has a connection of its own and runs in a thread of its own. Reading fills a temporary table and
takes no lock; `take` holds the writing lock for one statement. A dry run ends before that.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from callserver.database import contacts_import, staged
from callserver.database.aside import aside
from callserver.domain import permit
from callserver.domain.campaign import Campaign
from callserver.engine import callable_now, refused_rows, taking_in
from callserver.engine.house import Rules
from callserver.engine.listed import Listed, Summary, open_list

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


@contextmanager
def read(database: str, order: Order, tell: Tell) -> Iterator[tuple[Connection, Listed]]:
    """Read the whole list into a table of a connection's own.

    Raises:
        ConfigurationProblem: it cannot be read as a list at all.
    """
    listed = open_list(order.campaign, order.raw, given=order.columns, ignored=order.ignored)
    lines = order.raw.count(b"\n")
    with aside(database) as connection:
        staged.open_table(connection)
        with taking_in.no_collector():
            for ranks, rows in listed.fresh(order.region, None):
                staged.add(connection, zip(ranks, *rows, strict=True))
                tell(listed.summary.read, lines, "lists.reading")
        connection.commit()
        yield connection, listed


def dry_run(
    database: str, order: Order, rules: Rules, secret: bytes, at: datetime, tell: Tell
) -> tuple[Summary, Counter[str]]:
    """What an import would come to, and who of the whole list might then be rung at that instant."""
    name = order.campaign.name
    with read(database, order, tell) as (connection, listed):
        summary = listed.summary
        _count(connection, name, summary)
        size = staged.sizes(connection).get(name, {}).get("ready", 0) + summary.taken
        found = callable_now.tally(
            connection, rules, secret, order.campaign, at, lambda n: tell(n, size, "rules.asking")
        )
        source = taking_in.source_of(order.campaign, 0)
        for people in staged.new_contacts(connection, name, source):
            for facts in callable_now.pictures(
                connection, rules, secret, order.campaign, people, at
            ):
                found[callable_now.first_reason(permit.decide(facts, "list"))] += 1
            tell(found.total(), size, "rules.asking")
    return summary, found


def _count(connection: Connection, campaign: str, summary: Summary) -> None:
    total = summary.read - summary.duplicates - len(summary.refused)
    summary.unchanged = staged.known(connection, campaign)
    summary.taken = total - summary.unchanged
    summary.elsewhere = staged.elsewhere(connection, campaign)


def take(
    database: str, order: Order, clock: Callable[[], datetime], by: str, language: str, tell: Tell
) -> tuple[int, Summary]:
    """Take the list in, all of it or nothing; the import's number and what became of the rows."""
    campaign = order.campaign
    with read(database, order, tell) as (connection, listed):
        summary = listed.summary
        refused = None
        if summary.refused:
            refused = refused_rows.as_file(
                summary.header, summary.refused, summary.separator, language
            )
        _count(connection, campaign.name, summary)  # long look-ups, before anybody waits
        tell(summary.read, 0, "lists.writing")
        writing = _writing(connection)
        with writing.begin():
            now = clock()
            number = contacts_import.begin(writing, campaign.name, summary.content, now)
            ranked = campaign.order is not None
            base = 0 if ranked else contacts_import.last_rank(writing, campaign.name)
            source = taking_in.source_of(campaign, number)
            total = summary.taken + summary.unchanged
            summary.taken = staged.take(writing, campaign.name, number, base, source)
            summary.unchanged = total - summary.taken
            contacts_import.add_places(writing, campaign.name, listed.places)
            taking_in.finish(writing, campaign, summary, number, now, by=by, refused=refused)
    return number, summary


def _writing(connection: Connection) -> Connection:
    """The same connection, for one transaction that writes."""
    connection.commit()
    if connection.dialect.name == "sqlite":
        return connection.execution_options(reads_only=False)
    return connection.execution_options(isolation_level="READ COMMITTED")
