"""A PostgreSQL user that may not write a table: a database that cannot be used, with 503 instead of 500.

It happens when somebody restores a database as another user, and a person who calls back meanwhile hears a
sentence instead of the carrier's error.
"""

from pathlib import Path

import pytest
from sqlalchemy import text

from callserver.database.store import open_store
from callserver.database.unavailable import UNAVAILABLE
from callserver.ports import Tx
from tests.harness.databases import another_user
from tests.harness.places import Place

NUMBER = "+4532200001"


def counts(tx: Tx) -> object:
    return tx.execute(text("SELECT count(*) FROM suppressions")).scalar()


async def test_every_way_into_the_store_says_that_the_database_cannot_be_used(
    postgres_url: str,
) -> None:
    with another_user(postgres_url) as url:
        store = open_store(url)
        try:
            for way in (store.read, store.run, store.peek):
                with pytest.raises(UNAVAILABLE, match="permission denied for table suppressions"):
                    await way(counts)
        finally:
            store.close()


@pytest.mark.parametrize("rights", [(), ("SELECT",)])
def test_a_command_says_so_in_a_sentence(
    tmp_path: Path, postgres_url: str, rights: tuple[str, ...]
) -> None:
    with another_user(postgres_url, *rights) as url:
        done = Place(tmp_path, url).run("suppress", "add", NUMBER)
    assert done.returncode == 2
    assert done.stderr.startswith("callserver: the database cannot be used: permission denied")
    assert done.stderr.count("\n") == 1
