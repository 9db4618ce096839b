"""How live media is doing in this process, for `/metrics`."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from media_pipeline.live import audience
from media_pipeline.live.feed import RENDITIONS, Feeds


class LiveMetrics(Collector):
    """Reads what the feeds count anyway."""

    def __init__(self, feeds: Feeds) -> None:
        self._feeds = feeds

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        labels = ["rendition"]
        viewers = dict.fromkeys(RENDITIONS, 0)
        for feed in self._feeds:
            viewers[feed.rendition] += len(feed.audience.viewers)
        watching = GaugeMetricFamily(
            "livecommerce_live_viewers", "Viewers over the live socket", labels=labels
        )
        sent = CounterMetricFamily(
            "livecommerce_live_parts_sent", "Parts written to viewers", labels=labels
        )
        skipped = CounterMetricFamily(
            "livecommerce_live_parts_skipped", "Parts left out for slow viewers", labels=labels
        )
        for rendition in RENDITIONS:
            watching.add_metric([rendition], viewers[rendition])
            sent.add_metric([rendition], audience.sent[rendition])
            skipped.add_metric([rendition], audience.skipped[rendition])
        yield from (watching, sent, skipped)
