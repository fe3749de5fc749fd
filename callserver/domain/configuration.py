"""Composes one configuration from its files, or reports every problem at once. All or nothing."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pydantic import ValidationError

from callserver.domain import hours, survey, validation_messages
from callserver.domain.book import Book
from callserver.domain.campaign import Ask, Campaign, Effect
from callserver.domain.case_rules import CaseRules
from callserver.domain.document import Document, File, Key
from callserver.domain.facts import Purpose, Scope, Segment
from callserver.domain.organisation import Department, Organisation
from callserver.domain.policy import Policy, merged
from callserver.domain.survey import SurveyRules
from callserver.domain.training_rules import TrainingRules, versions
from callserver.texts import InvalidInput, Sentence

M = TypeVar("M", bound=Document)

SINGLE_FILES = ("departments.yaml", "house.yaml", "cases.yaml", "survey.yaml", "training.yaml")
"""The files beside the folders of the configuration."""

MERGE_FIELDS = frozenset(
    {"name", "phoner", "organisation", "ref", "city", "source", "member_since"}
)
"""What a script may name in braces besides the list's columns that its campaign declares."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """What is wrong, where, and what would be right."""

    file: str
    line: int
    key: str
    why: Sentence

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.key}: {self.why}"


@dataclass(frozen=True, slots=True)
class Configuration:
    """All configuration files of one revision, read and checked."""

    revision: str  # the first 16 digits of sha256
    sha256: str
    policies: Mapping[str, Policy]
    campaigns: Mapping[str, Campaign]
    departments: Mapping[str, Department]
    scripts: Mapping[str, str]
    books: Mapping[str, Book]  # by name and language: ethics.da
    organisation: Organisation
    cases: CaseRules
    survey: SurveyRules
    training: TrainingRules
    documents: Mapping[str, str]  # the version of each document: of each book
    content: Mapping[str, Any]

    def policy_of(self, campaign: Campaign) -> Policy:
        """The policy that decides the campaign's calls: its own, with the close guard that its ring
        time requires. Every dial decision, and every answer about one, uses this policy."""
        return hours.guarded(self.policies[campaign.policy], campaign.ring_seconds)


def compose(files: Sequence[File]) -> Configuration | list[Problem]:
    """The configuration, or every problem in every file."""
    problems = [
        Problem(file.path, file.error[0], "-", file.error[1])
        for file in files
        if file.error is not None
    ]
    readable = [file for file in files if file.error is None]
    policies = _models(Policy, "policy", files, problems)
    campaigns = _models(Campaign, "campaign", files, problems)
    departments = _departments(readable, problems)
    organisation = _single(Organisation, "house", readable, problems)
    cases = _single(CaseRules, "cases", readable, problems)
    quarterly = _survey(readable, problems)
    scripts = {file.name: str(file.data) for file in files if file.kind == "script"}
    books = _books([file for file in readable if file.kind == "book"], problems)
    training = _training(readable, books, problems)
    checked_policies = {name: policy for name, (_, policy) in policies.items()}
    for file, campaign in campaigns.values():
        if campaign is not None:
            problems += _cross_check(file, campaign, checked_policies, departments, scripts)
    if not campaigns and not problems:
        problems.append(Problem("campaigns", 1, "-", InvalidInput("no_campaign").sentence))
    if problems:
        return sorted(set(problems))
    content = {file.path: file.data for file in readable}
    sha256 = hashlib.sha256(exported(content)).hexdigest()
    return Configuration(
        revision=sha256[:16],
        sha256=sha256,
        policies=_valid(policies),
        campaigns=_valid(campaigns),
        departments=departments,
        scripts=scripts,
        books=books,
        organisation=organisation,
        cases=cases,
        survey=quarterly,
        training=training,
        documents=versions(books.values()),
        content=json.loads(exported(content)),
    )


def imported(raw: bytes) -> Configuration | list[Problem]:
    """The configuration of exported bytes, or every problem in it."""
    files = []
    for path, data in json.loads(raw).items():
        folder, _, name = path.rpartition("/")
        stem = name.rpartition(".")[0]
        kind = _FOLDERS.get(folder, stem)
        files.append(File(kind, path, name if kind == "script" else stem, data))
    return compose(files)


_FOLDERS = {"policies": "policy", "campaigns": "campaign", "scripts": "script", "books": "book"}


