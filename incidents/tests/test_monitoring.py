from unittest import mock

from django.test import TestCase, override_settings

from incidents.monitoring import feed_check


class FeedCheckTests(TestCase):
    def test_it_is_not_ready_when_an_event_waits_too_long(self):
        with mock.patch.object(feed_check, "wait", return_value=61.0):
            response = self.client.get("/readyz")

        self.assertIn("feed: failed (The oldest event has waited 61 seconds", response.content.decode())

    @override_settings(METRICS_TOKEN="right-token")
    def test_it_tells_prometheus_how_long_events_wait(self):
        text = self.client.get("/metrics", headers={"Authorization": "Bearer right-token"}).content.decode()

        self.assertIn("incident_response_feed_wait_seconds 0.0", text)
