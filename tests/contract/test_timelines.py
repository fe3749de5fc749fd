"""PostgreSQL whose timeline may not be asked for, as some hosted ones: it is used without that comparison."""

from sqlalchemy import text

from callserver.database.engines import make_engine
from tests.harness.databases import another_user

ASKED = "FUNCTION pg_control_system()"


def test_a_timeline_that_is_kept_secret_stops_nobody(postgres_url: str) -> None:
    owner = make_engine(postgres_url)
    with owner.begin() as tx:
        tx.execute(text(f"REVOKE EXECUTE ON {ASKED} FROM PUBLIC"))
    try:
        with another_user(postgres_url, "SELECT") as url:
            engine = make_engine(url)
            with engine.connect() as tx:
                assert tx.execute(text("SELECT count(*) FROM calls")).scalar() == 0
            engine.dispose()
    finally:
        with owner.begin() as tx:
            tx.execute(text(f"GRANT EXECUTE ON {ASKED} TO PUBLIC"))
        owner.dispose()
