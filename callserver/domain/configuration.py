"""Documents in, one configuration out, or every problem at once. All or nothing."""

import difflib
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pydantic import ValidationError

from callserver.domain.campaign import Ask, Campaign, Effect, Label
from callserver.domain.document import Document, File, Key
from callserver.domain.facts import Purpose, Segment
from callserver.domain.listening import Policy as Listening
from callserver.domain.policy import Policy, merged

M = TypeVar("M", bound=Document)

MERGE_FIELDS = frozenset(
    {"name", "phoner", "organisation", "ref", "city", "source", "member_since"}
)
"""What a script may name in braces besides the list's own columns, which it declares itself."""


class Department(Document):
    title: Label


class House(Document):
    """What holds for the whole house (config/house.yaml). What is not written is switched off."""

    listening: Listening | None = None


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something wrong, where, and what would be right."""

    file: str
    line: int
    key: str
    why: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.key}: {self.why}"


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything administrators have written, as it is in force."""

    revision: str
    policies: Mapping[str, Policy]
    campaigns: Mapping[str, Campaign]
    departments: Mapping[str, Department]
    scripts: Mapping[str, str]
    house: House
    content: Mapping[str, Any]


def compose(files: Sequence[File]) -> Configuration | list[Problem]:
    """The configuration, or every problem in every file."""
    problems = [
        Problem(file.path, file.error[0], "-", f"is not YAML: {file.error[1]}")
        for file in files
        if file.error is not None
    ]
    readable = [file for file in files if file.error is None]
    policies = _policies([file for file in readable if file.kind == "policy"], problems)
    departments = _departments(readable, problems)
    house = _house(readable, problems)
    campaign_files = {file.name: file for file in readable if file.kind == "campaign"}
    extended = {
        name: _extended(file, campaign_files, problems, (name,))
        for name, file in campaign_files.items()
        if not name.startswith("_")  # a base that others extend
    }
    campaigns = {
        name: found
        for name, file in extended.items()
        if (found := _model(Campaign, file, file.data, problems, name)) is not None
    }
    scripts = {file.name: str(file.data) for file in readable if file.kind == "script"}
    for name, campaign in campaigns.items():
        problems += _cross(extended[name], campaign, policies, departments, scripts)
    if not campaigns and not problems:
        problems.append(
            Problem("campaigns", 1, "-", "there is no campaign; write campaigns/*.yaml")
        )
    if problems:
        return sorted(set(problems))
    content = {file.path: file.data for file in readable}
    return Configuration(
        revision=hashlib.sha256(_canonical(content)).hexdigest()[:16],
        policies=policies,
        campaigns=campaigns,
        departments=departments,
        scripts=scripts,
        house=house,
        content=json.loads(_canonical(content)),
    )


def _problem(file: File, key: Key, why: str) -> Problem:
    where, line = file.place(key)
    return Problem(where, line, ".".join(map(str, key)) or "-", why)


def _canonical(content: Mapping[str, Any]) -> bytes:
    return json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str
    ).encode()


def _policies(files: Sequence[File], problems: list[Problem]) -> dict[str, Policy]:
    by_name = {file.name: file for file in files}
    found: dict[str, Policy] = {}
    for name, own in by_name.items():
        file = _extended(own, by_name, problems, (name,))
        policy = _model(Policy, file, file.data, problems, name)
        if policy is not None:
            found[name] = policy
    return found


def _extended(
    file: File, by_name: Mapping[str, File], problems: list[Problem], chain: tuple[str, ...]
) -> File:
    """The file on top of what it extends."""
    if not isinstance(file.data, dict) or "extends" not in file.data:
        return file
    base = str(file.data["extends"])
    own = {key: value for key, value in file.data.items() if key != "extends"}
    if base not in by_name or base in chain:
        why = "extends itself" if base in chain else f"there is no {file.kind} {base!r}"
        problems.append(_problem(file, ("extends",), why))
        return replace(file, data=own)
    parent = _extended(by_name[base], by_name, problems, (*chain, base))
    data = merged(parent.data, own) if isinstance(parent.data, dict) else own
    return replace(file, data=data, base=parent)


def _departments(files: Sequence[File], problems: list[Problem]) -> dict[str, Department]:
    found: dict[str, Department] = {}
    for file in files:
        if file.kind != "departments":
            continue
        for name, data in file.data.items() if isinstance(file.data, dict) else ():
            department = _model(Department, file, data, problems, None, (name,))
            if department is not None:
                found[name] = department
    return found


