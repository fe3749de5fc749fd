"""What the command costs before it does anything: processor time of whole processes, in turn."""

import resource
import statistics
import subprocess
import sys

from tests.bench.measuring import Figure

HELP = ("-m", "callserver", "--help")
PEER = ("-c", "import sqlalchemy, starlette.applications, typer")
RUNS = 5
MOST = 1.2


def starting() -> list[Figure]:
    """`callserver --help` beside importing the libraries that every command works with."""
    pairs = [(cpu_ms(*HELP), cpu_ms(*PEER)) for _ in range(RUNS + 1)][1:]  # the first is a warm-up
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    ours, theirs = (statistics.median(times) for times in zip(*pairs, strict=True))
    return [
        Figure(
            "callserver --help, CPU",
            f"{ours:.0f} ms",
            f"imports {theirs:.0f} ms",
            f"{ratio:.2f}×",
            f"≤ {MOST}×",
            ratio <= MOST,
        )
    ]


def cpu_ms(*words: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return 1000 * used
