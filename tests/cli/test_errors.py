"""What goes wrong is said in a sentence, and nothing is half done."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Run
from tests.harness.databases import reading_only


@pytest.mark.parametrize(
    "words",
    [
        ("why", "32123456"),
        ("explain", "32123456"),
        ("import", "kanvas", "people.csv"),
        ("rules", "diff"),
        ("suppress", "export"),
        ("person", "access", "32123456", "answers"),
        ("audit", "receipt", "32123456", "receipts"),
        ("cases", "open", "complaint", "--by", "mads"),
    ],
)
def test_a_language_that_is_not_spoken_is_refused(run: Run, words: tuple[str, ...]) -> None:
    result = run(*words, "--language", "xx")
    assert (result.returncode, result.stderr.splitlines()[-1]) == (
        2,
        "callserver: --language 'xx': should be da or en",
    )


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "mysql://a:hidden@b/c",
        "postgresql://a:hidden@127.0.0.1:1/c",
        "postgresql+psycopg://a:hidden@127.0.0.1:port/c",
        "postgresql+asyncpg://a:hidden@127.0.0.1:1/c",
    ],
)
def test_a_database_that_is_not_there_is_one_sentence(run: Run, url: str) -> None:
    result = run("migrate", CALLSERVER_DATABASE=url)
    assert result.returncode == 2
    assert "database" in result.stderr.lower()
    assert "Traceback" not in result.stderr
    assert "hidden" not in result.stderr


def test_a_number_that_is_none_is_repeated_with_the_reason(run: Run) -> None:
    said = run("suppress", "add", "32123456", "12345678").stderr
    assert "'12345678': This telephone number does not exist." in said


@pytest.mark.parametrize(
    "words",
    [
        ("suppress", "add", "32200001"),
        ("user", "add", "lea", "--role", "leader"),
        ("declare-restore",),
        ("why", "32200001"),
    ],
)
def test_a_database_that_only_reads_is_named_in_a_sentence(
    run: Run, postgres_url: str, words: tuple[str, ...]
) -> None:
    with reading_only(postgres_url):
        done = run(*words, CALLSERVER_DATABASE=postgres_url)
    assert done.returncode == 2, done.stderr
    assert "the database cannot be used: cannot execute" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_cannot_be_made_is_an_error_in_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("schema", "file/below")
    assert (done.returncode, done.stderr) == (2, "callserver: file/below: Not a directory\n")


def test_a_full_disk_is_an_error_in_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("navn;telefon\nAne Prove;32200001\nBo Prove;x\n")
    done = run("import", "kanvas", "list.csv", "--refused", "/dev/full")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        2,
        "callserver: a file, or what the command says, cannot be written: No space left on device",
    )
    assert "Traceback" not in done.stderr
    assert "Ane Prove" not in run("export", "contacts", "kanvas").stdout


def test_an_argument_in_another_encoding_is_an_error_in_one_line(run: Run) -> None:
    done = run("user", "off-board", os.fsdecode(b"S\xf8ren"))
    assert (done.returncode, done.stderr) == (2, "callserver: 'S\\udcf8ren': is not UTF-8\n")


def test_words_for_the_log_in_another_encoding_are_an_error_in_one_line(run: Run) -> None:
    done = run("suppress", "export", "--by", os.fsdecode(b"S\xf8ren"))
    assert (done.returncode, done.stderr) == (2, "callserver: 'S\\udcf8ren': is not UTF-8\n")


@pytest.mark.parametrize(
    "words",
    [
        ("suppress", "add", "--contact"),
        ("notice", "show", "--by", "mads"),
        ("audit", "show", "--contact"),
    ],
)
def test_a_number_larger_than_any_that_is_stored_is_an_error_in_one_line(
    run: Run, words: tuple[str, ...]
) -> None:
    run("user", "add", "mads", "--role", "administrator")
    done = run(*words, "9" * 20)
    assert done.returncode == 2
    assert done.stderr.startswith("callserver: a number or a date is too large")
    assert "Traceback" not in done.stderr


def test_a_list_may_be_named_in_another_encoding(run: Run, tmp_path: Path) -> None:
    for name in (b"f\xf8rste.csv", b"m\xe5 ikke ringes.csv"):
        (tmp_path / os.fsdecode(name)).write_text("navn;telefon\nAne Prove;32200001\n")
    done = run("import", "kanvas", os.fsdecode(b"f\xf8rste.csv"))
    assert done.returncode == 0, done.stderr
    assert "»første«" in run("export", "contacts", "kanvas").stdout
    done = run("import", "kanvas", os.fsdecode(b"m\xe5 ikke ringes.csv"))
    assert (done.returncode, "'må ikke ringes'" in done.stderr) == (2, True)


@pytest.mark.parametrize("words", [("why", "32200001"), ("export", "contacts", "kanvas")])
def test_a_terminal_of_another_encoding_breaks_nothing_off(
    run: Run, tmp_path: Path, words: tuple[str, ...]
) -> None:
    (tmp_path / "list.csv").write_text("navn;telefon\nŁucja Prøve;32200001\n", "utf-8")
    assert run("import", "kanvas", "list.csv").returncode == 0
    environment = {
        **os.environ,
        "CALLSERVER_CONFIG": str(ROOT / "config"),
        "CALLSERVER_DATABASE": f"sqlite:///{tmp_path}/c.db",
        "CALLSERVER_KEY": "a key for the tests alone",
        "PYTHONIOENCODING": "ascii",
    }
    command = [sys.executable, "-m", "callserver", *words]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120, env=environment)
    assert done.returncode == 0, done.stderr
    if words[0] == "export":  # a file is the same on every terminal
        assert "Łucja Prøve" in done.stdout.decode()


@pytest.mark.parametrize(
    ("words", "returned"),
    [
        ("audit export >&-", 0),
        ("suppress export >&-", 0),
        ("survey decision 2026-Q2 --by lea <&-", 2),
    ],
)
def test_a_stream_that_is_closed_ends_in_no_traceback(
    run: Run, tmp_path: Path, words: str, returned: int
) -> None:
    run("suppress", "add", "32200001")
    environment = {
        **os.environ,
        "CALLSERVER_CONFIG": str(ROOT / "config"),
        "CALLSERVER_DATABASE": f"sqlite:///{tmp_path}/c.db",
        "CALLSERVER_KEY": "a key for the tests alone",
    }
    command = ["sh", "-c", f"exec {sys.executable} -m callserver {words}"]
    done = subprocess.run(
        command, stderr=subprocess.PIPE, text=True, check=False, timeout=120, env=environment
    )
    assert (done.returncode, "Traceback" in done.stderr) == (returned, False), done.stderr
