import datetime as dt
from dataclasses import replace

from django.test import SimpleTestCase, override_settings

from incidents import digest

MOMENT = dt.datetime(2026, 3, 2, 10, 0, 0, 123456, tzinfo=dt.UTC)


def sealed() -> digest.SealedEvent:
    return digest.SealedEvent(
        incident_uid="01939d2e-0000-7000-8000-000000000001",
        seq=1,
        kind="comment",
        actor_id=7,
        actor_name="Zoë",
        origin="api",
        visibility="public",
        occurred_at=MOMENT,
        received_at=MOMENT,
        body_digest=digest.content_digest("満杯"),
        data_digest=digest.content_digest({"changes": {"status": ["open", "resolved"]}}),
        incident_number=1,
    )


@override_settings(HISTORY_KEY="a key that is used in tests only")
class DigestTests(SimpleTestCase):
    def test_it_stays_what_it_was_for_ever(self) -> None:
        """Written down once: were any of these to change, every timeline out there would read as forged."""
        self.assertEqual(
            digest.content_digest("満杯"), "2f07c188804647193839bf0c2ee1c9d2b79c7a2eaa1826b10a915504a88a701c"
        )
        self.assertEqual(
            digest.content_digest({"b": [1, None], "a": "é"}),
            "ff3f08e56a11b18c038440f2e62885896f527fd28c3a6c81d7c9cacb8226ed3a",
        )
        first = replace(sealed(), schema=1)
        self.assertEqual(
            digest.event_digest("", first), "cbb70c556dd8bb44858616c34ba1332c0eca219650fd03259771bcf2a0594144"
        )
        self.assertEqual(
            digest.event_digest("00" * 32, first), "0fc5ef2f1904da37a5b9c4de615a362a041d3b9a1f7364eabc5c09804e9f187e"
        )
        second = replace(sealed(), schema=2)
        self.assertEqual(
            digest.event_digest("", second), "2a43c6f85405f5f7a333b59f030517f1b11a3d661407a9091323deb997e82032"
        )
        third = replace(sealed(), schema=3)
        self.assertEqual(
            digest.event_digest("", third), "ec8eff4df926109802508d3e9e076dcd1657eafaed497c2483deff40ce0d94eb"
        )
        self.assertEqual(
            digest.opening_head(sealed().incident_uid),
            "0476b96e91d1289c4f88047426311a97b85e01845b5a4911c3642b4ec2306ecb",
        )
        self.assertEqual(
            digest.row_digest({"a": None, "b": True, "at": MOMENT, "n": 7, "s": "é", "j": {"k": [1]}}, 12),
            "c4ab41d43fd792d94bd65a843d33446c1f26f48c86ad3bd7158187bdac7f90eb",
        )

    def test_it_changes_with_each_fact(self) -> None:
        changes = {
            "incident_uid": "01939d2e-0000-7000-8000-000000000002",
            "seq": 2,
            "kind": "created",
            "actor_id": None,
            "actor_name": "Zoe",
            "origin": "admin",
            "visibility": "internal",
            "occurred_at": MOMENT + dt.timedelta(microseconds=1),
            "received_at": MOMENT + dt.timedelta(microseconds=1),
            "body_digest": digest.content_digest("満"),
            "data_digest": digest.content_digest({}),
            "schema": 9,
            "incident_number": 2,
            "machine_kind": "source",
            "machine_name": "Opsgenie",
        }
        self.assertEqual(set(changes), set(vars(sealed())))
        original = digest.event_digest("", sealed())
        for name, value in changes.items():
            with self.subTest(name):
                self.assertNotEqual(digest.event_digest("", replace(sealed(), **{name: value})), original)

    def test_it_changes_with_the_previous_digest_and_the_key(self) -> None:
        original = digest.event_digest("", sealed())

        self.assertNotEqual(digest.event_digest("0", sealed()), original)
        with override_settings(HISTORY_KEY="another"):
            self.assertNotEqual(digest.event_digest("", sealed()), original)

    def test_it_does_not_depend_on_the_order_of_keys_or_on_the_time_zone(self) -> None:
        in_zurich = MOMENT.astimezone(dt.timezone(dt.timedelta(hours=1)))

        self.assertEqual(digest.content_digest({"a": 1, "b": 2}), digest.content_digest({"b": 2, "a": 1}))
        self.assertEqual(
            digest.event_digest("", replace(sealed(), occurred_at=in_zurich)), digest.event_digest("", sealed())
        )

    def test_it_tells_like_from_alike(self) -> None:
        self.assertNotEqual(digest.content_digest({"a": "1"}), digest.content_digest({"a": 1}))
        self.assertNotEqual(digest.content_digest("Zürich"), digest.content_digest("Zu\u0308rich"))
        self.assertNotEqual(digest.content_digest("a\r\nb"), digest.content_digest("a\nb"))

    def test_it_refuses_what_has_no_canonical_form(self) -> None:
        with self.assertRaises(ValueError):
            digest.content_digest({"a": float("nan")})
