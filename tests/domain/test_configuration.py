"""Configuration files: every problem at once, with its place; and the shipped ones are well."""

import shutil
from pathlib import Path

import pytest

from callserver.adapters import files
from callserver.domain.configuration import Configuration, compose

CONFIG = Path(__file__).parents[2] / "config"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CONFIG, tmp_path / "config"))


def problems(folder: Path) -> list[str]:
    found = compose(files.read_folder(folder))
    return [] if isinstance(found, Configuration) else [str(one) for one in found]


def change(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text("utf-8")
    assert old in text, f"{old} is not in {name}"
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_the_shipped_configuration_is_well() -> None:
    found = compose(files.read_folder(CONFIG))
    assert isinstance(found, Configuration)
    assert set(found.campaigns) == {"kanvas", "leads", "opgradering", "lapsed", "afmeldte"}
    assert len(found.policies) == 16
    for policy in found.policies.values():
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
        ("policies/dk.yaml", '"06-05"', '"06-35"', 15, "is no day"),
        ("campaigns/kanvas.yaml", "department: nord", "department: vest", 9, "no department"),
        ("campaigns/kanvas.yaml", "segment: KANVAS", "segment: KANVAZ", 7, "is none of"),
        ("campaigns/kanvas.yaml", "script: kanvas.md", "script: nope.md", 12, "no scripts/nope.md"),
        (
            "campaigns/kanvas.yaml",
            'label: {da: "Bliver medlem", en: "Becomes a member"}',
            'label: {da: "Bliver medlem"}',
            15,
            "is missing",
        ),
        ("campaigns/_common.yaml", "policy: dk", "policy: atlantis", 3, "no policy 'atlantis'"),
        ("campaigns/kanvas.yaml", "purpose: RECRUIT", "purpose: RECRUIT+GIFT", 8, "stranger"),
        ("campaigns/leads.yaml", "priority: 5", "priority: 5\npriority: 6", 12, "stands twice"),
        ("campaigns/leads.yaml", "name: leads", "name: [leads", 3, "is not YAML"),
        ("scripts/kanvas.md", "{name}", "{nme}", 12, "no known merge field"),
    ],
)
def test_a_mistake_is_named_with_its_place(
    folder: Path, name: str, old: str, new: str, line: int, said: str
) -> None:
    change(folder, name, old, new)
    found = problems(folder)
    assert found
    assert any(said in one and f":{line}: " in one for one in found), found


def test_all_at_once_and_nothing_half(folder: Path) -> None:
    change(folder, "policies/dk.yaml", "per_day: 2", "per_day: zero")
    change(folder, "campaigns/kanvas.yaml", "department: nord", "department: vest")
    change(folder, "campaigns/leads.yaml", "caller_id:", "callerid:")
    found = problems(folder)
    assert {one.partition(":")[0] for one in found} >= {
        "policies/dk.yaml",
        "campaigns/kanvas.yaml",
        "campaigns/leads.yaml",
    }


def test_the_revision_follows_the_content(folder: Path) -> None:
    def revision() -> str:
        found = compose(files.read_folder(folder))
        assert isinstance(found, Configuration)
        return found.revision

    before = revision()
    assert revision() == before
    change(folder, "scripts/kanvas.md", "Goddag", "Hej")
    assert revision() != before


def test_plain_words_stay_words(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("no: on\ntime: 09:00\nreal: true\n")
    assert files.read_yaml("x", path, "a", "a").data == {"no": "on", "time": "09:00", "real": True}


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("notice_days: 42", "notice_days: 14", 6, "42"),
        ("phoner_told: after", "phoner_told: never", 8, "is none of"),
        ("phoner_told: after", "phoners_told: after", 8, "did you mean 'phoner_told'?"),
        ("notified_from: 2026-03-01", "notified_from: soon", 5, "date"),
        ("listening:", "listenings:", 2, "did you mean 'listening'?"),
    ],
)
def test_the_houses_own_rules(folder: Path, old: str, new: str, line: int, said: str) -> None:
    change(folder, "house.yaml", old, new)
    found = problems(folder)
    assert any(one.startswith(f"house.yaml:{line}:") and said in one for one in found), found


def test_without_a_house_file_nobody_may_listen(folder: Path) -> None:
    (folder / "house.yaml").unlink()
    found = compose(files.read_folder(folder))
    assert isinstance(found, Configuration)
    assert found.house.listening is None
