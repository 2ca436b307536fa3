"""The ready-made Grafana dashboard asks for metrics, labels and label values that exist."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from prometheus_client import Metric
from turning import Turns

from chatbubble.clients import Clients
from chatbubble.metrics import Metrics
from chatbubble.workers import Workers

BOARD = Path(__file__).parents[2] / "docs" / "deploy" / "grafana.json"
# Words of PromQL, and what Prometheus or the page of all processes adds.
WORDS = {"and", "by", "changes", "count", "histogram_quantile", "increase", "label_values", "max", "on", "rate", "sum"}
ADDED = {"instance", "job", "process"}


def load_board() -> Any:
    return json.loads(BOARD.read_text("utf-8"))


def queries(board: Any) -> list[str]:
    """Every query of the dashboard."""
    panels = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    variables = [item["definition"] for item in board["templating"]["list"] if "definition" in item]
    return [*panels, *variables, *(note["expr"] for note in board["annotations"]["list"])]


def exposed(turns: Turns) -> list[Metric]:
    """All metrics, those of the process included."""
    metrics = Metrics(turns.parts, Clients(max_streams=1), Workers(turns.parts), "1.2.3")
    return list(metrics.registry.collect())


def sample_names(metric: Metric) -> set[str]:
    """What may be asked for."""
    endings = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(metric.type, [""])
    return {metric.name + ending for ending in endings}


def names_in(query: str) -> set[str]:
    """All names in a query that are neither labels nor words of the language."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\b(?:by|on) \([^)]*\)", "", query)
    return set(re.findall(r"[a-z_]{2,}", bare)) - WORDS - ADDED


def test_every_query_asks_for_metrics_that_exist(turns: Turns) -> None:
    known = {name for metric in exposed(turns) for name in sample_names(metric)}
    asked = set().union(*map(names_in, queries(load_board())))
    assert len(asked) > 20
    assert asked <= known


def test_every_query_groups_by_labels_that_exist(turns: Turns) -> None:
    metrics = Metrics(turns.parts, Clients(max_streams=1), Workers(turns.parts), "1.2.3")
    turns.parts.measures.turn_errors["EMPTY_ANSWER"] += 1
    turns.parts.measures.refusals["NOT_FOUND"] += 1
    labels = {label for metric in metrics.registry.collect() for sample in metric.samples for label in sample.labels}
    for query in queries(load_board()):
        grouped = re.findall(r"\b(?:by|on) \(([^)]*)\)", query)
        asked = {label.strip() for group in grouped for label in group.split(",")}
        asked |= set(re.findall(r"(\w+)=~?\"", query))
        assert asked <= labels | ADDED, query


def test_every_metric_of_ours_is_on_the_dashboard(turns: Turns) -> None:
    asked = set().union(*map(names_in, queries(load_board())))
    ours = [metric for metric in exposed(turns) if metric.name.startswith("chatbubble_")]
    assert not [metric.name for metric in ours if not sample_names(metric) & asked]


def test_the_dashboard_can_be_imported_anywhere() -> None:
    board = load_board()
    numbers = [panel["id"] for panel in board["panels"]]
    assert len(set(numbers)) == len(numbers)
    sources = [item["datasource"]["uid"] for panel in board["panels"] for item in panel.get("targets", [])]
    assert set(sources) == {"${source}"}
    assert {item["name"] for item in board["templating"]["list"]} == {"source", "instance"}
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        assert panel["type"] == "row" or panel["description"]
