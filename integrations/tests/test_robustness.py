"""Every value of every example replaced by values that nobody expects there."""

import copy
import json
from collections.abc import Iterator
from typing import Any

from django.test import SimpleTestCase

from alerts.updates import Action, from_json, to_json
from intake.readers import PayloadReader, example_request, examples, payload_readers
from intake.requests import IntakeError, IntakeRequest

ODD: tuple[Any, ...] = (
    *(None, True, 0, -1, 1e300, 2**63, "", " ", "\0", "x" * 3000, "a\nb", "0001-01-01T00:00:00Z", "2026-13-45"),
    *([], [[]], [None, 1, "x", {}], {}, {"a": {"b": [1]}}, {"": ""}),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path to every value, and to all inside it."""
    if path:
        yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in inside:
        yield from places(inner, (*path, name))


def replaced(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    changed = copy.deepcopy(value)
    inner = changed
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = odd
    return changed


def requests(kind: str) -> Iterator[tuple[str, IntakeRequest]]:
    for example in examples(payload_readers()[kind]):
        if "body" not in example:
            continue
        for path in places(example["body"]):
            for odd in ODD:
                body = json.dumps(replaced(example["body"], path, odd)).encode()
                whole = example_request(example)
                yield f"{path} = {str(odd)[:20]!r}", IntakeRequest("POST", "/", whole.headers, body, whole.query)


class RobustnessTests(SimpleTestCase):
    def test_it_makes_drafts_or_says_why_not_whatever_stands_where(self):
        for kind, reader in payload_readers().items():
            seen = 0
            for name, request in requests(kind):
                seen += self.count(kind, name, reader, request)
            with self.subTest(kind=kind):
                self.assertGreater(seen, 0)

    def count(self, kind: str, name: str, reader: PayloadReader, request: IntakeRequest) -> int:
        """How many updates come of a request, all of them fit to be kept."""
        try:
            updates = reader.parse(request)
        except IntakeError:
            return 0
        except Exception as error:
            raise AssertionError(f"{kind}: {name}: {error!r}") from error
        for update in updates:
            kept = from_json(json.loads(json.dumps(to_json(update))))
            is_fit = update.title and update.identity and update.action in Action and kept.identity == update.identity
            self.assertTrue(is_fit, f"{kind}: {name}: {update}")
            told = [update.title, update.description, update.fingerprint, update.note, update.user]
            pairs = [*update.labels.items(), *update.annotations.items()]
            self.assertNotIn("\0", "".join(told + [part for pair in pairs for part in pair]), f"{kind}: {name}")
        return len(updates)
