"""PostgreSQL's own programs, pg_dump and pg_restore."""

import shutil
import subprocess
import tempfile

from sqlalchemy import URL, make_url

from callserver.errors import ConfigurationProblem


def run(program: str, url: str, *words: str) -> None:
    """Run one of them on this database. The password goes through a file, not through the command."""
    if shutil.which(program) is None:
        raise ConfigurationProblem(f"{program} is missing (apt-get install postgresql-client)")
    parsed = make_url(url)
    # Readable only by the owner.
    with tempfile.NamedTemporaryFile("w", prefix="callserver-") as passwords:
        escaped = str(parsed.password or "").replace("\\", "\\\\").replace(":", "\\:")
        passwords.write(f"*:*:*:*:{escaped}\n")
        passwords.flush()
        # `URL.set` takes None for "as it is", and a hidden password is written as three asterisks.
        place = (parsed.host, parsed.port, parsed.database, parsed.query)
        plain = URL.create("postgresql", parsed.username, None, *place)
        target = plain.update_query_dict({"passfile": passwords.name}).render_as_string()
        done = subprocess.run(  # noqa: S603 - one of two programs, never a shell
            [program, f"--dbname={target}", *words], capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise ConfigurationProblem(f"{program}: {done.stderr.strip()[-400:]}")
