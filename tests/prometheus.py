"""Asks a server as Prometheus does."""

import asyncio
import urllib.request

from prometheus_client.parser import text_string_to_metric_families


async def scrape(port: int) -> dict[tuple[str, ...], float]:
    """Each sample's name and its labels' values (in order of the labels' names) to its value."""

    def read() -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as response:
            return str(response.read().decode())

    families = text_string_to_metric_families(await asyncio.to_thread(read))
    samples = (sample for family in families for sample in family.samples)
    return {(sample.name, *dict(sorted(sample.labels.items())).values()): sample.value for sample in samples}
