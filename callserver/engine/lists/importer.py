"""Imports a list: stages and compares it first, then writes it in one short transaction.

Staging fills a temporary table and takes no lock, so a dialing server does not wait for it. Every row has one
fate (domain/imports.py). The list is imported completely or not at all, and importing the same file twice
changes nothing. The list's own order, or the campaign's order column, becomes the rank by which contacts are
dialed.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

from callserver.database import (
    audit,
    former_identifiers,
    household_keys,
    imports,
    list_import,
    listed_places,
    marks,
    pseudonymous_keys,
    ringing_calls,
    set_aside_contacts,
    staged_rows,
    suppressions,
)
from callserver.database.former_identifiers import Because, Identifier
from callserver.database.side_connection import for_reading, for_writing, side_connection
from callserver.domain import subject
from callserver.domain.audit import EntryKind
from callserver.domain.campaign import Campaign
from callserver.domain.configuration import Configuration
from callserver.domain.facts import Scope
from callserver.domain.home import day_of
from callserver.domain.identity import NOBODY
from callserver.domain.imports import RowFate
from callserver.domain.reason import Reason
from callserver.engine import user_lines
from callserver.engine.gate import forbidden_calls
from callserver.engine.identity.silencing import silence_listed
from callserver.engine.lists import comparison, listed_consents, refused_rows
from callserver.engine.lists.comparison import Comparison
from callserver.engine.lists.import_order import ImportOrder
from callserver.engine.lists.reader import ListReader, open_list
from callserver.engine.lists.summary import OptOuts, Summary
from callserver.engine.suppressions import opt_outs, register_matching
from callserver.engine.suppressions.opt_outs import Origin
from callserver.ports import Tx

Progress = Callable[[int, int, str], None]
"""Called with the rows done, the total (0: unknown), and the key of a text for the current step."""


class OvertakenError(Exception):
    """Another list was written after this one was compared, or a contact removed: what differs from the contacts is
    another thing now."""


@dataclass(slots=True)
class Staged:
    """A list that was read into a temporary table of `tx` and compared with the contacts."""

    tx: Tx
    order: ImportOrder
    today: date
    reader: ListReader
    comparison: Comparison
    after: int  # the newest import when it was compared

    @property
    def summary(self) -> Summary:
        return self.reader.summary


@contextmanager
def no_collector() -> Iterator[None]:
    """Pause the garbage collector: a million small rows without cycles would cost a sixth of the time.

    A full collection also stops every thread, which a server beside this would notice.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def ignore_progress(done: int, of: int, what: str) -> None:
    """Ignore the progress of an import that nobody watches."""


def stage(tx: Tx, order: ImportOrder, today: date, progress: Progress = ignore_progress) -> Staged:
    """Read the whole list into a temporary table, and compare it with the contacts.

    Raises:
        ConfigurationProblem: it cannot be read as a list at all.
    """
    order.check_names()
    reader = open_list(order.campaign, order.raw, given=order.columns, ignored=order.ignored)
    lines = order.raw.count(b"\n")
    list_import.open_table(tx)
    with no_collector():
        for numbers, ranks, rows in reader.fresh(
            order.region, None, today, order.reference_namespace
        ):
            list_import.add(tx, (numbers, ranks, *rows))
            progress(reader.summary.read, lines, "lists.reading")
        is_ranked = order.campaign.order is not None
        after = imports.newest(tx)  # first: a list that is written from here on is a newer one
        compared = comparison.compare(tx, reader, order.campaign.name, order.raw, ranked=is_ranked)
    return Staged(tx, order, today, reader, compared, after)


@contextmanager
def staged_on_side_connection(
    database: str,
    order: ImportOrder,
    today: date,
    progress: Progress = ignore_progress,
    secret: bytes = b"",
) -> Iterator[Staged]:
    """`stage` on a separate connection, for the calling thread only."""
    with side_connection(database, secret=secret) as connection:
        staged = stage(connection, order, today, progress)
        connection.commit()
        yield staged


