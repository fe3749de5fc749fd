"""A real server tells its alarms to a real mail server and to an address that takes JSON."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.adapters.test_messages import Inbox, mail_server
from tests.harness.waiting import until
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
