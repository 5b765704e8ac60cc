"""What the server counts, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from sandboxes.server.gate import Gate

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


class Metrics:
    """The counters of one server, apart from those of any other in this process.

    Attributes:
        requests: Requests by route and HTTP status.
        verdicts: Verdicts by route: codes where programs were judged, SandboxFusion's status where they only ran.
        internal_errors: Requests in which the sandbox failed, so that there is no verdict.
        seconds: Seconds that a request was served, without waiting.
    """

    def __init__(self, gate: Gate):
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "mars_sandbox_requests", "Requests answered", ["route", "status"], registry=self._registry
        )
        self.verdicts = Counter("mars_sandbox_verdicts", "Verdicts", ["route", "verdict"], registry=self._registry)
        self.internal_errors = Counter(
            "mars_sandbox_internal_errors", "Requests without a verdict", ["route"], registry=self._registry
        )
        self.seconds = Histogram(
            "mars_sandbox_run_seconds",
            "Seconds of being served, without waiting",
            ["route"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        for name, meaning, read in (
            ("mars_sandbox_queue_length", "Requests that wait", lambda: gate.waiting),
            ("mars_sandbox_running", "Requests being served", lambda: gate.running),
            ("mars_sandbox_workers", "Requests that can be served at once", lambda: gate.workers),
        ):
            Gauge(name, meaning, registry=self._registry).set_function(read)

    def text(self) -> bytes:
        """All of them in Prometheus's text format."""
        return generate_latest(self._registry)
