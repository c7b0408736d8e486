"""The conformance cases of readers: what they write, and answers as JSON would hold them."""

import json
from pathlib import Path
from typing import Any

import redis

FOLDER = Path(__file__).parent / "conformance"
CASES: list[dict[str, Any]] = json.loads((FOLDER / "reader.json").read_text(encoding="utf-8"))["cases"]
DETAILS: list[dict[str, Any]] = json.loads((FOLDER / "details.json").read_text(encoding="utf-8"))["cases"]


def name_of(case: dict[str, Any]) -> str:
    """A case's name as the name of a test."""
    return str(case["name"]).replace(" ", "-")


def write(client: redis.Redis, given: dict[str, Any]) -> None:
    """Write the keys of a case."""
    for key, text in given.get("strings", {}).items():
        client.set(key, text)
    for key, members in given.get("sorted_sets", {}).items():
        client.zadd(key, members)
    for key, fields in given.get("hashes", {}).items():
        client.hset(key, mapping=fields)


def plain(answer: Any) -> object:
    """An answer of a reader of Python, of the product's or the client's."""
    if hasattr(answer, "list_id"):
        topic, partition, offset = answer.source
        return {
            "version": answer.version,
            "user_id": answer.user_id,
            "list_id": answer.list_id,
            "generated_at_ms": answer.generated_at_ms,
            "source": {"topic": topic, "partition": partition, "offset": offset},
            "model": answer.model,
            "variant": answer.variant,
            "n_own": answer.n_own,
            "items": [
                {"id": item.item_id, "score": item.score, "source": item.source, "because": list(item.because)}
                | ({"fields": answer.fields[item.item_id]} if item.item_id in answer.fields else {})
                for item in answer.items
            ],
        }
    return [list(pair) for pair in answer] if isinstance(answer, list) else answer
