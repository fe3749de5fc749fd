"""OpenTelemetry traces of requests and of orders to the provider, set up by the standard OTEL_… variables.

Without OTEL_EXPORTER_OTLP_ENDPOINT nothing is recorded. A span has the method, the route's pattern, the
status or result, and durations; it has no address, query, header, id or error text, so no personal data.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from callserver.errors import ConfigurationProblem

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

FLUSH_SECONDS = 2

_tracer = trace.get_tracer("callserver")


def start(environment: Mapping[str, str]) -> None:
    """Export this process's spans where the environment says; the SDK reads the variables itself.

    Raises:
        ConfigurationProblem: the packages of the extra are not installed.
    """
    if not _wanted(environment):
        return
    if find_spec("opentelemetry.sdk") is None or find_spec("opentelemetry.exporter") is None:
        raise ConfigurationProblem(
            f"{ENDPOINTS[0]} needs packages: pip install 'callserver[traces]'"
        )
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    ours = Resource.create({"service.name": "callserver"})
    provider = TracerProvider(resource=ours.merge(OTELResourceDetector().detect()))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def _wanted(environment: Mapping[str, str]) -> bool:
    """Whether the standard variables ask for traces."""
    is_off = (
        environment.get("OTEL_TRACES_EXPORTER") == "none"
        or environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    )
    return not is_off and any(environment.get(name) for name in ENDPOINTS)


async def flush() -> None:
    """Export what waits, for two seconds at most: the process is about to end."""
    provider = trace.get_tracer_provider()
    if hasattr(provider, "force_flush"):  # only the SDK's has it
        with suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_SECONDS):
                await asyncio.to_thread(provider.force_flush)


def is_exporting() -> bool:
    """Whether spans are exported. If not, none is made, because one costs a tenth of a request."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


@contextmanager
def span(name: str) -> Iterator[trace.Span]:
    """A span within the current one."""
    if not is_exporting():
        yield trace.INVALID_SPAN
        return
    with _without_words(name) as current:
        yield current


@contextmanager
def _without_words(
    name: str, caller: Context | None = None, kind: trace.SpanKind = trace.SpanKind.INTERNAL
) -> Iterator[trace.Span]:
    """A span that an error marks, without its text. OpenTelemetry would export it: twice, by default."""
    with _tracer.start_as_current_span(
        name, caller, kind, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield current
        except Exception:
            current.set_status(trace.StatusCode.ERROR)
            raise


def middleware() -> list[Middleware]:
    """A span for each HTTP request of an app that is made now; nothing where spans are not exported."""
    return [Middleware(Traces)] if is_exporting() else []


class Traces:
    """A span for each HTTP request, continuing the caller's trace."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        caller = propagate.extract(Headers(scope=scope))
        method = scope["method"]
        with _without_words(method, caller, trace.SpanKind.SERVER) as current:

            async def sent(message: Message) -> None:
                if message["type"] == "http.response.start":
                    current.set_attribute("http.response.status_code", message["status"])
                await send(message)

            try:
                await self._app(scope, receive, sent)
            finally:
                current.set_attribute("http.request.method", method)
                if "endpoint" in scope:
                    current.update_name(f"{method} {_route(scope)}")
                    current.set_attribute("http.route", _route(scope))


def _route(scope: Scope) -> str:
    """The path with its parameters named instead of filled in."""
    names = {str(value): name for name, value in scope.get("path_params", {}).items()}
    steps = scope["path"].split("/")
    return "/".join(f"{{{names[step]}}}" if step in names else step for step in steps)
