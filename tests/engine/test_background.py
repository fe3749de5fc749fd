"""A server that stops lets what is under way end, and what follows from it."""

import asyncio

from callserver.engine.background import Background


async def test_what_follows_from_a_task_is_waited_for_too() -> None:
    """A dial that commits while the server stops is followed by its order to the network."""
    background, placed = Background(), []

    async def place() -> None:
        await asyncio.sleep(0)
        placed.append("order")

    async def dial() -> None:
        await asyncio.sleep(0)
        background.start(place())

    background.start(dial())
    await background.stop(10)
    assert placed == ["order"]


async def test_what_does_not_end_in_time_is_cancelled() -> None:
    background, ended = Background(), []

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    background.start(endless())
    await background.stop(0.01)
    await background.idle()
    assert ended == ["cancelled"]
