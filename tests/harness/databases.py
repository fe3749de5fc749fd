"""SQLite files with every table, copied from one that was migrated once per test process."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from callserver.database import migrate
from callserver.database.engines import make_engine


@cache
def _migrated() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="callserver-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = folder / "migrated.db"
    engine = make_engine(f"sqlite:///{file}", durable=False)
    migrate.upgrade(engine)
    engine.dispose()
    return file


def sqlite_file(path: Path) -> str:
    """Create the database at this path, unless it exists; its URL."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(_migrated(), path)
    return f"sqlite:///{path}"
