"""A PostgreSQL database that does not keep texts as UTF-8 is told in a sentence, and used by nobody."""

from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, make_url, text

from tests.harness.places import Place


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_of_another_encoding_is_told(
    tmp_path: Path, postgres: str, encoding: str
) -> None:
    """PostgreSQL makes such a one where the machine has no locale."""
    name = f"encoded_{encoding.lower()}"
    owner = create_engine(postgres, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with owner.connect() as connection:
        locale = "LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        connection.execute(text(f"CREATE DATABASE {name} ENCODING '{encoding}' {locale}"))
    url = make_url(postgres).set(database=name).render_as_string(hide_password=False)
    place = Place(tmp_path, url)
    for said in (place.run("migrate").stderr, place.run("check", "--deep").stdout):
        assert f"the encoding is {encoding}, and must be UTF8" in said
    with owner.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name}"))
