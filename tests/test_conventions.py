"""What the project keeps to: checked here because no tool does."""

import ast
import inspect
import re
from pathlib import Path
from typing import get_type_hints

from callserver import texts
from callserver.domain import instruction, permit, role_play
from callserver.domain import line as lines
from callserver.domain.audit import EntryKind
from callserver.domain.call import Cause
from callserver.domain.reason import Reason
from callserver.ports import Telephony
from callserver.settings import Settings, variable

ROOT = Path(__file__).parents[1]
SOURCES = [
    path
    for folder in ("callserver", "webhooks")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "migrations" not in path.parts
]


def test_permits_are_made_in_one_file() -> None:
    makers = {path.name for path in SOURCES if re.search(r"\bDialPermit\(", path.read_text())}
    assert makers == {"permit.py"}


def test_rules_are_replaced_and_not_assigned() -> None:
    """`Rules.replace` keeps the removed campaigns, whose calls go on."""
    assigning = re.compile(r"\brules\.current = ")
    assert [path.name for path in SOURCES if assigning.search(path.read_text("utf-8"))] == []


def test_own_lines_are_made_in_one_file() -> None:
    makers = {path.name for path in SOURCES if re.search(r"\bOwnLine\(", path.read_text())}
    assert makers == {"line.py"}


def test_every_order_to_ring_takes_a_permit_or_an_own_line() -> None:
    """Whatever may answer Placed orders a leg."""
    names = {**vars(instruction), **vars(lines), **vars(permit), **vars(role_play)}
    hints = {
        name: get_type_hints(act, localns=names)
        for name, act in vars(Telephony).items()
        if inspect.isfunction(act)
    }
    orders = {
        name: set(hint.values())
        for name, hint in hints.items()
        if "Placed" in str(hint.get("return"))
    }
    assert orders.keys() >= {"place", "ring_phoner", "ring_listener"}
    assert all(taken & {permit.DialPermit, lines.OwnLine} for taken in orders.values()), orders


def test_legs_are_ordered_by_telephony_alone() -> None:
    """The providers' own orders to create a leg stand in the adapters' telephony and nowhere else."""
    orders = r"calls\.create|participants\.create|/Calls\.json|\"create\""
    folders = [ROOT / "callserver" / "simulator", ROOT / "callserver" / "database"]
    ordering = {
        path.relative_to(ROOT / "callserver").as_posix()
        for path in SOURCES
        if re.search(orders, path.read_text())
        and not any(folder in path.parents for folder in folders)
    }
    assert ordering == {"adapters/twilio/telephony.py", "adapters/asterisk/telephony.py"}


def test_legs_to_end_are_remembered() -> None:
    """An order to hang up is forgotten by a server that is killed, unless the database asks for it."""
    adders = {path.name for path in SOURCES if re.search(r"add\(tx, HangUpLeg\(", path.read_text())}
    assert adders == {"legs_to_end.py"}


def test_telephony_is_told_to_place_in_one_file() -> None:
    placers = {path.name for path in SOURCES if re.search(r"telephony\.place\(", path.read_text())}
    assert placers == {"dialer.py"}


WRITING = re.compile(
    r"\b(insert|update|delete|RowUpdate)\(|\.(insert|update|delete)\(\)|\bINSERTS\b"
)


def functions_that_write(path: Path) -> set[str]:
    """Names of a database module's functions that change rows, themselves or through another."""
    texts: dict[str, str] = {}
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            texts[node.name] = ast.unparse(node)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            texts[node.targets[0].id] = ast.unparse(node)
    writing = {name for name, text in texts.items() if WRITING.search(text)}
    while more := {
        name
        for name, text in texts.items()
        if name not in writing and any(re.search(rf"\b{known}\(", text) for known in writing)
    }:
        writing |= more
    return writing


def test_the_console_reads_the_database_and_writes_through_the_engine() -> None:
    database = ROOT / "callserver" / "database"
    writing = {path.stem: functions_that_write(path) for path in database.glob("*.py")}
    assert "append" in writing["audit"]
    assert "change" in writing["accounts"]
    assert "set_status" in writing["contacts"]
    for path in SOURCES:
        if "console" not in path.parts:
            continue
        calls = re.findall(r"\b(\w+)\.(\w+)\(", path.read_text())
        written = [f"{module}.{name}" for module, name in calls if name in writing.get(module, ())]
        assert not written, f"{path.name} writes past the engine: {written}"


def test_the_clock_is_read_in_one_file() -> None:
    readers = {path.name for path in SOURCES if "datetime.now(" in path.read_text()}
    assert readers <= {"clock.py", "ticker.py"}  # the ticker speaks to APScheduler's own clock


