"""A document whose text is the organisation's own PDF file: fetched, read and signed per version."""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from callserver.adapters.config_folder import load
from callserver.domain.role import Role
from callserver.errors import ConfigurationProblem
from tests.harness.simulated import ROOT
from tests.harness.staffed import Client, StaffedSystem

FILE = b"%PDF-1.7\nISOBRO, invented\n%%EOF\n"


def name_file(config: Path, content: bytes, sha256: str | None = None, key: str = "isobro") -> None:
    (config / "books" / f"{key}.pdf").write_bytes(content)
    sha256 = sha256 or hashlib.sha256(content).hexdigest()
    for language in ("da", "en"):
        path = config / "books" / f"{key}.{language}.md"
        lines = [
            line for line in path.read_text("utf-8").splitlines() if not line.startswith("pdf:")
        ]
        lines.insert(1, f"pdf: {{file: {key}.pdf, sha256: {sha256}}}")
        path.write_text("\n".join(lines) + "\n", "utf-8")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(ROOT / "config", tmp_path / "config"))
    name_file(folder, FILE)
    return folder


@pytest.fixture
def system(tmp_path: Path, config: Path) -> Iterator[StaffedSystem]:
    made = StaffedSystem(tmp_path, config=config)
    made.add_user("phoner", Role.PHONER)
    yield made
    made.close()


async def owed(client: Client) -> dict[str, Any]:
    mine = (await client.api("GET", "/training")).json()
    return next(document for document in mine["documents"] if document["key"] == "isobro")


async def test_it_is_fetched_with_safe_headers(system: StaffedSystem) -> None:
    client = await system.client("phoner")
    book = (await client.api("GET", "/training/documents/isobro")).json()
    assert book["pdf"] == "isobro.pdf"
    reply = await client.api("GET", "/books/isobro/pdf")
    assert (reply.status_code, reply.content) == (200, FILE)
    assert reply.headers["content-type"] == "application/pdf"
    assert reply.headers["content-disposition"] == 'attachment; filename="isobro.pdf"'
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in reply.headers["content-security-policy"]
    for key in ("ethics", "..", "isobro.da", "none"):
        assert (await client.api("GET", f"/books/{key}/pdf")).status_code == 404
    assert (await Client(system).api("GET", "/books/isobro/pdf")).status_code == 401


async def test_another_file_is_not_handed_out_or_signed(
    system: StaffedSystem, config: Path
) -> None:
    client = await system.client("phoner")
    document = await owed(client)
    body = {"document": "isobro", "version": document["version"]}
    (config / "books" / "isobro.pdf").write_bytes(FILE + b"changed")
    assert (await client.api("GET", "/books/isobro/pdf")).status_code == 409
    assert (await client.api("POST", "/training/signatures", body)).status_code == 409
    (config / "books" / "isobro.pdf").unlink()
    assert (await client.api("GET", "/books/isobro/pdf")).status_code == 409
    (config / "books" / "isobro.pdf").write_bytes(FILE)
    assert (await client.api("POST", "/training/signatures", body)).status_code == 200


def test_its_version_is_its_hash(config: Path) -> None:
    before = load(config)
    plain = load(ROOT / "config")
    assert before.documents["isobro"] != plain.documents["isobro"]
    assert before.documents["ethics"] == plain.documents["ethics"]
    name_file(config, FILE + b"second edition")
    after = load(config)
    assert after.documents["isobro"] != before.documents["isobro"]
    assert after.revision != before.revision


@pytest.mark.parametrize(
    ("content", "sha256", "why"),
    [
        (FILE, "0" * 64, hashlib.sha256(FILE).hexdigest()),
        (b"<html>", None, "no PDF file"),
        (FILE, "short", "sha256"),
    ],
)
def test_a_wrong_file_is_a_problem(
    config: Path, content: bytes, sha256: str | None, why: str
) -> None:
    name_file(config, content, sha256)
    with pytest.raises(ConfigurationProblem, match=rf"isobro\.da\.md(.|\n)*{why}"):
        load(config)


def test_a_missing_file_is_a_problem(config: Path) -> None:
    (config / "books" / "isobro.pdf").unlink()
    with pytest.raises(ConfigurationProblem, match=r"isobro\.en\.md(.|\n)*missing"):
        load(config)
