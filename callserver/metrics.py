"""What a process counts about itself, for Prometheus. `/metrics` adds what the database shows.

Labels come from the code, never from a request: they are few.
"""

from prometheus_client import Counter, Gauge, Histogram

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

WEBHOOK_SECONDS = Histogram(
    "callserver_webhook_duration_seconds",
    "From the provider's request to our answer",
    ["path", "status"],
    buckets=_FAST,
)
DECISIONS = Counter(
    "callserver_dial_decisions",
    "Answers of the gate; a refusal counts under its first reason",
    ["answer", "reason"],
)
PERMITTED = DECISIONS.labels("permitted", "")
ORDER_SECONDS = Histogram(
    "callserver_provider_order_duration_seconds",
    "From an order to the provider's answer: done, refused, gone, silent",
    ["order", "result"],
    buckets=_FAST,
)
STREAMS = Gauge("callserver_live_streams", "Open streams of live updates")
BACKGROUND_TASKS = Gauge("callserver_background_tasks", "Follow-ups under way in this process")
REFUSED_REQUESTS = Counter(
    "callserver_refused_requests",
    "Requests refused because nobody who is known sent them",
    ["what", "why"],
)
FAILED_CHORES = Counter(
    "callserver_failed_chores", "Periodic work that failed, such as retention", ["chore"]
)
LOG_LINES_LOST = Counter("callserver_log_lines_lost", "Log lines that could not be written")
LOG_LINES_REPEATED = Counter("callserver_log_lines_repeated", "Log lines left out as repetitions")
