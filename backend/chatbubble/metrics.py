"""The numbers of one mounted chat as Prometheus reads them.

Nothing is kept here: each scrape makes its text from what the parts have counted. So there is no registry that
two apps of one process could share by mistake, and a token costs no more than adding to a plain number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from .clients import Clients
from .config import Settings
from .generation import TurnParts
from .measures import Histogram, Measures
from .records import TurnState
from .spending import Spending
from .store import QueueingStore
from .stream_log import QueueingLog
from .workers import Workers


class Metrics(Collector):
    """Tells what the parts of one mounted chat count.

    Attributes:
        registry: its own; it holds nothing but this and the numbers of the process.
    """

    def __init__(self, parts: TurnParts, clients: Clients, workers: Workers, version: str) -> None:
        self._parts, self._clients, self._workers, self._version = parts, clients, workers, version
        self.registry = CollectorRegistry()
        self.registry.register(self)
        # Memory, processor time, open files and the start, where the system tells them.
        ProcessCollector(registry=self.registry)

    def render(self, accept: str | None) -> tuple[bytes, str]:
        """The page for a scraper that accepts these types, and its content type."""
        encode, content_type = choose_encoder(accept or "")
        return encode(self.registry), content_type

    def collect(self) -> Iterator[Metric]:
        """All metrics but those of the process. For prometheus_client."""
        parts, measures = self._parts, self._parts.measures
        yield _info(parts, self._version)
        yield from _turns(measures)
        yield from _histograms(measures)
        yield from _streams(measures)
        yield from self._now(parts.settings)
        yield from _money(parts.spending)

    def _now(self, settings: Settings) -> Iterator[Metric]:
        clients, workers, log = self._clients.get_stats(), self._workers.get_stats(), self._parts.log.get_stats()
        yield _gauge("turns_active", "Turns that run now.", workers["activeTurns"])
        yield _gauge("streams", "Streams that can be read, running ones and those kept for a resume.", log["streams"])
        yield _gauge("stream_log_events", "Events that these streams hold.", log["events"])
        yield _gauge("stream_log_bytes", "Memory that these streams take.", log["bytes"])
        yield _gauge("stream_log_limit_bytes", "CHATBUBBLE_LOG_BYTES.", settings.log_bytes)
        yield _gauge("readers", "Readers of these streams.", log["readers"])
        yield _gauge("connections", "Open event streams, of answers and channels.", clients["activeConnections"])
        yield _gauge("connections_limit", "CHATBUBBLE_MAX_STREAMS.", settings.max_streams)
        yield _gauge("channels", "Open event streams of `GET /stream`.", clients["activeChannels"])
        yield _gauge("draining", "1 while the server stops, else 0.", int(self._workers.is_draining))
        yield self._queues()

    def _queues(self) -> Metric:
        queues = {"late_saves": self._parts.measures.late_saves, "mail": self._clients.count_mail()}
        if isinstance(self._parts.store, QueueingStore):
            queues["store"] = self._parts.store.queue_length
        if isinstance(self._parts.log, QueueingLog):
            queues["redis"] = self._parts.log.queue_length
        family = GaugeMetricFamily("chatbubble_queue_length", "What waits, by where.", labels=["queue"])
        return _filled(family, queues)


def _info(parts: TurnParts, version: str) -> Metric:
    labels = {"version": version, "provider": parts.provider.name, "model": parts.provider.model}
    family = GaugeMetricFamily("chatbubble_info", "Always 1: who answers, and our version.", labels=list(labels))
    family.add_metric(list(labels.values()), 1)
    return family


def _turns(measures: Measures) -> Iterator[Metric]:
    outcomes = {state.value: measures.outcomes[state] for state in TurnState if state is not TurnState.RUNNING}
    tokens = {"prompt": measures.prompt_tokens, "completion": measures.completion_tokens}
    yield _labelled("turns", "Turns that ended, by how.", "outcome", outcomes)
    yield _labelled("turn_errors", "Turns that ended in an error, by its code.", "code", measures.turn_errors)
    yield _labelled("refusals", "Requests refused before a stream, by the error's code.", "code", measures.refusals)
    yield _labelled("model_tokens", "The model's tokens, as its server counted them.", "kind", tokens)
    taken_over = {result: measures.taken_over[result] for result in ("run_again", "ended", "saved")}
    yield _labelled("takeovers", "Turns of dead processes that this one saw to.", "result", taken_over)
    yield _counter("fallbacks", "Questions that no model was asked: the day's budget was spent.", measures.fallbacks)
    yield _counter("aborts", "Times that somebody pressed Stop.", measures.aborts)
    yield _counter("saved_late", "Answers that the store took only later.", measures.saved_late)
    yield _counter("saved_never", "Answers that the store did not take, and never will.", measures.saved_never)


def _streams(measures: Measures) -> Iterator[Metric]:
    yield _counter("resumes", "Streams read on with `GET /chat/<streamId>`.", measures.resumes)
    yield _counter("polls", "Times that somebody asked for what there was of an answer.", measures.polls)
    yield _counter("resets", "Readers told to forget what they had read.", measures.resets)
    yield _counter("drops", "Streams whose reader was gone before the last event.", measures.drops)


def _money(spending: Spending) -> Iterator[Metric]:
    told = spending.get_stats()
    yield _gauge("budget_limit", "CHATBUBBLE_DAILY_BUDGET.", told["dailyBudget"])
    yield _gauge("budget_spent", "What the answers of this day (UTC) have cost.", told["spentToday"])
    yield _gauge("budget_reserved", "What is put aside for answers that run.", told["reservedNow"])


def _histograms(measures: Measures) -> Iterator[Metric]:
    yield _histogram("first_token", "From a question to the first text of its answer.", measures.first_token)
    yield _histogram("between_tokens", "From a piece of an answer to the text after it.", measures.between_tokens)
    yield _histogram("turn", "From a question to the end of its turn.", measures.turn)
    yield _histogram("hub_lag", "By how much the event loop woke up too late.", measures.hub_lag)


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"chatbubble_{name}", meaning, value)


def _counter(name: str, meaning: str, value: float) -> Metric:
    return CounterMetricFamily(f"chatbubble_{name}", meaning, value)


def _labelled(name: str, meaning: str, label: str, values: Mapping[str, int]) -> Metric:
    return _filled(CounterMetricFamily(f"chatbubble_{name}", meaning, labels=[label]), values)


def _filled(
    family: CounterMetricFamily | GaugeMetricFamily, values: Mapping[str, int]
) -> CounterMetricFamily | GaugeMetricFamily:
    for label, value in values.items():
        family.add_metric([label], value)
    return family


def _histogram(name: str, meaning: str, measured: Histogram) -> Metric:
    ends = [*map(floatToGoString, measured.bounds_s), "+Inf"]
    buckets = list(zip(ends, map(float, accumulate(measured.counts)), strict=True))
    return HistogramMetricFamily(f"chatbubble_{name}_seconds", meaning, buckets, measured.sum_s)