def _problem(file: File, key: Key, why: Sentence) -> Problem:
    path, line = file.place(key)
    return Problem(path, line, ".".join(map(str, key)) or "-", why)


def exported(content: Mapping[str, Any]) -> bytes:
    """The bytes that the revision's hash is over, and that are exported: one JSON object, path -> data."""
    return json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str
    ).encode()


def _models(
    model: type[M], kind: str, files: Sequence[File], problems: list[Problem]
) -> dict[str, tuple[File, M | None]]:
    """Every document of a kind with its file; None for one that has problems of its own."""
    by_name = {file.name: file for file in files if file.kind == kind}
    documents: dict[str, tuple[File, M | None]] = {}
    for name, own in by_name.items():
        if name.startswith("_"):  # a base that others extend
            continue
        file = _extended(own, by_name, problems, (name,))
        document = None if file is None else _model(model, file, file.data, problems, name)
        documents[name] = (file or own, document)
    return documents


def _valid(documents: Mapping[str, tuple[File, M | None]]) -> dict[str, M]:
    return {name: document for name, (_, document) in documents.items() if document is not None}


def _extended(
    file: File, by_name: Mapping[str, File], problems: list[Problem], chain: tuple[str, ...]
) -> File | None:
    """The file merged with what it extends; None when one of them cannot be read."""
    if file.error is not None:
        return None
    if not isinstance(file.data, dict) or "extends" not in file.data:
        return file
    base = str(file.data["extends"])
    own = {key: value for key, value in file.data.items() if key != "extends"}
    if base not in by_name or base in chain:
        missing = InvalidInput("no_base", name=f"{file.kind} {base!r}")
        why = InvalidInput("extends_itself") if base in chain else missing
        problems.append(_problem(file, ("extends",), why.sentence))
        return None
    parent = _extended(by_name[base], by_name, problems, (*chain, base))
    if parent is None:
        return None
    inherited = parent.data if isinstance(parent.data, dict) else {}
    inherited = {key: value for key, value in inherited.items() if key != "name"}
    return replace(file, data=merged(inherited, own), base=parent)


def _departments(files: Sequence[File], problems: list[Problem]) -> dict[str, Department]:
    departments: dict[str, Department] = {}
    for file in files:
        if file.kind != "departments":
            continue
        if not isinstance(file.data, dict):
            problems.append(_problem(file, (), InvalidInput("departments").sentence))
            continue
        for name, data in file.data.items():
            department = _model(Department, file, data, problems, None, (str(name),))
            if department is not None:
                departments[str(name)] = department
    return departments


def _books(files: Sequence[File], problems: list[Problem]) -> dict[str, Book]:
    books: dict[str, Book] = {}
    for file in files:
        book = _model(Book, file, file.data, problems, file.name)
        if book is not None:
            books[file.name] = book
    for file in files:
        name, _, language = file.name.rpartition(".")
        translation = f"{name}.{'da' if language == 'en' else 'en'}"
        if file.name in books and translation not in books:
            wrong = InvalidInput("no_other_book", file=f"{translation}.md")
            problems.append(_problem(file, (), wrong.sentence))
    return books


def _training(
    files: Sequence[File], books: Mapping[str, Book], problems: list[Problem]
) -> TrainingRules:
    keys = dict.fromkeys(book.key for book in books.values())
    rules = TrainingRules.of_books(keys)
    for file in (file for file in files if file.kind == "training"):
        rules = _single(TrainingRules, "training", files, problems)
        problems += [_problem(file, key, why.sentence) for key, why in rules.wrong(keys)]
    return rules


def _single(model: type[M], kind: str, files: Sequence[File], problems: list[Problem]) -> M:
    """The one document of its kind; without a file, what the model says by itself."""
    file = next((file for file in files if file.kind == kind), None)
    read = None if file is None else _model(model, file, file.data, problems, None)
    return read or model()


def _survey(files: Sequence[File], problems: list[Problem]) -> SurveyRules:
    rules = _single(SurveyRules, "survey", files, problems)
    for file in files:
        if file.kind == "survey":
            problems += [_problem(file, key, why.sentence) for key, why in survey.problems(rules)]
    return rules


