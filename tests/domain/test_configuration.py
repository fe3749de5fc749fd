"""Configuration files: every problem at once, with its place; and the shipped ones are well."""

import re
import shutil
from datetime import date
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from callserver.adapters import yaml_files
from callserver.adapters.config_folder import load
from callserver.domain import json_schema
from callserver.domain.campaign import Campaign
from callserver.domain.configuration import Configuration, compose
from callserver.domain.policy import Policy
from callserver.domain.training_rules import Level

CONFIG = Path(__file__).parents[2] / "config"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CONFIG, tmp_path / "config"))


ALIASES = b"{a0: &a0 [x,x,x,x,x,x,x,x,x], " + b", ".join(
    b"a%d: &a%d [%s]" % (n, n, b",".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 9)
)
"""A few hundred bytes that would expand to 9⁹ values."""


def problems(folder: Path) -> list[str]:
    composed = compose(yaml_files.parse(yaml_files.read_folder(folder)))
    return [] if isinstance(composed, Configuration) else [str(problem) for problem in composed]


def change(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text("utf-8")
    assert old in text, f"{old} is not in {name}"
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_the_shipped_configuration_is_well() -> None:
    composed = compose(yaml_files.parse(yaml_files.read_folder(CONFIG)))
    assert isinstance(composed, Configuration)
    assert set(composed.campaigns) == {"kanvas", "leads", "opgradering", "lapsed", "afmeldte"}
    assert len(composed.policies) == 16
    for policy in composed.policies.values():
        for block in ("hours", "numbers", "frequency", "register_rule", "consent", "gifts"):
            assert getattr(policy, block).source
            assert getattr(policy, block).checked.year >= 2026


@pytest.mark.parametrize(
    ("name", "old", "new", "line", "said"),
    [
        (
            "policies/dk.yaml",
            'mon: ["09:00-21:00"]',
            'mon: ["12:00–12:00"]',
            8,
            "is empty",
        ),
        ("policies/dk.yaml", "per_day: 2", "per_dag: 2", 24, "did you mean 'per_day'?"),
        ("policies/dk.yaml", '"06-05"', '"06-35"', 15, "is not a day"),
        ("campaigns/kanvas.yaml", "department: nord", "department: vest", 9, "no department"),
        ("campaigns/kanvas.yaml", "segment: KANVAS", "segment: KANVAZ", 7, "is not one of"),
        ("campaigns/kanvas.yaml", "script: kanvas.md", "script: nope.md", 12, "no scripts/nope.md"),
        (
            "campaigns/kanvas.yaml",
            'label: {da: "Bliver medlem", en: "Becomes a member"}',
            'label: {da: "Bliver medlem"}',
            15,
            "is missing",
        ),
        ("campaigns/_common.yaml", "policy: dk", "policy: atlantis", 3, "no policy 'atlantis'"),
        (
            "campaigns/kanvas.yaml",
            "purpose: RECRUIT",
            "purpose: RECRUIT+GIFT",
            8,
            "with no relation to us",
        ),
        ("campaigns/leads.yaml", "priority: 5", "priority: 5\npriority: 6", 12, "stands twice"),
        ("campaigns/leads.yaml", "name: leads", "name: [leads", 3, "is not YAML"),
        ("scripts/kanvas.md", "{name}", "{nme}", 12, "not a known merge field"),
        ("books/law.da.md", "reviewed: 2026-11-23", "reviewed: some day", 3, "date"),
        ("books/law.da.md", "reviewed:", "read:", 3, "is not a known key"),
        ("books/law.en.md", "---\n", "", 1, "a head between two lines of ---"),
        ("campaigns/_common.yaml", "{source}", "{sorce}", 76, "not a known merge field"),
        ("policies/dk.yaml", "calendars: [DK]", "calendars: [dk]", 13, "no calendar of 'dk'"),
        ("policies/dk.yaml", "regions: [DK]", "regions: [Danmark]", 19, "write a country like DK"),
        ("policies/dk.yaml", "regions: [DK]", "regions: []", 19, "at least one"),
        (
            "policies/dk.yaml",
            "regions: [DK]",
            "regions: [DK]\n  kinds: [emergency]",
            20,
            "never called",
        ),
        (
            "policies/dk.yaml",
            "regions: [DK]",
            "regions: [DK]\n  kinds: [corporate]",
            20,
            "should name ordinary as well",
        ),
        ("policies/dk.yaml", "per_day: 2", "per_day: true", 24, "should be a whole number"),
        ("policies/dk.yaml", "per_day: 2", 'per_day: "2"', 24, "should be a whole number"),
        ("policies/dk.yaml", "per_day: 2", "per_day:", 24, "has no value; for none, write null"),
        ("policies/dk.yaml", "respected: true", "respected: yes", 32, "true or false, not 'yes'"),
        ("policies/dk.yaml", '"12-24"', '"W12-3"', 15, "is not a day"),
        ("policies/dk.yaml", "calendars: [DK]", "calendars: DK", 13, "should be a list"),
        ("policies/dk.yaml", "checked: 2026-11-23", "checked: 2026-13-01", 6, "should be a date"),
        ("policies/dk.yaml", "until: 2030", "until: 20300", 14, "at most 2100"),
        (
            "policies/dk.yaml",
            "  calendar_checked_until",
            '  before_holiday: ["10:00-12:00", "11:00-13:00"]\n  calendar_checked_until',
            14,
            "overlaps",
        ),
        (
            "policies/dk.yaml",
            'mon: ["09:00-21:00"]',
            "mon: [[1260, 540]]",
            8,
            "write it like 09:00-21:00",
        ),
        (
            "policies/dk.yaml",
            "mode: not_needed",
            "mode: not_needed\n  proof: true",
            37,
            "would say nothing",
        ),
        ("campaigns/kanvas.yaml", "+4532123400", "+4513123400", 10, "not a number to display"),
        ("campaigns/kanvas.yaml", "does: done", "does: refused\n    rest_days: 9", 18, "nothing"),
        ("campaigns/kanvas.yaml", "does: done", "does: suppress\n    scope: hash", 18, "org"),
        ("policies/dk.yaml", "gap_hours: 4", "gap_hours: 99999999", 23, "at most"),
        (
            "campaigns/_common.yaml",
            "busy: {after_minutes: 240",
            "busy: {after_minutes: 99999999999",
            9,
            "at most",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place(
    folder: Path, name: str, old: str, new: str, line: int, said: str
) -> None:
    change(folder, name, old, new)
    reported = problems(folder)
    assert reported
    assert any(said in problem and f":{line}: " in problem for problem in reported), reported


def test_a_book_stands_in_both_languages(folder: Path) -> None:
    (folder / "books" / "law.en.md").unlink()
    assert any("no books/law.en.md" in problem for problem in problems(folder))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("policies/dk.yaml", b"title: \xe6", "is not UTF-8"),
        ("policies/dk.yaml", b"title: \x01", "is not YAML"),
        ("policies/dk.yaml", b"title: &a [*a]", "*a is an alias: write the value itself"),
        ("policies/dk.yaml", b"title: !!bool x", "tag:yaml.org,2002:bool is a tag"),
        ("policies/dk.yaml", b"title: !!timestamp x", "is a tag: write the value as it is"),
        ("policies/dk.yaml", b"title: !!float 1" + b":1" * 9000, "is a tag"),
        ("policies/dk.yaml", b"title: !!int ''", "is a tag"),
        ("books/law.da.md", b"---\ntitle: !!bool x\n---\n", "is a tag"),
        ("policies/dk.yaml", b"<<: {title: x}", "<<"),
        ("policies/dk.yaml", ALIASES, "*a0 is an alias: write the value itself"),
        ("policies/dk.yaml", b"title: " + b"[" * 21 + b"]" * 21, "is nested deeper than 20"),
        ("policies/dk.yaml", b"[" + b"1," * 10_000 + b"1]", "holds more than 10,000 values"),
        ("policies/dk.yaml", b"title: " + b"x" * 100_000, "is larger than 100 kB"),
        ("scripts/kanvas.md", b"x" * 100_001, "is larger than 100 kB"),
        ("books/law.da.md", b"---\ntitle: &a [*a]\n---\n", "*a is an alias"),
        ("policies/dk.yaml", b"title: !!int x", "is a tag"),
        ("campaigns/more.yml", b"", "should end in .yaml"),
        ("house.yml", b"", "should end in .yaml"),
        ("departments.yaml", b"- nord", "departments by name"),
        ("scripts/kanvas.md", b"\xe6", "is not UTF-8"),
        ("policies/a.yaml", b"extends: a", "extends itself"),
        ("policies/a.yaml", b"extends: nowhere", "there is no policy 'nowhere'"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    folder: Path, name: str, content: bytes, said: str
) -> None:
    (folder / name).write_bytes(content)
    reported = problems(folder)
    assert any(re.match(rf"{name}:[12]: ", problem) and said in problem for problem in reported), (
        reported
    )


def test_one_mistake_is_one_problem(folder: Path) -> None:
    """Neither the campaigns that use a broken policy nor the policies on top of it are blamed."""
    change(folder, "policies/dk.yaml", "per_day: 2", "per_day: 0")
    (problem,) = problems(folder)
    assert problem.startswith("policies/dk.yaml:24: frequency.per_day")


def test_single_dates_can_be_written(folder: Path) -> None:
    change(
        folder,
        "policies/dk.yaml",
        'closed_days: ["06-05", "12-24", "12-31"]',
        'closed_days: ["06-05", 2026-12-24]\n  dates: {2026-12-31: ["09:00-15:00"], 2027-01-02: []}',
    )
    composed = compose(yaml_files.parse(yaml_files.read_folder(folder)))
    assert isinstance(composed, Configuration)
    hours = composed.policies["dk"].hours
    assert hours.closed_days == ("06-05", "2026-12-24")
    assert hours.dates == {date(2026, 12, 31): ((540, 900),), date(2027, 1, 2): ()}


@pytest.mark.parametrize(("number", "well"), [("+4570123456", True), ("+4590123456", False)])
def test_a_number_that_is_shown_costs_no_more_than_others(
    folder: Path, number: str, well: bool
) -> None:
    change(folder, "campaigns/kanvas.yaml", "+4532123400", number)
    assert (not problems(folder)) == well


def test_a_name_is_not_inherited(folder: Path) -> None:
    (folder / "policies" / "dk_mine.yaml").write_text("extends: dk\n")
    assert not problems(folder)


def test_the_schemas_fit_the_shipped_files() -> None:
    for kind, model in (("policies", Policy), ("campaigns", Campaign)):
        validator = Draft202012Validator(json_schema.schema(model))
        for path in sorted((CONFIG / kind).glob("*.yaml")):
            data = yaml_files.read_yaml(kind, path.read_bytes(), path.stem, path.name).data
            assert not list(validator.iter_errors(data)), path
            for broken in ({**data, "nonsense": 1}, {**data, "title": 5}):
                assert list(validator.iter_errors(broken)), path


def test_the_schema_asks_a_whole_file_for_every_key() -> None:
    validator = Draft202012Validator(json_schema.schema(Policy))
    whole = yaml_files.read_yaml(
        "policy", (CONFIG / "policies" / "dk.yaml").read_bytes(), "dk", "dk.yaml"
    ).data
    assert list(validator.iter_errors({**whole, "hours": {}}))
    assert list(validator.iter_errors({key: whole[key] for key in whole if key != "hours"}))


@pytest.mark.parametrize(
    ("name", "broken", "said"),
    [
        ("campaigns/kanvas.yaml", b"a: 1\nb: \xe6\n", "kanvas.yaml:2: -: is not UTF-8"),
        ("scripts/kanvas.md", b"# a\n\n\xe6", "kanvas.md:3: -: is not UTF-8"),
        ("campaigns/kanvas.yaml", b"a: 1\n\0", "kanvas.yaml:2: -: is not YAML"),
        ("campaigns/kanvas.yaml", "a: ææææ\n\0\n\n\n".encode(), "kanvas.yaml:2: -: is not YAML"),
        ("campaigns/kanvas.yaml", b"a: &a [*a]", "*a is an alias"),
        ("campaigns/kanvas.yaml", b"a: " + b"[" * 900, "nested deeper"),
        ("campaigns/kanvas.yaml", b"a: " + b"[" * 3000, "maximum nesting depth"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_once(
    folder: Path, name: str, broken: bytes, said: str
) -> None:
    """A document that refers to it is not reported."""
    (folder / name).write_bytes(broken)
    reported = problems(folder)
    assert len(reported) == 1, reported
    assert said in reported[0]


def test_all_at_once_and_nothing_half(folder: Path) -> None:
    change(folder, "policies/dk.yaml", "per_day: 2", "per_day: zero")
    change(folder, "campaigns/kanvas.yaml", "department: nord", "department: vest")
    change(folder, "campaigns/leads.yaml", "caller_id:", "callerid:")
    reported = problems(folder)
    assert {problem.partition(":")[0] for problem in reported} >= {
        "policies/dk.yaml",
        "campaigns/kanvas.yaml",
        "campaigns/leads.yaml",
    }


def test_the_revision_follows_the_content(folder: Path) -> None:
    def revision() -> str:
        composed = compose(yaml_files.parse(yaml_files.read_folder(folder)))
        assert isinstance(composed, Configuration)
        return composed.revision

    before = revision()
    assert revision() == before
    change(folder, "scripts/kanvas.md", "Goddag", "Hej")
    assert revision() != before


def test_plain_words_stay_words(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("no: on\ntime: 09:00\nreal: true\n")
    assert yaml_files.read_yaml("x", path.read_bytes(), "a", "a").data == {
        "no": "on",
        "time": "09:00",
        "real": True,
    }


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("notice_days: 42", "notice_days: 14", 6, "42"),
        ("phoner_told: after", "phoner_told: never", 8, "is not one of"),
        ("phoner_told: after", "phoners_told: after", 8, "did you mean 'phoner_told'?"),
        ("notified_from: 2026-03-01", "notified_from: soon", 5, "date"),
        ("listening:", "listenings:", 2, "did you mean 'listening'?"),
    ],
)
def test_the_organisations_own_rules(
    folder: Path, old: str, new: str, line: int, said: str
) -> None:
    change(folder, "house.yaml", old, new)
    reported = problems(folder)
    assert any(
        problem.startswith(f"house.yaml:{line}:") and said in problem for problem in reported
    ), reported


def test_without_an_organisation_file_nobody_may_listen(folder: Path) -> None:
    (folder / "house.yaml").unlink()
    composed = compose(yaml_files.parse(yaml_files.read_folder(folder)))
    assert isinstance(composed, Configuration)
    assert composed.organisation.listening is None


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("working_days: 5", "working_days: 0", 4, "at least 1"),
        ("most_days: 30", "most_days: 60", 5, "at most 30"),
        ("calendar: DK", "calendar: XX", 6, "no calendar"),
        ("12-31", "13-31", 7, "not a day"),
        ("Siden den {date}", "Siden den {dato}", 15, "{dato} is not a known placeholder"),
        ("on {number}. This", "on {. This", 25, "is not a known placeholder"),
    ],
)
def test_the_texts_and_deadlines_of_cases(
    folder: Path, old: str, new: str, line: int, said: str
) -> None:
    change(folder, "cases.yaml", old, new)
    reported = problems(folder)
    assert any(
        problem.startswith(f"cases.yaml:{line}:") and said in problem for problem in reported
    ), reported


def test_without_a_file_cases_have_their_deadlines_and_no_texts(folder: Path) -> None:
    (folder / "cases.yaml").unlink()
    composed = compose(yaml_files.parse(yaml_files.read_folder(folder)))
    assert isinstance(composed, Configuration)
    assert (composed.cases.working_days, composed.cases.receipts) == (5, {})


def test_a_document_that_is_no_book_is_named_with_file_line_and_key(folder: Path) -> None:
    path = folder / "training.yaml"
    text = path.read_text("utf-8").replace("read: [isobro,", "read: [isobrow,")
    path.write_text(text, "utf-8")
    line = next(n for n, text_line in enumerate(text.splitlines(), 1) if "isobrow" in text_line)
    (problem,) = problems(folder)
    assert problem.startswith(f"training.yaml:{line}: levels.second.read.0: ")
    assert "no book 'isobrow' in books/" in problem


def test_without_a_file_every_book_but_the_values_is_signed(folder: Path) -> None:
    (folder / "training.yaml").unlink()
    rules = load(folder).training
    assert {"ethics", "law", "isobro"} < set(rules.documents_of(Level.FIRST))
    assert "values" not in rules.named


def test_a_version_follows_from_the_text_in_every_language(folder: Path) -> None:
    before = load(folder).documents
    path = folder / "books" / "ethics.en.md"
    path.write_text(path.read_text("utf-8").replace("reviewed: 2026-11-23", "reviewed: 2026-11-24"))
    assert load(folder).documents == before
    path.write_text(path.read_text("utf-8") + "\nSay thanks.\n")
    after = load(folder).documents
    assert {key for key in after if after[key] != before[key]} == {"ethics"}
