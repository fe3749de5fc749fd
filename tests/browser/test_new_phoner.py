"""A new phoner from the interview to the third shift, in the pages of everybody who takes part.

Each day begins with new windows and ends when they close; the nights pass on the system's clock. On every
day every path is tried that could make a call earlier than the training allows (dial_paths.py). At the end
the network's own record says which numbers were dialed, and when.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from callserver import texts
from callserver.database import accounts
from tests.browser import dial_paths, looking
from tests.browser.conftest import windows
from tests.browser.dial_paths import no_call, not_called, refused
from tests.browser.evening import HOME, evening
from tests.browser.shift import go_home, on_shift, state
from tests.browser.test_applicants import NAME, accepted, described, interviewed, played
from tests.browser.test_training import sign_everything
from tests.browser.training_days import (
    PASSWORD,
    Come,
    Training,
    ask,
    first_sign_in,
    ready,
    said_no,
)

pytestmark = [
    pytest.mark.skipif(bool(looking.WHY_NOT), reason=looking.WHY_NOT),
]

MONDAY = datetime(2026, 5, 18, 17, 10, tzinfo=HOME)
TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 5, day) for day in (19, 20, 21))
LISTENS_ONLY, NEEDS_SUPERVISOR = "AGENT_LISTEN_ONLY", "AGENT_NEEDS_SUPERVISOR"
WORDS = "You gave everybody time to think."


@pytest.fixture
def training(chromium: Browser, tmp_path: Path) -> Iterator[Training]:
    with evening(tmp_path, MONDAY) as shift:
        yield Training(shift, chromium)


@pytest.mark.timeout(600)
def test_from_the_interview_to_the_third_shift(training: Training) -> None:
    the_interview(training)
    assert training.rung() == []
    the_first_shift(training)
    assert [day for day, _ in training.rung()] == [TUESDAY]  # the mentor's call
    the_second_shift(training)
    assert [day for day, _ in training.rung()] == [TUESDAY, WEDNESDAY]
    the_third_shift(training)
    assert [day for day, _ in training.rung()] == [TUESDAY, WEDNESDAY, THURSDAY]
    assert dial_paths.UNCALLED not in {number for _, number in training.rung()}


def the_interview(training: Training) -> None:
    """Monday: group interviews, a role-play call, the account, and the first sign-in."""
    system = training.shift.system
    with training.day() as come, windows(training.chromium, system) as window:
        sigrid = come("sigrid", "/applicants")
        interviewed(sigrid, "en", "2026-05-18 16:00")
        played(system, sigrid, window(), "en")
        described(sigrid, "en")
        password = accepted(sigrid, "en", "ane")
        user = system.read(lambda tx: accounts.by_handle(tx, "ane"))
        training.ane = user.id
        ane = training.shift.comes(window())
        first_sign_in(ane, training, "ane", password)
        expect(ane.locator("#documents-reminder")).to_be_visible()
        on_shift(ane, "kanvas")
        not_called(training, ane, LISTENS_ONLY)
        _, answer = ask(ane, "/dial", {"number": dial_paths.TYPED})
        assert "AGENT_POLICY_NOT_ACKED" in answer["reasons"]
        go_home(ane)


def the_first_shift(training: Training) -> None:
    """Tuesday: Ane signs, hears their mentor, attends the exercise, and calls nobody."""
    shift = training.shift
    with training.day() as come:
        ane = come("ane", "/training", PASSWORD)
        expect(ane.locator("#standing")).to_be_visible()  # drawn, with the documents
        assert sign_everything(ane) >= 5
        maja = come("maja")
        on_shift(maja, "kanvas")
        sigrid = come("sigrid", "/floor")
        bind(sigrid)
        ane.goto(f"{shift.system.url}/phone")
        on_shift(ane, "kanvas")
        hears_mentor(training, ane, maja)
        call_back_is_promised(maja)
        go_home(maja)
        (_, called), *_ = training.rung()
        not_called(training, ane, LISTENS_ONLY)
        exercise(training, sigrid)
        shift.until(19, 1)  # the shift is long enough now, and the call-back is due
        not_called(training, ane, LISTENS_ONLY)
        dial_paths.by_buttons(training, ane, sigrid, LISTENS_ONLY)
        dial_paths.by_call_back(training, ane, called, LISTENS_ONLY)
        another_browser(training, come)
        asger = come("asger", "/accounts")
        dial_paths.by_token(training, ane, asger)
        dial_paths.by_credit(training, sigrid, asger)
        dial_paths.by_command(training)
        dial_paths.by_rules(training, asger)
        dial_paths.by_account(training, ane, asger, LISTENS_ONLY)
        dial_paths.by_second_account(training, asger, LISTENS_ONLY)
        go_home(ane)
        on_shift(ane, "kanvas")  # the same day is the same shift
        shift.until(20, 50)
        not_called(training, ane, LISTENS_ONLY)
        go_home(ane)


def bind(sigrid: Page) -> None:
    """Maja becomes the mentor."""
    sigrid.get_by_role("button", name="Maja Prøve").first.click()
    sigrid.locator("#panel summary", has_text=texts.say("en", "floor.mentor")).click()
    sigrid.locator("#panel [name=trainee]").select_option(label=NAME)
    sigrid.locator("#panel [data-key=bind]").click()
    expect(sigrid.locator("#panel")).to_contain_text(NAME)


def hears_mentor(training: Training, ane: Page, maja: Page) -> None:
    """Ane hears a call of Maja's, and may not speak in it."""
    ready(maja)
    state(maja, "talking")
    training.shift.passes(0.5)  # the page looks for the mentor every few seconds
    ane.locator("#mentor-act").click()
    expect(ane.locator("#mentor-words")).to_contain_text("Maja Prøve")
    expect(ane.locator("#mentor-captions")).to_contain_text("Nobody hears you.")
    seat = ask(maja, "/seat")[1]["id"]
    for mode in ("join", "coach"):
        assert ask(ane, "/listenings", {"seat": seat, "mode": mode, "why": "mentor"})[0] == 403
    training.shift.passes(16)
    ane.locator("#mentor-act").click()
    expect(ane.locator("#mentor-captions")).to_be_hidden()


