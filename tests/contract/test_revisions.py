"""The revisions of the tables are known without alembic, which only a change of the tables needs."""

import subprocess
import sys

from alembic.config import Config
from alembic.script import ScriptDirectory

from callserver.database import migrate
from callserver.database.store import AnyStore


def test_each_file_begins_with_its_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate.SCRIPTS))
    scripts = ScriptDirectory.from_config(config)
    known = [script.revision for script in scripts.walk_revisions()]
    assert migrate.revisions() == known[::-1]
    assert migrate.newest() == scripts.get_current_head()


def test_a_store_has_the_newest_tables(store: AnyStore) -> None:
    assert migrate.is_current(store.engine)


def test_a_command_that_reads_imports_no_alembic() -> None:
    loaded = "import sys, callserver.cli.why; sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", loaded], check=False).returncode == 0
