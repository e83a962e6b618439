from django.test import TestCase, override_settings

ORIGIN = "https://status.example.org"


class CorsTests(TestCase):
    def preflight(self, origin: str) -> object:
        headers = {"Origin": origin, "Access-Control-Request-Method": "PATCH"}
        return self.client.options("/api/v1/incidents/", headers=headers)

    @override_settings(CORS_ALLOWED_ORIGINS=[ORIGIN])
    def test_it_lets_a_named_front_end_call_the_api(self) -> None:
        response = self.preflight(ORIGIN)

        self.assertEqual(response.headers.get("Access-Control-Allow-Origin"), ORIGIN)
        self.assertIn("PATCH", response.headers["Access-Control-Allow-Methods"])
        self.assertIn("if-match", response.headers["Access-Control-Allow-Headers"])
        self.assertIn("idempotency-key", response.headers["Access-Control-Allow-Headers"])

    @override_settings(CORS_ALLOWED_ORIGINS=[ORIGIN])
    def test_it_lets_no_other_origin_in(self) -> None:
        response = self.preflight("https://evil.example.org")

        self.assertNotIn("Access-Control-Allow-Origin", response.headers)

    def test_it_lets_nobody_in_unless_set(self) -> None:
        response = self.preflight(ORIGIN)

        self.assertNotIn("Access-Control-Allow-Origin", response.headers)
