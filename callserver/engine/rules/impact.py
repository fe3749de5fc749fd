"""The effect of a change of the rules on the lists: who may be called under each of two configurations."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from callserver.database import bulk_facts
from callserver.domain.campaign import Campaign
from callserver.domain.configuration import Configuration
from callserver.engine.context import Rules
from callserver.engine.lists import eligibility
from callserver.ports import Tx


@dataclass(frozen=True, slots=True)
class CampaignImpact:
    """One campaign's ready contacts by the first reason against them (eligibility.ALLOWED: none).

    None: there is no such campaign under those rules.
    """

    campaign: str
    before: Counter[str] | None
    after: Counter[str] | None


def effects(
    tx: Tx,
    was: Configuration,
    would: Configuration,
    secret: bytes,
    at: datetime,
    department: str | None,
    progress: Callable[[int, int], None],
) -> list[CampaignImpact]:
    """Each campaign of the department (None: all) at an instant, under both configurations.

    `progress` is called with the number of contacts so far, and the total.
    """
    names = [
        name
        for name in {**was.campaigns, **would.campaigns}
        if department is None or department in _departments(was, would, name)
    ]
    sizes = {name: bulk_facts.count_ready(tx, name) for name in names}
    turns = {name: 1 if _same(was, would, name) else 2 for name in names}
    total = sum(sizes[name] * turns[name] for name in names)
    done = 0

    def ask(rules_then: Configuration, name: str) -> Counter[str] | None:
        nonlocal done
        campaign: Campaign | None = rules_then.campaigns.get(name)
        if campaign is None:
            return None
        so_far = done
        counted = eligibility.tally(
            tx, Rules(rules_then), secret, campaign, at, lambda n: progress(so_far + n, total)
        )
        done += counted.total()
        return counted

    answers = []
    for name in names:
        before = ask(was, name)
        after = before if turns[name] == 1 else ask(would, name)
        answers.append(CampaignImpact(name, before, after))
    return answers


def _departments(was: Configuration, would: Configuration, name: str) -> set[str]:
    return {c.campaigns[name].department for c in (was, would) if name in c.campaigns}


def _same(was: Configuration, would: Configuration, name: str) -> bool:
    """Whether everything that the gate uses for this campaign is the same."""
    before, after = was.campaigns.get(name), would.campaigns.get(name)
    return (
        before is not None
        and before == after
        and was.policies[before.policy] == would.policies[before.policy]
        and Rules(was).own_numbers == Rules(would).own_numbers
    )