def import_on_side_connection(
    staged: Staged,
    clock: Callable[[], datetime],
    rules: Configuration,
    *,
    by: str,
    language: str,
    progress: Progress = ignore_progress,
) -> int:
    """Write what was staged on the side connection, completely or not at all. Returns the import's id.

    It is staged again where another list was written or a contact removed meanwhile.
    """
    while True:
        progress(staged.summary.read, 0, "lists.writing")
        refused = refused_rows.as_file(staged.summary, language, most=refused_rows.MOST_KEPT)
        writing = for_writing(staged.tx)
        try:
            with writing.begin():
                number = write(staged, clock(), by=by, refused=refused)
                # People who were not compared with a register yet are silenced after that, if they are on it.
                but_for = {Reason.SUP_EXTERNAL_UNSURE}
                forbidden_calls.silence(staged.tx, rules, clock(), but_for=but_for)
            break
        except OvertakenError:
            _stage_again(staged, progress)
    consents = staged.reader.consents
    staged.summary.consents = listed_consents.record_in_parts(
        writing.engine,
        consents,
        Origin(by=by, at=clock()),
        lambda done: progress(done, len(consents), "lists.writing"),
    )
    register_matching.match_new(
        writing.engine, rules, clock(), lambda done: progress(done, 0, "lists.comparing")
    )
    return number


def _stage_again(staged: Staged, progress: Progress) -> None:
    connection = for_reading(staged.tx)
    again = stage(connection, staged.order, staged.today, progress)
    connection.commit()
    staged.reader, staged.comparison, staged.after = again.reader, again.comparison, again.after


def import_list(
    tx: Tx, campaign: Campaign, raw: bytes, now: datetime, *, source: str | None = None
) -> Summary:
    """Stage and write within an open transaction, as for invented people."""
    imports.lock(tx)
    staged = stage(tx, ImportOrder(campaign, raw, {}, source=source), day_of(now))
    write(staged, now, by="command")
    list_import.close_table(tx)
    origin = Origin(by="command", at=now)
    staged.summary.consents = listed_consents.record(tx, staged.reader.consents, origin)
    register_matching.match_within(tx)
    return staged.summary


def write(staged: Staged, now: datetime, *, by: str, refused: bytes | None = None) -> int:
    """Write what was staged, within the open transaction. Returns the import's id.

    `refused`: the refused rows as a file, kept for a while.

    Raises:
        OvertakenError: another list was written or a contact removed since this one was compared; nothing is
            written.
    """
    tx, summary, compared = staged.tx, staged.summary, staged.comparison
    imports.lock(tx)
    if imports.newest(tx) != staged.after or not list_import.are_there(tx, compared.all()):
        raise OvertakenError
    campaign = staged.order.campaign
    household_keys.adopt_listed(tx, staged.reader.dropped())
    number = imports.begin(tx, campaign.name, summary.content, now)
    base = list_import.last_rank(tx, campaign.name) if campaign.order is None else 0
    count = list_import.size(tx)
    summary.elsewhere = list_import.elsewhere(tx, campaign.name)
    summary.changes = compared.by_field()
    summary.missing = list_import.missing(tx, campaign.name)
    summary.set_aside = len(compared.set_aside)
    indexes = list_import.DeferredIndexes(tx, campaign.name, count)
    order = "line" if campaign.order is None else "rank"
    source = staged.order.source_at(now)
    summary.taken = list_import.insert_new(
        tx,
        campaign.name,
        number,
        base,
        source,
        order,
        may_exist=indexes.is_unique_kept,
    )
    indexes.build()
    _keep_former(tx, staged, now)
    list_import.change(tx, compared.all(), compared.closed)
    set_aside_contacts.bring_back(tx, compared.returned)
    set_aside_contacts.set_aside(tx, compared.set_aside)
    renamed = [key for key, values in compared.all().items() if "name" in values]
    has_addresses = not {"address", "postcode"}.isdisjoint(summary.heads.columns)
    register_matching.imported(tx, campaign.name, number, renamed, has_addresses=has_addresses)
    summary.changed = len(compared.here)
    summary.unchanged = count - summary.taken - summary.changed
    listed_places.add(tx, campaign.name, staged.reader.places)
    moved = [key for key, values in compared.all().items() if "place" in values]
    listed_places.add_those_of(tx, moved)
    origin = Origin(by=by, at=now)
    _add_opt_outs(tx, staged.reader.opt_outs, f"import {number}", origin)
    _finish(tx, campaign, summary, number, now, by=by, refused=refused)
    _silence(tx, staged, now)
    return number


