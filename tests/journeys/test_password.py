"""A database that asks for a password: PostgreSQL's own programs get it, as the server does."""

import tempfile
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.harness.places import Place
from tests.harness.replicas import cluster, run_sql

WORD = "a:long\\word"


@pytest.mark.usefixtures("postgres", "postgres_tools")
def test_a_backup_of_a_database_with_a_password(tmp_path: Path) -> None:
    """`postgres` has prepared the user."""
    with tempfile.TemporaryDirectory(prefix="pw-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        with cluster(folder / "a") as url:
            run_sql(url, f"CREATE ROLE locked LOGIN PASSWORD '{WORD}'")
            run_sql(url, "CREATE DATABASE callserver OWNER locked")
            rules = folder / "a" / "pg_hba.conf"
            rules.write_text("local all locked scram-sha-256\n" + rules.read_text())
            run_sql(url, "SELECT pg_reload_conf()")
            own = make_url(url).set(username="locked", password=WORD, database="callserver")
            place = Place(tmp_path / "place", own.render_as_string(hide_password=False))
            place.ok("suppress", "add", "32200001")
            place.ok("backup", tmp_path / "backup")
