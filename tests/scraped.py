"""Metrics as Prometheus reads them."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scrape(client: httpx.Client) -> Samples:
    """Every sample of a gateway, by its name and labels."""
    answer = client.get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    families = text_string_to_metric_families(answer.text)
    return {(row.name, frozenset(row.labels.items())): row.value for family in families for row in family.samples}


def value(samples: Samples, name: str, **labels: str) -> float | None:
    """One of ours; None: it is not told."""
    return samples.get((f"samplemind_{name}", frozenset(labels.items())))


def labels_of(samples: Samples, name: str) -> list[dict[str, str]]:
    """The labels of each sample of a name."""
    return [dict(labels) for found, labels in samples if found == f"samplemind_{name}"]
