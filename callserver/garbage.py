"""Loaded modules are left out of garbage collection: scanning them all stops every request for a tenth of a
second, and takes a fifth of a command's start."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

OBJECTS = 20_000
"""How many new objects trigger a collection. A few requests under way exceed Python's 700, and their objects are
freed without it when they are answered."""

_usual = gc.get_threshold()
_depth = 0


@contextmanager
def loading() -> Iterator[None]:
    """Modules imported within the block are never scanned: they stay."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def frozen_heap() -> Iterator[None]:
    """Only objects that are made within the block are collected. A block within another changes nothing."""
    global _depth  # noqa: PLW0603 - the collector is the interpreter's
    if _depth == 0:
        gc.collect()
        gc.freeze()
        gc.set_threshold(OBJECTS, *_usual[1:])
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1
        if _depth == 0:
            gc.set_threshold(*_usual)
            gc.unfreeze()
