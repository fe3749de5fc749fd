"""Twilio's own SDK in our pages, under our policy. There is no Twilio here: the test plays its
signalling, over the one address that the policy allows, and speaks it as the SDK does."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from callserver.cli.simulated_stack import StackPlan
from callserver.console.phone.softphone import bundled
from tests.browser.conftest import ROOT, Visit, sign_in, windows
from tests.browser.test_late_answers import OPENED
from tests.browser.test_phone_page import POST
from tests.harness.threaded import BrowserSystem, open_system

pytestmark = pytest.mark.skipif(
    not bundled("twilio"), reason="no bundled softphone here (scripts/assets)"
)

KEYS = {"api_key": "SK" + "4" * 32, "api_secret": "s" * 32}
SIGNALLING = re.compile(r"^wss://voice-js\.roaming\.twilio\.com/")

OFFER = """async () => {
  const tone = new AudioContext();
  const source = tone.createOscillator();
  const out = tone.createMediaStreamDestination();
  source.connect(out);
  source.start();
  window.far = new RTCPeerConnection();
  window.far.ontrack = ({ streams }) => {
    window.ear = new Audio();
    window.ear.srcObject = streams[0];
    window.ear.play();
  };
  window.far.addTrack(out.stream.getAudioTracks()[0], out.stream);
  await window.far.setLocalDescription(await window.far.createOffer());
  await new Promise((done) => {
    if (window.far.iceGatheringState === "complete") return done();
    window.far.onicegatheringstatechange = () => window.far.iceGatheringState === "complete" && done();
  });
  return window.far.localDescription.sdp;
}"""

NO_CLICK = """() => Object.defineProperty(Navigator.prototype, "userActivation", {
  get: () => ({ hasBeenActive: false }),
})"""
"""For the browser, what a test evaluates is a click."""

HEARD = """async () => {
  for (const one of (await window.far.getStats()).values()) {
    if (one.type === "inbound-rtp") return one.totalAudioEnergy ?? 0;
  }
  return 0;
}"""


class Signalling:
    """Twilio's side of the socket: what the SDK said, and what it is told."""

    def __init__(self, page: Page, refuses: int = 0) -> None:
        self.said: list[dict[str, Any]] = []
        self._refuses = refuses
        self._socket: WebSocketRoute
        page.route_web_socket(SIGNALLING, self._opened)

    def _opened(self, socket: WebSocketRoute) -> None:
        self._socket = socket
        socket.on_message(self._hear)

    def _hear(self, text: str | bytes) -> None:
        if not text.strip():
            return  # a beat
        message = json.loads(text)
        self.said.append(message)
        if message["type"] == "listen" and self._refuses:
            self.tell("error", error={"code": self._refuses, "message": "refused"})
        elif message["type"] == "listen":
            self.tell("connected", region="dublin", token={"identity": "x", "ttl": 3600})
        elif message["type"] == "register":
            self.tell("ready")

    def tell(self, kind: str, **payload: Any) -> None:
        self._socket.send(json.dumps({"type": kind, "version": "1.6", "payload": payload}))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message["payload"] for message in self.said if message["type"] == kind]


@pytest.fixture
def system(tmp_path: Path) -> Iterator[BrowserSystem]:
    """A system with Twilio's softphone."""
    with open_system(StackPlan(tmp_path, ROOT / "config", 1, 50, settings=KEYS)) as opened:
        yield opened


@pytest.fixture
def desk(chromium: Browser, system: BrowserSystem) -> Iterator[Visit]:
    """Maja's page before a shift, with Twilio's signalling played beside it."""
    with windows(chromium, system) as window:

        def come(refuses: int = 0) -> Page:
            page = window()
            page.signalling = Signalling(page, refuses)  # type: ignore[attr-defined]
            sign_in(page, system, "maja")
            page.locator("#campaigns label").first.click()
            page.locator("#lines label").first.click()
            return page

        yield come


