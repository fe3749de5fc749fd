"""Taking a list in: every row is taken, unchanged, a duplicate or refused, and nothing is lost.

One transaction a file; the same file twice changes nothing. The list's own order, or the campaign's
order column, becomes the rank by which contacts are dialed.
"""

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from itertools import repeat

from callserver.database import audit, contacts_import
from callserver.domain.audit import Kind
from callserver.domain.campaign import Campaign
from callserver.domain.facts import Segment
from callserver.engine.listed import Summary, open_list
from callserver.ports import Tx


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
    progress: Callable[[int], None] = lambda _: None,
) -> Summary:
    """Take a CSV file into a campaign's list.

    `given`: column -> field, before the synonyms. `region`: of numbers without a country code.
    `progress` hears how many rows were read so far.

    Raises:
        ConfigurationProblem: the file cannot be read as a list at all.
    """
    listed = open_list(campaign, raw, given=given)
    summary = listed.summary
    number = contacts_import.begin(tx, campaign.name, summary.content, now)
    head = (campaign.name, number, "ready")
    base = contacts_import.last_rank(tx, campaign.name) if campaign.order is None else 0
    into = contacts_import.Into(tx, campaign.name, raw.count(b"\n"))
    persons = 0
    for ranks, rows in listed.fresh(region, source_of(campaign, number)):
        ranked = [base + rank for rank in ranks]
        values = zip(*map(repeat, head), ranked, *rows, strict=False)  # the head is endless
        summary.taken += into.write(values)
        persons += len(ranks)
        progress(summary.read)
    summary.taken += into.settle()
    summary.unchanged = persons - summary.taken
    summary.elsewhere = contacts_import.elsewhere(tx, campaign.name, number)
    contacts_import.add_places(tx, campaign.name, listed.places)
    finish(tx, campaign, summary, number, now)
    return summary


def source_of(campaign: Campaign, number: int) -> str | None:
    """A lead must say itself where it comes from; for other lists the list is the source."""
    return None if campaign.segment is Segment.LEADS else f"import:{number}"


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
    kept = sum(counts[name] for name in ("taken", "unchanged", "duplicates", "refused"))
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