def test_the_environment_is_read_in_one_file() -> None:
    readers = re.compile(r"os\.environ|os\.getenv")
    assert {path.name for path in SOURCES if readers.search(path.read_text())} == {"settings.py"}


def test_every_module_says_what_it_is_for_and_stays_readable() -> None:
    for path in SOURCES:
        text = path.read_text()
        assert text.lstrip().startswith('"""') or not text.strip(), f"{path.name} says nothing"
        assert text.count("\n") <= 345, f"{path.name} wants to be two"


def test_both_languages_are_whole() -> None:
    danish, english = texts.catalogue("da"), texts.catalogue("en")
    assert set(danish) == set(english)
    for key, text in danish.items():
        assert texts.names(text) == texts.names(english[key]), key
    for reason in Reason:
        assert f"reason.{reason.value}" in danish
    for cause in Cause:
        assert f"cause.{cause.value}" in danish
    for kind in EntryKind:
        assert f"kind.{kind.value}" in danish


def test_every_setting_is_documented() -> None:
    running = (ROOT / "docs" / "running.md").read_text("utf-8")
    for name in map(variable, Settings.model_fields):
        assert name in running, f"{name} is missing in docs/running.md"


def test_the_version_is_in_the_changelog() -> None:
    from callserver import __version__

    assert f"[{__version__}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")


_PATH = re.compile(
    r"`((?:callserver|webhooks|tests|scripts|docs|config|adapters|cli|console|database|domain|engine"
    r"|simulator|texts)/[a-z0-9_/.*-]*)`"
)


_MADE = {"callserver/console/assets/vendor"}
"""Not in a checkout: scripts/assets makes it."""


def test_every_path_in_a_document_exists() -> None:
    homes = (ROOT, ROOT / "callserver")
    for document in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for path in set(_PATH.findall(document.read_text("utf-8"))) - _MADE:
            assert any([*home.glob(path.rstrip("/"))] for home in homes), f"{document.name}: {path}"


_TORN = re.compile(
    r"^\s+[\])}]+[,:]?  # (?!noqa|type:)|= \(\n *\S+  # (?!noqa|type:)[^\n]+\n *\)$", re.MULTILINE
)


def test_comments_stand_before_what_they_are_about() -> None:
    """The formatter breaks a statement that its comment makes too long, and the comment ends up behind it."""
    for path in [*SOURCES, *(ROOT / "tests").rglob("*.py")]:
        torn = _TORN.search(path.read_text("utf-8"))
        assert torn is None, f"{path.relative_to(ROOT)}: {torn and torn[0].strip()}"


_OLD_NAMES = (
    *('"upkeep": "scheduler"', "`callserver upkeep`"),
    *('run("upkeep")', "'upkeep' is called", "VALUES ('upkeep'", "CALLSERVER_UPKEEP"),
)
"""What an error, the changelog and tests of old names must mention."""

_RETIRED = re.compile(
    r"\b(upkeep|stir|anew|whoever|whomever|noes|what came of|(is|are|be|was|were|been) rung)\b",
    re.IGNORECASE,
)


def test_every_row_of_a_table_is_one_line() -> None:
    """A row that is broken over two lines ends the table."""
    for document in [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]:
        prose = re.sub(r"```.*?```", "", document.read_text("utf-8"), flags=re.DOTALL)
        for line in prose.splitlines():
            assert not line.startswith("|") or line.rstrip().endswith("|"), (document.name, line)


def test_retired_words_stay_out() -> None:
    """docs/glossary.md has the words that are used instead."""
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    scripts = [
        path
        for suffix in ("js", "css", "html")
        for path in (ROOT / "callserver").rglob(f"*.{suffix}")
        if "vendor" not in path.parts
    ]
    tests = [path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)]
    for path in [*SOURCES, *documents, *scripts, *tests]:
        text = path.read_text("utf-8")
        for name in _OLD_NAMES:
            text = text.replace(name, "")
        if path in tests:
            text = text.replace("_", " ")  # names of tests are sentences
        word = _RETIRED.search(text)
        assert word is None, f"{path.relative_to(ROOT)}: {word and word[0]}"


def test_files_that_texts_name_exist() -> None:
    """A docstring, comment or document that names another file must not outlive it."""
    texts_of = [*SOURCES, *sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("*.md"))]
    known = {path.name for path in ROOT.rglob("*.py") if ".venv" not in path.parts}
    for path in texts_of:
        text = path.read_text()
        for name in re.findall(r"\(([a-z_]+\.py)\)", text):
            assert name in known, f"{path.name}: {name}"
        for name in re.findall(
            r"\b((?:engine|domain|database|console|adapters)/[a-z_/]+\.py)", text
        ):
            folders = (ROOT / "callserver", ROOT / "tests")
            assert any((folder / name).is_file() for folder in folders), f"{path.name}: {name}"
