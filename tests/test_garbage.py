"""What stays out of garbage collection, and until when."""

import gc
import subprocess
import sys

from callserver.garbage import frozen_heap

ALONE = """
import gc
from callserver.garbage import frozen_heap
before, usual = gc.get_freeze_count(), gc.get_threshold()
with frozen_heap():
    assert gc.get_freeze_count() > before
    assert gc.get_threshold()[0] > usual[0]
assert gc.get_freeze_count() == 0
assert gc.get_threshold() == usual
"""


def test_it_lasts_until_the_outermost_block_ends() -> None:
    with frozen_heap():
        count = gc.get_freeze_count()
        with frozen_heap():
            assert gc.get_freeze_count() == count
        assert gc.get_freeze_count() == count > 0
    subprocess.run([sys.executable, "-c", ALONE], check=True)
