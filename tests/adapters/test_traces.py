"""Traces: exported by the standard variables from a real server, without anything about a person."""

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from callserver.adapters import traces
from callserver.cli.free_ports import free_port
from callserver.errors import ConfigurationProblem
from tests.harness.processes import Command
from tests.harness.waiting import until

NUMBER = "+4532123456"
CALLER = "0af7651916cd43dd8448eb211c80319c"


class Collector:
    """An OTLP collector: keeps what it is sent."""

    def __init__(self) -> None:
        bodies: list[bytes] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                bodies.append(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.bodies = bodies
        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def spans(self) -> dict[str, Span]:
        requests = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        return {
            span.name: span
            for request in requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        }

    def attributes(self) -> dict[str, str]:
        """Of the exporting process."""
        requests = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        resources = [resource.resource for one in requests for resource in one.resource_spans]
        return {pair.key: pair.value.string_value for one in resources for pair in one.attributes}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.close()


def test_requests_are_exported_without_what_they_are_about(
    tmp_path: Path, collector: Collector
) -> None:
    port = free_port()
    environment = {
        **os.environ,
        "CALLSERVER_DATABASE": f"sqlite:///{tmp_path}/test.db",
        "CALLSERVER_SEAL_KEY": str(tmp_path / "seal.key"),
        "CALLSERVER_SEALS": str(tmp_path / "seals.jsonl"),
        "CALLSERVER_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "CALLSERVER_PORT": str(port),
        "CALLSERVER_KEY": "a key for the tests alone, and long",
        "TWILIO_ACCOUNT_SID": "AC" + "e" * 32,
        "TWILIO_AUTH_TOKEN": "test",
        "TWILIO_API_URL": collector.url,
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_RESOURCE_ATTRIBUTES": "service.name=calls of a test,deployment.environment=trial",
    }
    server = Command("serve", environment=environment, errors=tmp_path / "stderr.log")
    try:
        until(lambda: _answers(f"http://127.0.0.1:{port}/livez"))
        httpx.post(
            f"http://127.0.0.1:{port}/twilio/status/call?number={NUMBER}",
            data={"To": NUMBER, "CallSid": "CA" + "1" * 32},
            headers={"traceparent": f"00-{CALLER}-b7ad6b7169203331-01"},
        )
        httpx.get(f"http://127.0.0.1:{port}/api/v1/persons/{NUMBER}")
        httpx.get(f"http://127.0.0.1:{port}/nothing/{NUMBER}")
        sign_in = f"http://127.0.0.1:{port}/api/v1/sign-in"
        tried = httpx.post(sign_in, json={"handle": "maja", "password": "?"})
        with closing(sqlite3.connect(tmp_path / "test.db")) as database, database:
            database.execute("UPDATE attempt_counters SET since = 'not an instant'")
        failed = httpx.post(sign_in, json={"handle": "maja", "password": "?"})
        assert (tried.status_code, failed.status_code) == (403, 500)
        server.send_signal(signal.SIGTERM)
        server.wait(60)
    finally:
        server.kill()
    spans = collector.spans()
    webhook = spans["POST /twilio/status/call"]
    assert webhook.trace_id.hex() == CALLER
    attributes = {item.key: item.value for item in webhook.attributes}
    assert attributes["http.response.status_code"].int_value == 403
    assert attributes["http.route"].string_value == "/twilio/status/call"
    assert "GET" in spans  # no route: its path is a stranger's
    assert spans["POST /api/v1/sign-in"].status == Status(code=Status.STATUS_CODE_ERROR)
    sent = b"".join(collector.bodies)
    assert b"multiply" not in sent  # an error's text may quote what it was about
    assert collector.attributes()["service.name"] == "calls of a test"
    assert collector.attributes()["deployment.environment"] == "trial"
    assert NUMBER.lstrip("+").encode() not in sent
    assert b"127.0.0.1" not in sent


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "find_spec", lambda _: None)
    traces.start({})
    with pytest.raises(ConfigurationProblem, match=r"callserver\[traces\]"):
        traces.start({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"})


@pytest.mark.parametrize("off", [{"OTEL_TRACES_EXPORTER": "none"}, {"OTEL_SDK_DISABLED": "true"}])
def test_the_standard_variables_turn_traces_off(
    monkeypatch: pytest.MonkeyPatch, off: dict[str, str]
) -> None:
    monkeypatch.setattr(traces, "find_spec", lambda _: None)  # it would be missed
    traces.start({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", **off})
    assert not traces.is_exporting()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
