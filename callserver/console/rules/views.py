"""Answers about rules, changes and proposals."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from difflib import SequenceMatcher
from typing import Any

from callserver.console.endpoint import Answer, UserRequest
from callserver.database.accounts import User
from callserver.database.revisions import Proposal
from callserver.domain.configuration import Configuration
from callserver.domain.label import Label
from callserver.engine.lists import eligibility
from callserver.engine.rules.impact import CampaignImpact
from callserver.engine.rules.proposals import Checked

AROUND = 3
"""Lines that are shown before and after a change."""

MOST_COMPARED = 4_000_000
"""Pairs of lines that are compared: half a second. Where more lines differ they are shown as replaced."""


class DocumentView(Answer):
    """A campaign or policy: its file, and its content including what it extends."""

    name: str
    file: str
    document: Mapping[str, Any]


class LooserView(Answer):
    """One rule that would become looser; `text` is the key of its sentence."""

    file: str
    key: str
    was: Any
    would: Any
    text: str


class LineView(Answer):
    """A line of a diff: `-` removed, `+` added, blank: unchanged, `…`: lines left out."""

    sign: str
    text: str = ""
    line: int | None = None  # in the new file; of a removed line, in the old one


class ProblemView(Answer):
    file: str
    line: int
    key: str
    why: str


class ChangeView(Answer):
    """The result of checking a change. With problems it cannot take effect."""

    problems: list[ProblemView]
    revision: str | None
    changed: list[str]
    looser: list[LooserView]
    diff: Mapping[str, list[LineView]]


class ProposedView(Answer):
    """Whether a change is in force or waits as a proposal, and whether the folder's files were written.

    `written`: same, yes, not_writable or differs (they have other changes and were not written).
    """

    revision: str
    proposal: int | None
    written: str


class ProposalView(Answer):
    """A proposed change, and the decision about it."""

    id: int
    at: datetime
    by: str | None  # None: the files in the folder changed
    mine: bool
    why: str
    ethics: str
    state: str
    revision: str
    stale: bool  # the rules have changed since
    changed: list[str]
    looser: list[LooserView]
    decided_at: datetime | None
    decided_by: str | None
    answer: str
    diff: Mapping[str, list[LineView]] | None = None


class RulesView(Answer):
    """The rules in force, and the proposals."""

    now: datetime  # by the server's clock
    revision: str
    since: datetime
    ahead: bool  # the folder on disk differs from the rules in force
    unreviewed: bool  # because its change.yaml is missing or belongs to an earlier change
    campaigns: list[DocumentView]
    policies: list[DocumentView]
    departments: Mapping[str, Label]
    texts: Mapping[str, str]
    proposals: list[ProposalView]


class HistoryView(Answer):
    """Every change of the rules, the oldest first."""

    changes: list[ProposalView]


class EffectView(Answer):
    """One campaign's ready contacts: how many may be called, and the others by their first reason."""

    campaign: str
    before: Mapping[str, int] | None
    after: Mapping[str, int] | None


class Effects(Answer):
    """`callable` counts the contacts who may be called."""

    at: datetime
    effects: list[EffectView]


def campaigns(configuration: Configuration, request: UserRequest) -> list[DocumentView]:
    """The campaigns of the user's department."""
    return [
        DocumentView(
            name=name,
            file=f"campaigns/{name}.yaml",
            document=campaign.model_dump(mode="json", by_alias=True),
        )
        for name, campaign in configuration.campaigns.items()
        if request.sees(campaign.department)
    ]


def policies(configuration: Configuration) -> list[DocumentView]:
    return [
        DocumentView(
            name=name,
            file=f"policies/{name}.yaml",
            document=policy.model_dump(mode="json", by_alias=True),
        )
        for name, policy in configuration.policies.items()
    ]


def proposal(
    waiting: Proposal, request: UserRequest, users: Iterable[User], in_force: str
) -> ProposalView:
    names = {user.id: user.name for user in users}
    return ProposalView(
        id=waiting.id,
        at=waiting.at,
        by=None if waiting.by is None else names.get(waiting.by, ""),
        mine=waiting.by == request.user.id,
        why=waiting.why,
        ethics=waiting.ethics,
        state=waiting.state,
        revision=waiting.revision,
        stale=waiting.state == "open" and waiting.base != in_force,
        changed=list(waiting.changed),
        looser=[LooserView.model_validate(rule) for rule in waiting.looser],
        decided_at=waiting.decided_at,
        decided_by=None if waiting.decided_by is None else names.get(waiting.decided_by, ""),
        answer=waiting.answer,
    )


def change(checked: Checked, language: str) -> ChangeView:
    return ChangeView(
        problems=[
            ProblemView(
                file=problem.file,
                line=problem.line,
                key=problem.key,
                why=problem.why.in_language(language),
            )
            for problem in checked.problems
        ],
        revision=None if checked.configuration is None else checked.configuration.revision,
        changed=checked.changed,
        looser=[
            LooserView(file=rule.file, key=rule.key, was=rule.was, would=rule.would, text=rule.text)
            for rule in checked.looser
        ],
        diff=diff(checked.was, checked.would),
    )


def diff(was: Mapping[str, str], would: Mapping[str, str]) -> dict[str, list[LineView]]:
    """The files that differ, line by line."""
    paths = sorted(path for path in {*was, *would} if was.get(path) != would.get(path))
    return {path: _lines(was.get(path, ""), would.get(path, "")) for path in paths}


def _lines(was: str, would: str) -> list[LineView]:
    old, new = was.splitlines(), would.splitlines()
    begin = _same(old, new)
    end = max(_same(old[begin:][::-1], new[begin:][::-1]) - AROUND, 0)
    begin = max(begin - AROUND, 0)
    old, new = old[begin : len(old) - end], new[begin : len(new) - end]
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    groups: Iterable[list[tuple[str, int, int, int, int]]] = matcher.get_grouped_opcodes(AROUND)
    if len(old) * len(new) > MOST_COMPARED:
        groups = [[("replace", 0, len(old), 0, len(new))]]
    lines: list[LineView] = []
    for group in groups:
        if lines or begin + group[0][3] > 0:
            lines.append(LineView(sign="…"))
        for what, a, b, c, d in group:
            if what == "equal":
                lines += _signed(" ", new, c, d, begin)
            else:
                lines += [*_signed("-", old, a, b, begin), *_signed("+", new, c, d, begin)]
    return lines


def _same(old: Sequence[str], new: Sequence[str]) -> int:
    """With how many equal lines both begin."""
    pairs = enumerate(zip(old, new, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(old), len(new)))


def _signed(sign: str, lines: Sequence[str], first: int, end: int, before: int) -> list[LineView]:
    """`before`: how many lines of the file precede `lines`."""
    return [LineView(sign=sign, text=lines[at], line=before + at + 1) for at in range(first, end)]


def effects(impacts: Iterable[CampaignImpact], at: datetime) -> Effects:
    return Effects(
        at=at,
        effects=[
            EffectView(
                campaign=effect.campaign, before=_named(effect.before), after=_named(effect.after)
            )
            for effect in impacts
        ],
    )


def _named(counted: Mapping[str, int] | None) -> dict[str, int] | None:
    if counted is None:
        return None
    allowed = eligibility.ALLOWED
    return {"callable" if key == allowed else key: n for key, n in counted.items()}