def test_the_real_sdk_signs_in_with_our_token(desk: Visit) -> None:
    page = desk()
    page.locator("#shift-form .main").click()
    expect(page.locator("#softphone")).to_have_text("The browser phone is ready")
    (listen,) = page.signalling.of("listen")  # type: ignore[attr-defined]
    assert listen["token"].count(".") == 2
    assert page.signalling.of("register")  # type: ignore[attr-defined]
    expect(page.locator("#seat")).to_have_attribute("data-state", "connecting")


@pytest.mark.parametrize("code", [20101, 31204, 31205])
def test_a_refused_token_is_said_in_words(desk: Visit, code: int) -> None:
    page = desk(code)
    page.locator("#shift-form .main").click()
    wrong = page.locator("#shift-form .wrong")
    expect(wrong).to_contain_text("The browser phone was refused.", timeout=20_000)
    expect(page.locator("#shift")).to_be_visible()  # nobody is on shift without a telephone


def test_our_rooms_leg_is_taken_by_itself_and_heard(desk: Visit) -> None:
    """The leg that Twilio would ring with: answered with the microphone's own track, muted by a key."""
    page = desk()
    page.locator("#shift-form .main").click()
    expect(page.locator("#softphone")).to_have_text("The browser phone is ready")
    signalling = page.signalling  # type: ignore[attr-defined]
    offer = page.evaluate(OFFER)
    leg = "CA" + "7" * 32
    signalling.tell("invite", callsid=leg, sdp=offer, parameters={"CallSid": leg, "From": "+45"})
    expect(page.locator("#softphone")).to_have_text("The browser phone is on the line")
    for _ in range(100):
        if signalling.of("answer"):
            break
        page.wait_for_timeout(50)
    (answer,) = signalling.of("answer")
    assert answer["callsid"] == leg
    page.evaluate(
        "(sdp) => window.far.setRemoteDescription({ type: 'answer', sdp })", answer["sdp"]
    )
    assert grows(page)
    page.keyboard.press("m")
    expect(page.locator("#softphone")).to_have_text("Your microphone is off: nobody hears you")
    assert falls_silent(page)
    page.keyboard.press("m")
    assert grows(page)
    signalling.tell("hangup", callsid=leg)
    expect(page.locator("#softphone")).to_have_text("The browser phone is ready")


def test_no_microphone_is_opened_once_the_shift_has_ended(desk: Visit) -> None:
    """The page was loaded again, and waits for a first click: by then the shift is over."""
    page = desk()
    page.locator("#shift-form .main").click()
    expect(page.locator("#seat")).to_have_attribute("data-state", "connecting")
    page.add_init_script(f"({OPENED})(); ({NO_CLICK})()")
    page.reload()
    expect(page.locator("#softphone")).to_contain_text("Click")
    page.evaluate(POST, ["/off", {}])
    expect(page.locator("#shift")).to_be_visible()
    page.locator("#shift-title").click()
    page.wait_for_timeout(1000)
    assert page.evaluate("() => window.opened") == []


def grows(page: Page) -> bool:
    """Whether the far end hears something just now."""
    before = page.evaluate(HEARD)
    for _ in range(30):
        page.wait_for_timeout(100)
        if page.evaluate(HEARD) > before + 1e-6:
            return True
    return False


def falls_silent(page: Page) -> bool:
    """What was on its way when the microphone closed is still heard; after that, nothing."""
    return any(not grows(page) for _ in range(10))


def test_a_twilio_that_cannot_be_reached_is_said_in_words(
    chromium: Browser, system: BrowserSystem
) -> None:
    """The socket's address passes our policy, and nobody is there."""
    context = chromium.new_context()
    context.add_cookies([{"name": "language", "value": "en", "url": system.url}])
    page, said = context.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    sign_in(page, system, "maja")
    page.locator("#shift, #seat").and_(page.locator(":not([hidden])")).first.wait_for()
    page.locator("#campaigns label").first.click()
    page.locator("#lines label").first.click()
    page.locator("#shift-form .main").click()
    wrong = page.locator("#shift-form .wrong")
    expect(wrong).to_contain_text("cannot reach the telephone server", timeout=30_000)
    assert not [message for message in said if "Content Security Policy" in message], said
    assert [message for message in said if "voice-js.roaming.twilio.com" in message], said
    context.close()
