"""Every path that could make a call for a phoner who may not make one: none does.

Each is tried in full, and the network's own record of the numbers that it dialed is compared.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from playwright.sync_api import Page, expect
from sqlalchemy import select
from typer.testing import CliRunner

from callserver import texts
from callserver.cli import app
from callserver.database.tables import contacts
from tests.browser.evening import NUMBER_OF
from tests.browser.shift import on_shift, state
from tests.browser.test_applicants import NAME
from tests.browser.test_training import sign_everything
from tests.browser.training_days import Training, ask, first_sign_in, ready, take_a_break

UNCALLED = NUMBER_OF["Tove Agerbæk"]
"""A contact whom nobody calls in this test."""

TYPED = UNCALLED[3:]
NO_CALL = (403, 404, 409)
"""Not allowed, nobody to call again, or refused by the gate."""


@contextmanager
def no_call(training: Training) -> Iterator[None]:
    """The network dials no number meanwhile."""
    before = training.rung()
    yield
    assert training.rung() == before


def not_called(training: Training, page: Page, reason: str) -> None:
    """Neither the list, nor a number that is typed in, nor the API leads to a call; the page says why."""
    why = texts.say("en", f"reason.{reason}")
    with no_call(training):
        waits(training, page, reason)
        take_a_break(page)
        page.locator("#dial").click()
        page.locator("#dial-number").fill(TYPED)
        page.locator("#dial-form .main").click()
        expect(page.locator("#dial-wrong")).to_contain_text(why)
        page.locator("[form=dial-close]").click()
        refused(page)


def waits(training: Training, page: Page, reason: str) -> None:
    """Ready, and nothing but what to do follows, also when the scheduler has looked again."""
    ready(page)
    state(page, "waiting")
    expect(page.locator("#reason")).to_have_text(texts.say("en", f"phone.waiting.{reason}"))
    training.shift.passes(1)
    state(page, "waiting")


def refused(page: Page) -> None:
    """The API places no call either."""
    for path, body in (("/dial", {"number": TYPED}), ("/redial", {})):
        status, answer = ask(page, path, body)
        assert status in NO_CALL, answer


def by_token(training: Training, ane: Page, asger: Page) -> None:
    """A program with a token of the phoner's account, which only a command makes."""
    scopes = {"name": "a program", "scopes": ["phone"]}
    assert ask(asger, f"/accounts/{training.ane}/tokens", scopes)[0] == 403
    token = command(training, "token", "add", "ane", "--scope", "phone").strip()
    headers = {"authorization": f"Bearer {token}"}
    url = f"{training.shift.system.url}/api/v1"
    with no_call(training), httpx.Client(base_url=url, headers=headers) as http:
        assert http.post("/ready", json={}).status_code == 200
        state(ane, "waiting")
        for path, body in (("/dial", {"number": TYPED}), ("/redial", {})):
            assert http.post(path, json=body).status_code in NO_CALL
        assert http.post("/shift", json={"campaign": "leads"}).status_code == 409  # not while ready
        assert http.post("/pause", json={"reason": "pause"}).status_code == 200
        assert http.post("/off", json={}).status_code == 200
        line = {"campaign": "leads", "line": UNCALLED}  # a contact's telephone as the phoner's own
        assert http.post("/shift", json=line).status_code == 403
    expect(ane.locator("#shift")).to_be_visible()
    on_shift(ane, "kanvas")


def command(training: Training, *words: str) -> str:
    """What a command prints, on the system's database; empty if it refuses."""
    settings = training.shift.system.stage.server.settings
    environment = {
        "CALLSERVER_DATABASE": settings.database,
        "CALLSERVER_CONFIG": str(settings.config),
        "CALLSERVER_KEY": settings.key,
        "CALLSERVER_CLOCK": training.shift.now().isoformat(),
    }
    result = CliRunner().invoke(app, words, env=environment)
    return result.output if result.exit_code == 0 else ""


def by_command(training: Training) -> None:
    """On the command line shifts are credited with a reason only."""
    assert command(training, "user", "list")
    for words in (["credit", "ane"], ["credit", "ane", "--reason", " "], ["add", "ane"]):
        assert not command(training, "user", *words)


def by_call_back(training: Training, ane: Page, number: str, reason: str) -> None:
    """Somebody calls our number and asks for a call at once, while the phoner is the only one ready."""
    system, town = training.shift.system, training.shift.town
    world = system.stage.world
    shown = system.stage.server.ctx.rules.campaign("kanvas").caller_id
    url = f"{system.url}/twilio/voice/inbound"
    with no_call(training):
        waits(training, ane, reason)
        town.keys[number] = "1"
        system.run(world.network.call_in(number, shown, url))
        booked = select(contacts.c.id).where(
            contacts.c.number == int(number[1:]),
            contacts.c.campaign == "kanvas",
            contacts.c.status == "call_back",
            contacts.c.callback_phoner.is_(None),
        )
        while system.read(lambda tx: tx.execute(booked).one_or_none()) is None:
            ane.wait_for_timeout(20)
        training.shift.passes(1)
        state(ane, "waiting")
        expect(ane.locator("#reason")).to_have_text(texts.say("en", f"phone.waiting.{reason}"))
        take_a_break(ane)


