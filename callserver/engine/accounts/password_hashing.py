"""Password hashing: one hash at a time, in its own thread, with a short queue.

Hashing is slow by design. Many hashes at once would slow down the webhooks, so a sign-in is refused with
TooMany while the queue is full.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from callserver.errors import TooMany

AT_ONCE = 1
MOST_WAITING = 30
COME_AGAIN_S = 3

Made = TypeVar("Made")

hasher = PasswordHasher(parallelism=1)
"""Tests replace it with a cheap one (tests/conftest.py)."""


class PasswordHashing:
    """One per process."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, "hash")
        self._waiting = 0

    async def hashed(self, password: str) -> str:
        """The hash of a password.

        Raises:
            TooMany: too many wait already.
        """
        return await self.run(lambda: hash_password(password))

    async def verified(self, kept: str, password: str) -> bool:
        """Whether the password matches the hash.

        Raises:
            TooMany: too many wait already.
        """
        return await self.run(lambda: verified(kept, password))

    async def run(self, work: Callable[[], Made]) -> Made:
        """Run work that hashes.

        Raises:
            TooMany: too many wait already.
        """
        if self._waiting >= AT_ONCE + MOST_WAITING:
            raise TooMany("too many sign in at once; try again", COME_AGAIN_S, key="busy")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1


def hash_password(password: str) -> str:
    return hasher.hash(password)


def verified(kept: str, password: str) -> bool:
    try:
        return hasher.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False
