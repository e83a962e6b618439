"""Elasticsearch and OpenSearch: how each opens, sorts and closes a point in time, by product and version."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

KEEP_ALIVE = "2m"  # longer than a search
VERSION = re.compile(r"(\d+)\.(\d+)")
LEAST = {False: (7, 10), True: (2, 4)}  # points in time, of Elasticsearch and of OpenSearch
SHARD_DOC = {False: (7, 12), True: (3, 3)}


@dataclass(frozen=True)
class Product:
    is_opensearch: bool
    version: tuple[int, int]

    @property
    def is_too_old(self) -> bool:
        return self.version < LEAST[self.is_opensearch]

    @property
    def name(self) -> str:
        return f"{'OpenSearch' if self.is_opensearch else 'Elasticsearch'} {self.version[0]}.{self.version[1]}"

    def order(self) -> list[dict[str, str]]:
        """Return a total order: `_shard_doc` is one by itself, an id only within its index."""
        if self.version >= SHARD_DOC[self.is_opensearch]:
            return [{"_shard_doc": "asc"}]
        return [{"_index": "asc"}, {"_id": "asc"}]

    def opening(self, index: str) -> tuple[str, dict[str, str]]:
        """Return path and parameters of the POST that opens a point in time of whole shards."""
        place = f"/{quote(index, safe=',*')}"
        if self.is_opensearch:
            params = {"keep_alive": KEEP_ALIVE, "allow_partial_pit_creation": "false"}
            return f"{place}/_search/point_in_time", params
        return f"{place}/_pit", {"keep_alive": KEEP_ALIVE}

    def opened(self, answer: dict[str, Any]) -> Any:
        return answer["pit_id" if self.is_opensearch else "id"]

    def closing(self, pit: str) -> tuple[str, dict[str, Any]]:
        """Return path and body of the DELETE that closes it."""
        return ("/_search/point_in_time", {"pit_id": [pit]}) if self.is_opensearch else ("/_pit", {"id": pit})


# What may not ask for the product is likely a key for indices of a later Elasticsearch.
ASSUMED = Product(is_opensearch=False, version=SHARD_DOC[False])


def product_of(answer: dict[str, Any]) -> Product | None:
    """Return the product that introduces itself in the answer to GET /; None for another."""
    version = answer.get("version")
    if not isinstance(version, dict) or not (match := VERSION.match(str(version.get("number", "")))):
        return None
    return Product(version.get("distribution") == "opensearch", (int(match[1]), int(match[2])))