def by_buttons(training: Training, ane: Page, sigrid: Page, reason: str) -> None:
    """A supervisor stops and resumes the campaign, answers a raised hand, and records too early."""
    with no_call(training):
        waits(training, ane, reason)
        for paused in (True, False):
            switch = {"paused": paused, "reason": "A break."}
            assert ask(sigrid, "/campaigns/kanvas", switch)[0] == 200
            training.shift.passes(1)
            state(ane, "waiting")
        assert ask(ane, "/hand", {"up": True})[0] == 200
        seat = ask(ane, "/seat")[1]["id"]
        assert ask(sigrid, f"/floor/seats/{seat}/hand", {})[0] == 200
        assert ask(sigrid, f"/training/phoners/{training.ane}/talk", {"words": "Well."})[0] == 409
        assert ask(ane, "/training/talk", {})[0] == 409
        training.shift.passes(1)
        state(ane, "waiting")
        take_a_break(ane)


def by_account(training: Training, ane: Page, asger: Page, reason: str) -> None:
    """An administrator changes the account: its role and back, its department, its telephone."""
    path = f"/accounts/{training.ane}"
    kept = {"name": NAME, "role": "phoner", "department": "nord"}
    with no_call(training):
        assert ask(asger, path, {**kept, "role": "supervisor"})[0] == 409  # while on shift
        assert ask(ane, "/off", {})[0] == 200
        for change in ({"role": "supervisor"}, {"role": "member_service"}, {"department": "syd"}):
            assert ask(asger, path, {**kept, **change})[0] == 200
            assert ask(asger, path, kept)[0] == 200
        assert ask(asger, path, {**kept, "line": UNCALLED})[0] == 403  # a contact's telephone
        for more in ({"credited": 3}, {"trained_at": "2026-01-01T00:00:00Z"}, {"shift": 3}):
            assert ask(asger, path, {**kept, **more})[0] == 422
        assert ask(asger, f"{path}/credit", {"shifts": 3})[0] == 404
    ane.goto(f"{training.shift.system.url}/phone")
    on_shift(ane, "kanvas")
    not_called(training, ane, reason)


def by_credit(training: Training, sigrid: Page, asger: Page) -> None:
    """Credit needs an administrator, and a reason."""
    path, given = f"/training/phoners/{training.ane}/credit", {"shifts": 3, "reason": "Is ready."}
    assert ask(sigrid, path, given)[0] == 403
    assert ask(asger, path, {**given, "reason": " "})[0] == 409
    assert ask(asger, path, {"shifts": 3})[0] == 422


def by_second_account(training: Training, asger: Page, reason: str) -> None:
    """Another account with the same name begins at the first shift; so does the next one after it."""
    account: dict[str, Any] = {
        "handle": "ane2",
        "name": NAME,
        "role": "phoner",
        "department": "nord",
    }
    assert ask(asger, "/accounts", {**account, "handle": "ane"})[0] == 409  # in use
    assert ask(asger, "/accounts", {**account, "shifts": 3})[0] == 422
    status, answer = ask(asger, "/accounts", account)
    assert status == 200, answer
    with training.window() as page:
        first_sign_in(page, training, "ane2", answer["secret"])
        page.goto(f"{training.shift.system.url}/training")
        expect(page.locator("#standing")).to_be_visible()
        sign_everything(page)
        page.goto(f"{training.shift.system.url}/phone")
        on_shift(page, "kanvas")
        not_called(training, page, reason)
    assert ask(asger, f"/accounts/{answer['id']}/off-board", {})[0] == 200
    assert ask(asger, "/accounts", account)[0] == 409  # a handle is never given again


def by_rules(training: Training, asger: Page) -> None:
    """A shorter training, in the files or on the page, waits for a second person."""
    system = training.shift.system
    folder = system.stage.server.settings.config
    path, review = folder / "training.yaml", folder / "change.yaml"
    kept = path.read_text("utf-8")
    shorter = kept.replace("shift_minutes: 60", "shift_minutes: 30")
    shorter = shorter.replace("mentor_minutes: 15", "mentor_minutes: 0")
    shorter = shorter.replace("    attend: [pair_exercise]\n", "")
    assert shorter.count("\n") == kept.count("\n") - 1
    before = ask(asger, "/rules")[1]
    path.write_text(shorter, "utf-8")
    review.write_text("why: Many are waiting.\nethics: It is not.\n", "utf-8")
    while not (after := ask(asger, "/rules")[1])["proposals"]:
        asger.wait_for_timeout(50)
    assert after["proposals"][0]["state"] == "open"
    assert after["revision"] == before["revision"]
    path.write_text(kept, "utf-8")
    review.unlink()
