"""AlertUpdates: their identity, and their way through the queue and back."""

import datetime as dt

import orjson
from django.test import SimpleTestCase
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.updates import FINGERPRINT_LENGTH, Action, AlertUpdate, from_json, short_fingerprint, to_json

# Tests share the machine with others.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
TIME = st.none() | st.integers(0, 200_000_000_000).map(lambda second: dt.datetime.fromtimestamp(second, dt.UTC))
DRAFTS = st.builds(
    AlertUpdate,
    title=TEXT,
    action=st.sampled_from(Action),
    fingerprint=TEXT,
    severity=st.sampled_from(["", "critical", "low"]),
    description=TEXT,
    labels=st.dictionaries(TEXT, TEXT, max_size=3),
    annotations=st.dictionaries(TEXT, TEXT, max_size=3),
    links=st.lists(st.fixed_dictionaries({"href": TEXT, "text": TEXT}), max_size=2).map(tuple),
    starts_at=TIME,
    ends_at=TIME,
    note=TEXT,
    user=TEXT,
    is_expiry=st.booleans(),
)


class QueueTests(SimpleTestCase):
    @PATIENT
    @given(DRAFTS)
    def test_it_comes_out_of_the_queue_as_it_went_in(self, update: AlertUpdate) -> None:
        stored = orjson.dumps({"title": "", **to_json(update)})

        self.assertEqual(from_json(orjson.loads(stored)), update)

    def test_it_leaves_out_what_is_empty(self) -> None:
        stored = to_json(AlertUpdate("Disk full", fingerprint="disk"))

        self.assertEqual(stored, {"title": "Disk full", "action": "fire", "fingerprint": "disk"})

    def test_it_survives_a_draft_without_a_title(self) -> None:
        self.assertEqual(from_json(orjson.loads(orjson.dumps(to_json(AlertUpdate(""))))), AlertUpdate(""))


class IdentityTests(SimpleTestCase):
    def test_it_is_the_fingerprint_letter_for_letter(self) -> None:
        prints = ["a", " a", "A", "ä", "a\u0308", "\0", "x" * FINGERPRINT_LENGTH]

        self.assertEqual([AlertUpdate("t", fingerprint=one, labels={"b": "c"}).identity for one in prints], prints)

    def test_it_keeps_long_fingerprints_apart_and_within_bounds(self) -> None:
        prints = ["x" * 501, "x" * 502, "x" * 900 + "a", "x" * 900 + "b"]

        kept = [AlertUpdate("t", fingerprint=one).identity for one in prints]

        self.assertEqual({len(one) for one in kept}, {FINGERPRINT_LENGTH})
        self.assertEqual((len(set(kept)), [short_fingerprint(one) for one in kept]), (4, kept))

    @PATIENT
    @given(st.dictionaries(st.text(max_size=5), st.text(max_size=5), min_size=1, max_size=4), st.randoms())
    def test_it_is_made_of_the_labels_in_any_order(self, labels, random) -> None:
        items = list(labels.items())
        random.shuffle(items)

        self.assertEqual(AlertUpdate("one", labels=dict(items)).identity, AlertUpdate("other", labels=labels).identity)

    def test_it_tells_names_from_values(self) -> None:
        labels = [{"a": "b", "c": "d"}, {"a": "bc", "": "d"}, {"ab": "", "c": "d"}, {"a": "d", "c": "b"}]

        self.assertEqual(len({AlertUpdate("t", labels=one).identity for one in labels}), len(labels))

    def test_it_is_made_of_the_title_where_there_is_nothing_else(self) -> None:
        self.assertEqual(AlertUpdate("t").identity, AlertUpdate("t", description="d", severity="high").identity)
        self.assertNotEqual(AlertUpdate("t").identity, AlertUpdate("T").identity)
        self.assertEqual(len(AlertUpdate("\ud800").identity), 32)