def call_back_is_promised(maja: Page) -> None:
    maja.locator("[data-outcome=call_back]").click()
    maja.get_by_role("button", name="tonight at 19:00").click()
    with maja.expect_response("**/outcome"):
        maja.locator("#chosen [data-way=pause]").click()
    maja.get_by_role("button", name="Hang up").click()
    state(maja, "paused")


def exercise(training: Training, sigrid: Page) -> None:
    """Ane takes part in the exercise that the second shift asks for."""
    sigrid.goto(f"{training.shift.system.url}/training")
    sigrid.locator("#plan summary").click()
    sigrid.locator("#plan [name=activity]").select_option("pair_exercise")
    sigrid.locator("#plan [name=day]").fill("2026-05-19")
    sigrid.locator("#participants label", has_text=NAME).locator("input").check()
    sigrid.locator("#plan button.main").click()
    box = sigrid.locator(f"#planned [data-key$='-{training.ane}']")
    with sigrid.expect_response("**/attendance") as recorded:
        box.check()
    assert recorded.value.ok


def another_browser(training: Training, come: Come) -> None:
    page = come("ane", password=PASSWORD)
    state(page, "paused")
    not_called(training, page, LISTENS_ONLY)
    page.close()
    training.shift.pages.remove(page)


def the_second_shift(training: Training) -> None:
    """Wednesday: Ane calls while a supervisor is present, who listens."""
    shift = training.shift
    with training.day() as come:
        ane = come("ane", "/training", PASSWORD)
        expect(ane.locator("#standing-title")).to_contain_text("2")
        sign_everything(ane)
        ane.goto(f"{shift.system.url}/phone")
        on_shift(ane, "kanvas")
        come("asger", "/floor")  # an administrator is not a supervisor
        not_called(training, ane, NEEDS_SUPERVISOR)
        sigrid = come("sigrid")
        clock_set_back(training, ane)
        with sigrid.expect_response("**/presence"):
            sigrid.goto(f"{shift.system.url}/floor")
        ready(ane)
        state(ane, "talking")
        sigrid.get_by_role("button", name=f"Listen in: {NAME}").click()
        expect(sigrid.locator("#line [role=status]")).to_have_text(
            "You hear the person. You hear the phoner. Nobody hears you."
        )
        shift.passes(11)
        sigrid.locator("#listening-actions [data-key=stop]").click()
        expect(sigrid.locator("#listening")).to_be_hidden()
        said_no(ane)
        assert ask(sigrid, f"/training/phoners/{training.ane}/talk", {"words": ""})[0] == 409
        sigrid.close()
        shift.pages.remove(sigrid)
        shift.passes(50)  # long enough for the shift; nobody is present any more
        not_called(training, ane, NEEDS_SUPERVISOR)
        assert ask(ane, "/training/talk", {})[0] == 409
        go_home(ane)
        on_shift(ane, "kanvas")
        not_called(training, ane, NEEDS_SUPERVISOR)
        go_home(ane)


def clock_set_back(training: Training, ane: Page) -> None:
    """On the day before, the second shift has not begun."""
    day = timedelta(days=1)
    with no_call(training):
        training.shift.clock.forward(-day)
        refused(ane)
        training.shift.clock.forward(day)


def the_third_shift(training: Training) -> None:
    """Thursday: Ane calls alone, and both record the conversation."""
    shift = training.shift
    with training.day() as come:
        ane = come("ane", "/phone", PASSWORD)
        on_shift(ane, "kanvas")
        ready(ane)
        state(ane, "talking")
        expect(ane.locator("#script")).to_have_attribute("open", "")
        shift.passes(61)
        said_no(ane)
        go_home(ane)
        sigrid = come("sigrid", "/training")
        row = sigrid.locator("#members tr", has_text=NAME)
        row.get_by_role("button").click()
        sigrid.locator("#dialog textarea").fill(WORDS)
        sigrid.locator("#dialog button.main").click()
        expect(sigrid.locator("#dialog")).to_be_hidden()
        ane.goto(f"{shift.system.url}/training")
        expect(ane.locator("#words")).to_have_text(WORDS)
        ane.locator("#talk").click()
        expect(row).to_contain_text(texts.say("en", "training.trained"))
