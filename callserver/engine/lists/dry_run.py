"""A dry run: what an import would change, and how many of the list could then be called."""

from collections import Counter
from datetime import datetime

from callserver.database import contacts, list_import, register_records, staged_rows
from callserver.domain import permit
from callserver.domain.contact_status import ContactStatus
from callserver.domain.register_match import Match
from callserver.engine.context import Rules
from callserver.engine.lists import eligibility
from callserver.engine.lists.eligibility import AsIf
from callserver.engine.lists.importer import Progress, Staged, ignore_progress
from callserver.engine.suppressions import register_matching


def dry_run(
    staged: Staged,
    rules: Rules,
    secret: bytes,
    at: datetime,
    progress: Progress = ignore_progress,
) -> Counter[str]:
    """Fill the summary's figures as an import would, without writing.

    Returns the counts of the whole list by the first reason against a call at that instant.
    """
    tx, summary, compared = staged.tx, staged.summary, staged.comparison
    campaign = staged.order.campaign
    count = list_import.size(tx)
    summary.taken = count - list_import.known(tx, campaign.name)
    summary.changed = len(compared.here)
    summary.unchanged = count - summary.taken - summary.changed
    summary.elsewhere = list_import.elsewhere(tx, campaign.name)
    summary.changes = compared.by_field()
    summary.missing = list_import.missing(tx, campaign.name)
    summary.set_aside = len(compared.set_aside)
    staged_rows.index(tx)
    ready = contacts.counts_by_status(tx).get(campaign.name, {}).get(ContactStatus.READY, 0)
    size = ready + summary.taken
    as_if = AsIf(
        compared.all(),
        staged.reader.opt_outs,
        at,
        _register_results(staged),
        compared.set_aside,
    )
    reasons = eligibility.tally(
        tx,
        rules,
        secret,
        campaign,
        at,
        lambda done: progress(done, size, "rules.asking"),
        as_if,
    )
    for people in list_import.new_contacts(tx, campaign.name, staged.order.source_at(at)):
        for facts in eligibility.facts_of(tx, rules, secret, campaign, people, at, as_if):
            reasons[eligibility.first_reason(permit.decide(facts, "list"))] += 1
        progress(reasons.total(), size, "rules.asking")
    return reasons


def _register_results(staged: Staged) -> dict[int, Match]:
    """How the staged people compare with the registers of names and addresses in force."""
    results: dict[int, Match] = {}
    if register_records.in_force(staged.tx):
        for people in list_import.people(staged.tx):
            campaign = staged.order.campaign.name
            results |= register_matching.results_as_if(staged.tx, campaign, people)
    return results