def _model(
    model: type[M],
    file: File,
    data: Any,
    problems: list[Problem],
    name: str | None,
    under: Key = (),
) -> M | None:
    """The document as its model; None, and its errors in `problems`, when it is not valid."""
    if isinstance(data, dict) and name is not None:
        if data.get("name", name) != name:
            wrong = InvalidInput("name_of_file", name=repr(name))
            problems.append(_problem(file, ("name",), wrong.sentence))
        data = {"name": name, **data}
    try:
        # As JSON, and strictly: a number in quotes is a text, and true is not the number 1.
        return model.model_validate_json(json.dumps(data, default=str), strict=True)
    except ValidationError as error:
        for detail in error.errors():
            if detail["type"] == "too_short" and detail["input"]:
                continue  # its items are not valid, and are reported themselves
            key = (*under, *(part for part in detail["loc"] if part != "[key]"))
            problems.append(_problem(file, key, validation_messages.sentence(detail, model)))
        return None


def _cross_check(  # noqa: C901, PLR0912 - one list of cases
    file: File,
    campaign: Campaign,
    policies: Mapping[str, Policy | None],
    departments: Mapping[str, Department],
    scripts: Mapping[str, str],
) -> list[Problem]:
    """The problems of a campaign that appear only together with the other files."""
    problems: list[Problem] = []

    def wrong(why: InvalidInput, *key: str | int) -> None:
        problems.append(_problem(file, key, why.sentence))

    policy = policies.get(campaign.policy)
    if campaign.policy not in policies:
        known = ", ".join(policies)
        wrong(InvalidInput("no_policy", name=repr(campaign.policy), known=known), "policy")
    if policy is not None:  # one that is not valid has been reported already
        if campaign.ring_seconds < policy.ring.min_ring_seconds:
            least = policy.ring.min_ring_seconds
            wrong(InvalidInput("policy_least", limit=least), "ring_seconds")
        most = policy.frequency.call_back_tolerance_minutes
        if campaign.call_backs.tolerance_minutes > most:
            wrong(InvalidInput("policy_most", limit=most), "call_backs", "tolerance_minutes")
        stranger = campaign.segment in (Segment.KANVAS, Segment.LEADS)
        if policy.gifts.restricted and stranger and campaign.purpose is Purpose.RECRUIT_GIFT:
            wrong(InvalidInput("stranger_gift"), "purpose")
    if campaign.department not in departments:
        known, name = ", ".join(departments) or "-", repr(campaign.department)
        wrong(InvalidInput("no_department", name=name, known=known), "department")
    if campaign.script not in scripts:
        wrong(InvalidInput("no_script", name=campaign.script), "script")
    else:
        for name in re.findall(r"\{(\w+)\}", scripts[campaign.script]):
            if name not in MERGE_FIELDS and name not in campaign.columns:
                wrong(InvalidInput("script_field", name=f"{{{name}}}"), "script")
    for position, card in enumerate(campaign.cards):
        for language in ("da", "en"):
            for name in re.findall(r"\{(\w+)\}", getattr(card.answer, language)):
                if name not in MERGE_FIELDS and name not in campaign.columns:
                    wrong(
                        InvalidInput("merge_field", name=f"{{{name}}}"), "cards", position, "answer"
                    )
    for key, outcome in campaign.outcomes.items():
        for option, value, effect in (
            ("scope", outcome.scope, Effect.SUPPRESS),
            ("rest_days", outcome.rest_days, Effect.NOT_NOW),
            ("retry_as", outcome.retry_as, Effect.RETRY),
        ):
            if value is not None and outcome.does is not effect:
                wrong(InvalidInput("unused", effect=effect.value), "outcomes", key, option)
        match outcome.does:
            case Effect.CALL_BACK if Ask.AT not in outcome.asks:
                wrong(InvalidInput("call_back_asks"), "outcomes", key, "asks")
            case Effect.SUPPRESS if outcome.scope is None:
                wrong(InvalidInput("scope_missing"), "outcomes", key, "scope")
            case Effect.SUPPRESS if outcome.scope in (Scope.HASH, Scope.COMPLAINT):
                wrong(InvalidInput("scope_wrong"), "outcomes", key, "scope")
            case Effect.NOT_NOW if outcome.rest_days is None:
                wrong(InvalidInput("rest_missing"), "outcomes", key, "rest_days")
            case Effect.RETRY if outcome.retry_as not in campaign.retry:
                wrong(InvalidInput("retry_as"), "outcomes", key, "retry_as")
    return problems
