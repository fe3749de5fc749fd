"""What a visitor's page is sent: what they would hear, and never more."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from callserver.simulator.legs import Behaviour
from callserver.simulator.population import BehaviourRates, Population
from callserver.simulator.visitors import FIRST_HOUR, Heard, Visitors
from tests.harness.listening import SUPERVISOR, ListeningSystem

PHONER, LISTENER = "client:phoner_1", f"client:listener_{SUPERVISOR}"
TALKS = BehaviourRates(answers=1, hangs_up_early=0, voicemail=0, talk_seconds=60)


class Visited(ListeningSystem):
    """A system in which the phoner and the supervisor are visitors."""

    def __init__(
        self, folder: Path, rates: BehaviourRates, calls: Sequence[Behaviour] = ()
    ) -> None:
        super().__init__(folder)
        calls_in_at = f"{self.plan.public_url}/twilio/voice/client"
        self.visitors = Visitors(self.network, Population(1, rates), calls_in_at)
        self.visitors.start((PHONER, LISTENER), self.people, calls)
        self.told: dict[str, list[Heard]] = {PHONER: [], LISTENER: []}
        self.pages: list[asyncio.Task[None]] = []

    async def opens(self, line: str) -> "asyncio.Task[None]":
        """A page follows its telephone."""

        async def read() -> None:
            async for news in self.visitors.follow(line):
                if news is not None:
                    self.told[line].append(news)

        page = asyncio.ensure_future(read())
        self.pages.append(page)
        await asyncio.sleep(0)
        return page

    async def listens(self, mode: str) -> None:
        body = {"seat": 1, "mode": mode, "why": "quality"}
        assert (await self.api("POST", "/listenings", body, phoner=SUPERVISOR))[0] == 200
        await self.pass_time(5)
        await asyncio.sleep(0)

    def now(self, line: str) -> Heard:
        return self.told[line][-1]


@asynccontextmanager
async def visited(
    folder: Path, rates: BehaviourRates = TALKS, calls: Sequence[Behaviour] = ()
) -> AsyncIterator[Visited]:
    system = Visited(folder, rates, calls)
    await system.opens(PHONER)
    await system.opens(LISTENER)
    yield system
    system.visitors.stop()
    await asyncio.gather(*system.pages, return_exceptions=True)
    system.close()


async def talking(system: Visited) -> None:
    await system.on_shift()
    await system.ready()
    await system.pass_time(6)
    await asyncio.sleep(0)


async def test_a_phoner_is_told_nothing_of_a_silent_listener(tmp_path: Path) -> None:
    async with visited(tmp_path) as system:
        await talking(system)
        assert (system.now(PHONER).hears, system.now(PHONER).heard_by) == (["person"], ["person"])
        before = len(system.told[PHONER])
        await system.listens("silent")
        mine = system.now(LISTENER)
        assert (mine.hears, mine.heard_by) == (["person", "phoner"], [])
        since = system.told[PHONER][before:]
        assert all(news.says for news in since)  # only what the person says goes on
        assert all("listener" not in news.hears + news.heard_by for news in system.told[PHONER])
        await system.listens("coach")
        assert system.now(LISTENER).heard_by == ["phoner"]
        assert system.now(PHONER).hears == ["listener", "person"]
        await system.listens("join")
        assert system.now(LISTENER).heard_by == ["person", "phoner"]


async def test_who_is_muted_is_heard_by_nobody(tmp_path: Path) -> None:
    async with visited(tmp_path) as system:
        await talking(system)
        await system.listens("silent")
        system.visitors.mute(PHONER, on=True)
        await asyncio.sleep(0)
        assert (system.now(PHONER).muted, system.now(PHONER).heard_by) == (True, [])
        system.visitors.mute(PHONER, on=False)
        await asyncio.sleep(0)
        assert system.now(PHONER).heard_by == ["person"]


async def test_a_page_that_closes_takes_its_telephone_along(tmp_path: Path) -> None:
    """The seat is told that it is lost; a page that opens again calls in and is in the room again."""

    async with visited(tmp_path) as system:
        await system.on_shift()
        system.pages[0].cancel()
        await asyncio.sleep(0)
        await system.pass_time(1)
        assert (await system.seat())["state"] == "connecting"
        await system.opens(PHONER)
        await system.visitors.call_in(PHONER)
        await system.pass_time(1)
        await asyncio.sleep(0)
        assert (await system.seat())["state"] == "paused"
        assert system.now(PHONER).on


async def test_no_page_no_telephone(tmp_path: Path) -> None:
    async with visited(tmp_path) as system:
        for page in system.pages:
            page.cancel()
        await asyncio.sleep(0)
        await system.api("POST", "/shift", {"campaign": system.campaign, "line": PHONER})
        await system.pass_time(3)
        assert (await system.seat())["state"] == "connecting"
        await system.visitors.call_in(PHONER)
        await system.pass_time(3)
        assert (await system.seat())["state"] == "connecting"


async def test_the_person_hangs_up_when_the_talk_is_over(tmp_path: Path) -> None:
    async with visited(tmp_path) as system:
        await talking(system)
        await system.pass_time(600)
        await asyncio.sleep(0)
        assert system.now(PHONER).hears == []
        said = [news.says for news in system.told[PHONER] if news.says]
        assert said[0] == "hello"
        assert said[-1] == "thanks"
        assert {news.who for news in system.told[PHONER] if news.says} == {"person"}


async def test_a_second_page_takes_over(tmp_path: Path) -> None:
    async with visited(tmp_path) as system:
        await system.on_shift()
        await system.opens(PHONER)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert system.pages[0].done()


async def test_a_visitors_first_call_is_answered_at_once_then_every_second_or_third(
    tmp_path: Path,
) -> None:
    """Whatever the town's people would do: here none of them ever answers."""

    async with visited(tmp_path, BehaviourRates(answers=0), FIRST_HOUR) as system:
        await system.on_shift()
        await system.ready()
        await system.pass_time(10)
        assert (await system.seat())["state"] == "talking"
        for _ in range(40):
            if (await system.seat())["state"] == "talking":
                await system.api("POST", "/hang-up", {})
                assert (await system.outcome("no_thanks"))[0] == 200
            await system.pass_time(5)
        calls = [leg for leg in system.network.legs.values() if leg.is_contact]
        answers = [leg.answered is not None for leg in calls]
        assert answers[:10] == [True, False, True, False, False] * 2