ASKED_ABOUT = frozenset({"number", "household", "name", *comparison.FACTS})
"""Columns of a contact that a dial depends on."""


def _silence(tx: Tx, staged: Staged, now: datetime) -> None:
    """Silence the telephones that ring for people whom the list opts out or calls dead, of whom it says something else that
    the gate asks about, or whose row was refused.

    Last, because no dial is decided between this and the commit.
    """
    suppressions.before_suppressing(tx)
    stated = staged.reader.opt_outs
    silence_listed(tx, Scope.NUMBER, stated.numbers, now)
    silence_listed(tx, Scope.PERSON, {*stated.persons, *stated.dead}, now)
    compared = staged.comparison
    others = {key for key, changes in compared.all().items() if ASKED_ABOUT & changes.keys()}
    concerned = others | compared.set_aside
    ringing = [call.person for call in ringing_calls.every(tx) if call.contact in concerned]
    suppressions.want_stopped(tx, [subject.of_person(key) for key in ringing], now)
    user_lines.silence(tx, now)


def _keep_former(tx: Tx, staged: Staged, now: datetime) -> None:
    """Keep the identifiers that link the persons to other lists before their contacts change."""
    changed = [
        contact
        for contact, changes in staged.comparison.all().items()
        if {"number", "household", "name"} & changes.keys()
    ]
    former_identifiers.keep(tx, changed, Because.CHANGED, now)
    listed = [
        Identifier(row.person, row.number, row.household, row.name)
        for row in staged.reader.dropped()
    ]
    taken = staged_rows.identifiers_of(tx, {row.person for row in listed})
    again = [row for row in listed if (row.person, row.number, row.household) not in taken]
    homes = staged.reader.opt_outs.homes
    again += [
        Identifier(person, NOBODY, household, name)
        for household, people in homes.items()
        for person, name in people
    ]
    former_identifiers.add(tx, again, Because.LISTED, now)


def _add_opt_outs(tx: Tx, stated: OptOuts, list_name: str, origin: Origin) -> None:
    """Opt out the persons whom the list itself says must not be called, and their numbers.

    The person alone is not enough: another list may have them under another reference or none.
    """
    opt_outs.write_listed(tx, Scope.NUMBER, stated.numbers, list_name, origin)
    opt_outs.write_listed(tx, Scope.PERSON, stated.persons, list_name, origin)
    marked = marks.mark_deceased(
        tx, [subject.of_person(key) for key in stated.dead], origin.at, origin.by
    )
    for some in opt_outs.parts(marked):
        audit.append(
            tx,
            origin.at,
            EntryKind.MARKED,
            mark="deceased",
            list=list_name,
            count=len(some),
            rows=pseudonymous_keys.rows(tx, some),
            by=origin.by,
        )


def _finish(
    tx: Tx,
    campaign: Campaign,
    summary: Summary,
    number: int,
    now: datetime,
    *,
    by: str,
    refused: bytes | None,
) -> None:
    """The import's figures and its audit entry."""
    counts = summary.counts()
    accounted = sum(counts[fate] for fate in RowFate)
    if counts["read"] != accounted:
        raise AssertionError(f"of {counts['read']} rows {accounted} are accounted for")
    figures = {**counts, "elsewhere": summary.elsewhere}
    imports.finish(tx, number, figures, by=by, refused=refused)
    audit.append(
        tx,
        now,
        EntryKind.IMPORTED,
        campaign=campaign.name,
        imported=number,
        content=summary.content,
        counts=counts,
        elsewhere=summary.elsewhere,
        by=by,
    )
