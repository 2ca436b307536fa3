"""The metrics of several processes on one page, for where they share one address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector


class FleetMetrics(Collector):
    """All samples of all processes, each with its `process` as one more label.

    Args:
        pages: what each process tells about itself, in Prometheus's text format, by the process's name.
    """

    def __init__(self, pages: Mapping[str, str]) -> None:
        self._pages = pages

    def render(self, accept: str | None) -> tuple[bytes, str]:
        """The page for a scraper that accepts these types, and its content type."""
        registry = CollectorRegistry()
        registry.register(self)
        encode, content_type = choose_encoder(accept or "")
        return encode(registry), content_type

    def collect(self) -> Iterator[Metric]:
        """The metrics of all. For prometheus_client."""
        families: dict[str, Metric] = {}
        for process, page in self._pages.items():
            for told in text_string_to_metric_families(page):
                family = families.setdefault(told.name, Metric(told.name, told.documentation, told.type))
                for sample in told.samples:
                    family.add_sample(sample.name, {**sample.labels, "process": process}, sample.value)
        yield from families.values()
