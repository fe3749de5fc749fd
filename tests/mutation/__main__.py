"""scripts/mutate [--sample N] [--seed N] [MODULE...]: which changes of the rules do the tests notice?

Without a module: all that tests/mutation/modules.py lists. Survivors are named with file and line.
Each module has two controls first: the unchanged module must pass, a broken one must not.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.mutation import running
from tests.mutation.equivalent import EQUIVALENT
from tests.mutation.modules import TESTS
from tests.mutation.mutants import mutants, mutated
from tests.mutation.running import Outcome
from tests.mutation.warm import Warm

ROOT = Path(__file__).parents[2]
COPIED = ("callserver", "webhooks", "config", "docs", "tests", "pyproject.toml", "README.md")
BROKEN = '\nraise RuntimeError("the control that must be noticed")\n'
LONGEST = 120
"""Seconds of the processor that all tests of one module may take."""


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("modules", nargs="*", metavar="MODULE", help=", ".join(TESTS))
    words.add_argument("--sample", type=int, help="this many of each module's mutants")
    words.add_argument("--seed", type=int, default=1)
    asked = words.parse_args()
    if unknown := sorted(set(asked.modules) - set(TESTS)):
        words.error(f"there is no module {', '.join(unknown)}: {', '.join(TESTS)}")
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name)
        for part in COPIED:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy / part)
        os.chdir(copy)
        sys.path[:] = [str(copy), *(path for path in sys.path if Path(path or ".") != ROOT)]
        for loaded in [name for name in sys.modules if name.partition(".")[0] in running.OWN]:
            if not loaded.startswith("tests.mutation"):
                del sys.modules[loaded]
        sys.modules.pop("tests", None)
        total = Counter[Outcome]()
        for module in asked.modules or TESTS:
            total += tested(copy, module, asked.sample, asked.seed)
    print(f"all: {score(total)}")
    return 1 if total[Outcome.SURVIVED] or total[Outcome.NOT_LOADED] else 0


def tested(copy: Path, module: str, sample: int | None, seed: int) -> Counter[Outcome]:
    """Every mutant of a module, one after another."""
    path, files = copy / f"{module.replace('.', '/')}.py", TESTS[module]
    source = path.read_text("utf-8")
    every = mutants(source)
    chosen = (
        every
        if sample is None
        else sorted(
            random.Random(seed).sample(every, min(sample, len(every))),
            key=lambda mutant: mutant.line,
        )
    )
    running.load_libraries(files)
    counts = Counter[Outcome]()
    began = time.monotonic()
    warm = Warm(path, files)
    try:
        running.write(path, source + BROKEN, "broken")
        if running.run(module, "broken", files, LONGEST) is not Outcome.KILLED:
            raise SystemExit(f"{module}: a broken module is not noticed")
        left = set(EQUIVALENT.get(module, {}))
        for number, mutant in enumerate(chosen):
            text = mutated(source, mutant)
            change = changed_line(source, text)
            if change in EQUIVALENT.get(module, {}):
                left.discard(change)
                outcome = Outcome.EQUIVALENT
            elif (outcome := warm.outcome(text)) is Outcome.NOT_LOADED:
                running.write(path, text, str(number))
                outcome = running.run(module, str(number), files, LONGEST)
            counts[outcome] += 1
            if outcome in (Outcome.SURVIVED, Outcome.NOT_LOADED):
                print(
                    f"  {outcome.value}: {module}:{mutant.line}: {' -> '.join(change)}", flush=True
                )
        if sample is None and left:
            raise SystemExit(f"{module}: tests/mutation/equivalent.py names no mutant: {left}")
    finally:
        warm.end()
        path.write_text(source, "utf-8")
    seconds = time.monotonic() - began
    print(f"{module}: {score(counts)}, of {len(every)} mutants, in {seconds:.0f} s", flush=True)
    return counts


def changed_line(before: str, after: str) -> tuple[str, str]:
    """The first line that differs, as it was and as it is."""
    for old, new in zip(before.splitlines(), after.splitlines(), strict=False):
        if old != new:
            return old.strip(), new.strip()
    return "", ""


def score(counts: Counter[Outcome]) -> str:
    ran = counts.total() - counts[Outcome.EQUIVALENT]
    noticed = counts[Outcome.KILLED] + counts[Outcome.TIMED_OUT]
    parts = ", ".join(f"{count} {outcome.value}" for outcome, count in counts.items())
    return f"{100 * noticed / ran:.1f} % ({parts or 'none'})" if ran else "no mutants"


sys.exit(main())
