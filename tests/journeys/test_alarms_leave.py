"""A real server tells its alarms to a real mail server and to an address that takes JSON."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from callserver import app
from callserver.cli.simulated_stack import DATABASE, StackPlan, started
from callserver.engine.reporting import outage_notices
from tests.adapters.test_messages import Inbox, mail_server
from tests.harness.waiting import eventually, until
from tests.journeys.test_uptime import serving


@contextmanager
def receiver(got: list[dict[str, Any]]) -> Iterator[str]:
    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            got.append(json.loads(self.rfile.read(length)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Taking) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/alarms"
        finally:
            server.shutdown()
            thread.join()


def test_a_missing_register_is_told_by_mail_and_webhook(tmp_path: Path) -> None:
    inbox = Inbox()
    got: list[dict[str, Any]] = []
    with mail_server(inbox) as port, receiver(got) as url:
        settings = {
            "CALLSERVER_ALARM_MAIL": "drift@example.org, vagt@example.org",
            "CALLSERVER_ALARM_WEBHOOK": url,
            "CALLSERVER_ALARM_LANGUAGE": "en",
            "CALLSERVER_SMTP_URL": f"smtp://127.0.0.1:{port}",
            "CALLSERVER_SMTP_FROM": "callserver@example.org",
            "TWILIO_API_URL": "",  # nothing is dialed; a stand-in would keep mail in the folder
        }
        with serving(tmp_path, "file", **settings) as server:
            until(lambda: got)
            until(lambda: len(inbox.got) >= 2)
    [notice] = [notice for notice in got if notice["alarm"] == "register_missing"]
    assert (notice["status"], notice["server"]) == ("raised", server.url)
    assert "has never been imported" in notice["text"]
    assert {notice.rcpt_tos[0] for notice in inbox.got} == {"drift@example.org", "vagt@example.org"}
    mail = message_from_bytes(inbox.got[0].content, policy=policy.default)
    assert mail["Subject"] == f"Alarm at {server.url}"
    assert "has never been imported" in mail.get_content()


async def test_a_database_that_takes_no_writes_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No transaction can note such an alarm. Another program holds the lock of the file."""
    monkeypatch.setattr(app, "OUTAGE_LOOK_SECONDS", 0.2)
    monkeypatch.setattr(outage_notices, "WRITTEN_WITHIN_S", 0.2)
    monkeypatch.setattr(outage_notices, "LASTS_S", 0)
    got: list[dict[str, Any]] = []

    def told() -> bool:
        return any(notice["alarm"] == "database_down" for notice in got)

    with receiver(got) as url:
        plan = StackPlan(tmp_path, phoners=0, contacts=10, settings={"alarm_webhook": url})
        async with started(plan):
            with closing(sqlite3.connect(tmp_path / DATABASE, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                await eventually(told)
                other.execute("ROLLBACK")
