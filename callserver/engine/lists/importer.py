"""Taking a list in: every row is taken, unchanged, a duplicate or refused, and nothing is lost.

One transaction a file; the same file twice changes nothing. The list's own order, or the campaign's
order column, becomes the rank by which contacts are dialed.
"""

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from callserver import texts
from callserver.database import audit, contacts_import, import_staging, suppressions
from callserver.domain import subject
from callserver.domain.audit import Kind
from callserver.domain.campaign import Campaign
from callserver.domain.facts import Segment
from callserver.engine.lists import comparison
from callserver.engine.lists.comparison import Comparison
from callserver.engine.lists.reader import ListReader, Summary, open_list
from callserver.engine.suppressions import bulk_lists
from callserver.ports import Tx
from callserver.texts import formats

FATES = ("taken", "changed", "unchanged", "duplicates", "refused")
"""What becomes of a row: one of these."""


@contextmanager
def no_collector() -> Iterator[None]:
    """A million small rows, none of them in a cycle: collecting costs a sixth of the time.

    And a whole collection stops every thread; beside a server that is felt.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def take_in(
    tx: Tx,
    campaign: Campaign,
    raw: bytes,
    now: datetime,
    *,
    given: Mapping[str, str] | None = None,
    region: str = "DK",
    source: str | None = None,
    by: str = "command",
    progress: Callable[[int], None] = lambda _: None,
) -> Summary:
    """Take a CSV file into a campaign's list.

    `given`: column -> field, before the synonyms. `region`: of numbers without a country code.
    `source`: where the people come from, in words. `progress` hears how many rows were read so far.

    Raises:
        ConfigurationProblem: the file cannot be read as a list at all.
    """
    listed = open_list(campaign, raw, given=given)
    import_staging.open_table(tx)
    for lines, ranks, rows in listed.fresh(region, None, now.date()):
        import_staging.add(tx, zip(lines, ranks, *rows, strict=True))
        progress(listed.summary.read)
    compared = comparison.compare(tx, listed, campaign.name, raw, ranked=campaign.order is not None)
    said = source or source_of(campaign, now)
    write(tx, campaign, listed, compared, now, source=said, by=by, alone=True)
    import_staging.close_table(tx)
    return listed.summary


def write(
    tx: Tx,
    campaign: Campaign,
    listed: ListReader,
    compared: Comparison,
    now: datetime,
    *,
    source: str | None,
    by: str,
    refused: bytes | None = None,
    alone: bool = False,
) -> int:
    """Write what was staged and compared; the import's number.

    `alone`: nobody waits for the database, and a long first list may build its indexes afterwards.
    """
    summary = listed.summary
    number = contacts_import.begin(tx, campaign.name, summary.content, now)
    base = contacts_import.last_rank(tx, campaign.name) if campaign.order is None else 0
    count = import_staging.size(tx)
    summary.elsewhere = import_staging.elsewhere(tx, campaign.name)
    indexes = contacts_import.QuickIndexes(tx, campaign.name, summary.read if alone else 0)
    order = "line" if campaign.order is None else "rank"
    summary.taken = import_staging.take(
        tx, campaign.name, number, base, source, order, may_meet=indexes.is_unique_kept
    )
    indexes.build()
    import_staging.change(tx, compared.all(), compared.closed)
    summary.changed = len(compared.here)
    summary.unchanged = count - summary.taken - summary.changed
    contacts_import.add_places(tx, campaign.name, listed.places)
    bulk_lists.add_noes(tx, listed.noes, f"import {number}", by, now)
    suppressions.want_stopped(tx, [subject.of_person(one) for one in compared.renumbered])
    finish(tx, campaign, summary, number, now, by=by, refused=refused)
    return number


def source_of(campaign: Campaign, now: datetime, file: str = "") -> str | None:
    """Where people come from when neither the list nor whoever takes it in says it, in words.

    A lead must say itself where it comes from.
    """
    if campaign.segment is Segment.LEADS:
        return None
    day = formats.day(now, "da")
    if not file:
        return texts.say("da", "import.source_unnamed", day=day)
    return texts.say("da", "import.source", file=file, day=day)


def finish(
    tx: Tx,
    campaign: Campaign,
    summary: Summary,
    number: int,
    now: datetime,
    *,
    by: str = "command",
    refused: bytes | None = None,
) -> None:
    """The import's figures and its entry. `refused`: the refused rows as a file, kept for a while."""
    counts = summary.counts()
    kept = sum(counts[name] for name in FATES)
    if counts["read"] != kept:
        raise AssertionError(f"of {counts['read']} rows {kept} are accounted for")
    figures = {**counts, "elsewhere": summary.elsewhere}
    contacts_import.finish(tx, number, figures, by=by, refused=refused)
    audit.append(
        tx,
        now,
        Kind.IMPORTED,
        campaign=campaign.name,
        imported=number,
        content=summary.content,
        counts=counts,
        elsewhere=summary.elsewhere,
        by=by,
    )