def _house(files: Sequence[File], problems: list[Problem]) -> House:
    file = next((file for file in files if file.kind == "house"), None)
    found = None if file is None else _model(House, file, file.data, problems, None)
    return found or House()


def _model(
    model: type[M],
    file: File,
    data: Any,
    problems: list[Problem],
    name: str | None,
    under: Key = (),
) -> M | None:
    """The document as its model; what is wrong goes to the problems."""
    if isinstance(data, dict) and name is not None:
        if data.get("name", name) != name:
            problems.append(_problem(file, ("name",), f"should be {name!r}, as the file"))
        data = {"name": name, **data}
    try:
        return model.model_validate(data)
    except ValidationError as error:
        for one in error.errors():
            key = (*under, *(part for part in one["loc"] if part != "[key]"))
            problems.append(_problem(file, key, _why(one, model)))
        return None


def _why(error: Any, model: type[Document]) -> str:
    """A validation error as a sentence that says what would be right."""
    loc = error["loc"]
    match error["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            known = _fields_at(model, loc[:-1])
            close = difflib.get_close_matches(str(loc[-1]), known, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}"
            return f"is not a known key; {hint}"
        case "value_error":
            return str(error["ctx"]["error"])
        case "enum" | "literal_error":
            return f"{error['input']!r} is none of {error['ctx']['expected']}"
        case _:
            return f"{error['msg'][0].lower()}{error['msg'][1:]}, not {error['input']!r}"


def _fields_at(model: type[Document], loc: Iterable[Any]) -> list[str]:
    """The keys that may stand at a place of a model."""
    schema = model.model_json_schema(by_alias=True)
    here: Any = schema
    for part in loc:
        here = _resolved(here, schema)
        if isinstance(part, int):
            here = here.get("items", {})
        else:
            here = here.get("properties", {}).get(part) or here.get("additionalProperties", {})
        if not isinstance(here, dict):
            return []
    return sorted(_resolved(here, schema).get("properties", {}))


def _resolved(node: Any, schema: Any) -> Any:
    if "$ref" in node:
        return schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
    for option in node.get("anyOf", ()):
        if "$ref" in option:
            return _resolved(option, schema)
    return node


def _cross(  # noqa: C901, PLR0912 - one list of cases
    file: File,
    campaign: Campaign,
    policies: Mapping[str, Policy],
    departments: Mapping[str, Department],
    scripts: Mapping[str, str],
) -> list[Problem]:
    """What one file alone cannot show."""
    found: list[Problem] = []

    def wrong(why: str, *key: str | int) -> None:
        found.append(_problem(file, key, why))

    policy = policies.get(campaign.policy)
    if policy is None:
        wrong(f"there is no policy {campaign.policy!r}; there are {', '.join(policies)}", "policy")
    else:
        if campaign.ring_seconds < policy.ring.min_ring_seconds:
            least = policy.ring.min_ring_seconds
            wrong(f"the policy asks for at least {least}", "ring_seconds")
        most = policy.frequency.call_back_tolerance_minutes
        if campaign.call_backs.tolerance_minutes > most:
            wrong(f"the policy allows at most {most}", "call_backs", "tolerance_minutes")
        stranger = campaign.segment in (Segment.KANVAS, Segment.LEADS)
        if policy.gifts.restricted and stranger and campaign.purpose is Purpose.RECRUIT_GIFT:
            wrong("a stranger may not be recruited and asked for a gift in one call", "purpose")
    if campaign.department not in departments:
        known = ", ".join(departments)
        wrong(f"there is no department {campaign.department!r}; there are {known}", "department")
    if campaign.script not in scripts:
        wrong(f"there is no scripts/{campaign.script}", "script")
    else:
        for name in re.findall(r"\{(\w+)\}", scripts[campaign.script]):
            if name not in MERGE_FIELDS and name not in campaign.columns:
                hint = "name it under columns"
                wrong(f"the script's {{{name}}} is no known merge field; {hint}", "script")
    for key, outcome in campaign.outcomes.items():
        match outcome.does:
            case Effect.CALL_BACK if Ask.AT not in outcome.asks:
                wrong("a call-back asks for `at`", "outcomes", key, "asks")
            case Effect.SUPPRESS if outcome.scope is None:
                wrong("is missing: how far the suppression reaches", "outcomes", key, "scope")
            case Effect.NOT_NOW if outcome.rest_days is None:
                wrong("is missing: how long to rest", "outcomes", key, "rest_days")
            case Effect.RETRY if outcome.retry_as not in campaign.retry:
                wrong("should be a cause that `retry` has a rule for", "outcomes", key, "retry_as")
    return found
