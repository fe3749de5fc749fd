"""Spreadsheets are unpacked in a process of their own, with limits: a kilobyte may claim gigabytes.

`python -m callserver.adapters.spreadsheets [--for-calls]` reads a spreadsheet and writes CSV, or says on its
error output why it cannot. Whatever else ends that process, the server goes on.
"""

import json
import os
import resource
import subprocess
import sys

from callserver.domain import spreadsheet
from callserver.texts import InvalidInput

MOST_MEMORY = 3 * 1024**3
MOST_SECONDS = 120
"""Of processor time. A million rows of ten columns take 1.2 GB and 13 s."""

MOST_WAIT = 300
"""Seconds, on a busy machine."""

FOR_CALLS = "--for-calls"

_REFUSED = 3
"""The exit status with a reason on the error output."""


def as_csv(raw: bytes, *, for_calls: bool = False) -> bytes:
    """The only filled sheet as CSV in UTF-8; a file that is no spreadsheet is returned as it is.

    `for_calls`: its people are to be called.

    Raises:
        InvalidInput: it cannot be read, or not within the limits, or its name says that nobody may be called.
    """
    if not spreadsheet.is_spreadsheet(raw):
        return raw
    try:
        made = subprocess.run(  # noqa: S603 - this very module
            [sys.executable, "-m", __name__, *([FOR_CALLS] if for_calls else [])],
            input=raw,
            capture_output=True,
            timeout=MOST_WAIT,
            check=False,
            env={"PYTHONPATH": os.pathsep.join(sys.path)},  # the environment holds secrets
        )
    except subprocess.TimeoutExpired as error:
        raise InvalidInput("spreadsheet_heavy") from error
    if made.returncode == _REFUSED:
        reason = json.loads(made.stderr)
        raise InvalidInput(reason["key"], **reason["values"])
    if made.returncode != 0:
        raise InvalidInput("spreadsheet_heavy")
    return made.stdout


def _convert() -> int:
    """The process's exit status."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    try:
        raw, for_calls = sys.stdin.buffer.read(), FOR_CALLS in sys.argv[1:]
        sys.stdout.buffer.write(spreadsheet.as_csv(raw, for_calls=for_calls))
    except InvalidInput as error:
        key, values = error.sentence.key.removeprefix("wrong."), dict(error.sentence.values)
        sys.stderr.write(json.dumps({"key": key, "values": values}))
        return _REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(_convert())
