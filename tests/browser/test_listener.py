"""A listening supervisor in Chromium beside a real Asterisk: whom they hear, and who hears them."""

import math
import struct
import wave
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from callserver.console.phone.softphone import bundled
from callserver.database import accounts
from tests.browser.conftest import WHY_NOT
from tests.browser.test_sip import page_of
from tests.harness.exchange.real import Called, Exchange
from tests.harness.exchange.sip import Telephone
from tests.harness.exchange.sound import TONES, SoundSystem, sound_system, talk_of
from tests.harness.exchange.system import SUPERVISOR
from tests.harness.exchange.tones import breaks, strength, tone
from tests.harness.waiting import eventually

pytestmark = [
    pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT),
    pytest.mark.skipif(not bundled("sip"), reason="no bundled softphone here (scripts/assets)"),
]

SPECTRUM = """async (wanted) => {
  const leg = window.legs.filter((one) => one.connectionState === "connected").at(-1);
  if (!leg) return null;
  const context = new AudioContext();
  const tracks = leg.getReceivers().map((one) => one.track);
  const analyser = context.createAnalyser();
  analyser.fftSize = 8192;
  context.createMediaStreamSource(new MediaStream(tracks)).connect(analyser);
  await new Promise((done) => setTimeout(done, 700));
  const found = new Float32Array(analyser.frequencyBinCount);
  analyser.getFloatFrequencyData(found);
  await context.close();
  return wanted.map((hertz) => found[Math.round(hertz * analyser.fftSize / context.sampleRate)]);
}"""
"""How loud each tone comes out of the leg, in decibels."""

ON = "The browser phone is ready"

NOTHING = 900
"""Hertz at which nobody speaks."""


def microphone(file: Path, hertz: int) -> str:
    """What the microphone hears: a tone on and off, so that no filter takes it for noise."""
    rate, spoken = 48_000, 0.3
    samples = [
        int(20_000 * math.sin(2 * math.pi * hertz * n / rate)) if n < rate * spoken else 0
        for n in range(int(rate * spoken * 2))
    ]
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return f"--use-file-for-fake-audio-capture={file}"


async def hears(page: Page) -> set[str]:
    """Whose tones come out of the browser."""
    names = ("phoner", "contact")
    spectrum = await page.evaluate(SPECTRUM, [*(TONES[name] for name in names), NOTHING])
    if spectrum is None:
        return set()
    *levels, nothing = (-200 if level is None else level for level in spectrum)
    return {name for name, level in zip(names, levels, strict=True) if level > nothing + 25}


async def loudest(system: SoundSystem, *telephones: Telephone) -> list[float]:
    """The most of the supervisor's tone that each hears, in a tenth of a second of the next two."""
    talks = [talk_of(telephone) for telephone in telephones]
    since = [len(talk.heard) for talk in talks]
    await system.wait_for(
        lambda: all(len(talk.heard) >= n + 100 for talk, n in zip(talks, since, strict=True))
    )
    audible = []
    for talk, first in zip(talks, since, strict=True):
        parts = (talk.heard[n : n + 5] for n in range(first, len(talk.heard) - 5, 5))
        audible.append(max(strength(part, TONES["supervisor"]) for part in parts))
    return audible


async def test_a_supervisor_listens_and_coaches_in_the_browser(
    exchange: tuple[Exchange, Called], tmp_path: Path
) -> None:
    async with sound_system(tmp_path, *exchange) as system:
        system.phoner = await system.on_shift()
        system.phoner.speaks = tone(TONES["phoner"])
        system.employ()
        system.write(lambda tx: accounts.change(tx, SUPERVISOR, line=None))
        await system.ready()
        await system.wait_for(lambda: system.seat_row().state == "talking")
        file = microphone(tmp_path / "microphone.wav", TONES["supervisor"])
        async with page_of(system, f"u{SUPERVISOR}", "/floor", file) as page:
            await expect(page.locator("#softphone")).to_have_text(ON, timeout=15_000)
            await page.get_by_role("button", name="Phoner 1").first.click()
            await page.locator("#panel [data-key=silent]").click()
            await expect(page.locator("#listening-text")).to_contain_text("You are listening to")

            async def hears_both() -> bool:
                return await hears(page) == {"phoner", "contact"}

            await eventually(hears_both)
            assert await page.evaluate("window.asked") == 0, "the microphone is not even asked for"
            assert max(await loudest(system, system.phoner, system.contact)) < 0.02

            await page.locator("#panel [data-key=coach]").click()

            async def phoner_hears() -> bool:
                phoner, contact = await loudest(system, system.phoner, system.contact)
                assert contact < 0.02, "the person does not hear a coach"
                return phoner > 0.1

            await eventually(phoner_hears)
            assert await hears(page) == {"phoner", "contact"}

            await page.locator("#panel [data-key=stop]").click()
            await system.wait_for(lambda: system.entries("listening_stopped"))

            async def nobody_hears() -> bool:
                return max(await loudest(system, system.phoner, system.contact)) < 0.02

            await eventually(nobody_hears)
        for telephone in (system.phoner, system.contact):
            assert breaks(talk_of(telephone).heard) == []
