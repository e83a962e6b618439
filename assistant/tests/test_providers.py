"""The adapters against servers that judge as the vendors do, and those against the vendors' own clients."""

import datetime as dt

import anthropic
import openai
from django.test import SimpleTestCase
from django.utils import timezone

from assistant.providers.port import Completion, Failure, Limits, Message, Prompt, ProviderFailed, Stop
from assistant.services.provider import configured
from assistant.tests.fakes import (
    KEY,
    MODEL,
    VENDORS,
    AnthropicApi,
    BedrockApi,
    OpenAIApi,
    Reply,
    Say,
    Vendor,
    fake_model,
)

PROMPT = Prompt("Be brief.", (Message("user", "What is 1 + 1? <host-1> 山"),), {})
LIMITS = Limits(seconds=5, max_tokens=50)


def asked(vendor: Vendor, say: Say, limits: Limits = LIMITS, **given: object) -> Completion:
    """What the configured adapter makes of a model that says this."""
    with fake_model(vendor, say, **given):
        provider = configured()
        assert provider is not None
        return provider.complete(PROMPT, limits)


class AnswerTests(SimpleTestCase):
    def test_it_gives_what_the_model_says(self):
        for vendor in VENDORS:
            with self.subTest(vendor=vendor.name):
                said = asked(vendor, lambda told: f"two, {'山' in told} {'Be brief.' in told}")

                self.assertEqual(said, Completion("two, True True", 120, 30, MODEL, Stop.END))

    def test_it_tells_why_the_model_stopped(self):
        for vendor, word, stop in (
            (VENDORS[0], "max_tokens", Stop.LENGTH),
            (VENDORS[0], "refusal", Stop.REFUSAL),
            (VENDORS[0], "pause_turn", Stop.OTHER),
            (VENDORS[1], "length", Stop.LENGTH),
            (VENDORS[1], "content_filter", Stop.REFUSAL),
            (VENDORS[2], "max_tokens", Stop.LENGTH),
            (VENDORS[2], "guardrail_intervened", Stop.REFUSAL),
            (VENDORS[2], "content_filtered", Stop.REFUSAL),
        ):
            with self.subTest(vendor=vendor.name, word=word):
                self.assertEqual(asked(vendor, lambda told, v=vendor, w=word: v.answer("…", w)).stop, stop)

    def test_it_ignores_calls_of_tools_and_counts_them(self):
        for vendor in VENDORS:
            with self.subTest(vendor=vendor.name):
                said = asked(vendor, lambda told, v=vendor: v.answer("text", tools=2))

                self.assertEqual((said.text, said.tools_ignored), ("text", 2))

    def test_it_offers_no_tools_and_asks_for_json_only_if_told_to(self):
        with fake_model(OpenAIApi(), lambda told: "{}") as model:
            configured().complete(PROMPT, LIMITS)  # type: ignore[union-attr]
        with fake_model(OpenAIApi(), lambda told: "{}", ASSISTANT_JSON_MODE=True) as other:
            configured().complete(PROMPT, LIMITS)  # type: ignore[union-attr]

        self.assertNotIn("tool", model.all_received)
        self.assertNotIn("response_format", model.all_received)
        self.assertIn("json_object", other.all_received)

    def test_it_asks_nobody_without_a_provider(self):
        with self.settings(ASSISTANT_PROVIDER=""):
            self.assertIsNone(configured())


class FailureTests(SimpleTestCase):
    def failure(self, vendor: Vendor, reply: Reply, limits: Limits = LIMITS, **given: object) -> ProviderFailed:
        with self.assertRaises(ProviderFailed) as caught:
            asked(vendor, lambda told: reply, limits, **given)
        return caught.exception

    def test_it_tells_failures_apart(self):
        for vendor in VENDORS:
            for status, failure in (
                (429, Failure.RATE_LIMITED),
                (500, Failure.SERVER_ERROR),
                (503, Failure.OVERLOADED),
                (400, Failure.REJECTED),
                (404, Failure.REJECTED),
            ):
                with self.subTest(vendor=vendor.name, status=status):
                    error = self.failure(vendor, vendor.error(status))

                    self.assertEqual((error.failure, error.may_be_charged), (failure, False))
        self.assertEqual(self.failure(VENDORS[0], VENDORS[0].error(529)).failure, Failure.OVERLOADED)

    def test_it_reads_how_long_to_wait(self):
        later = (timezone.now() + dt.timedelta(seconds=60)).strftime("%a, %d %b %Y %H:%M:%S GMT")

        seconds = self.failure(AnthropicApi(), AnthropicApi().error(429, Retry_After="7")).retry_after
        date = self.failure(OpenAIApi(), OpenAIApi().error(429, Retry_After=later)).retry_after

        self.assertEqual(seconds, 7)
        self.assertTrue(50 < (date or 0) < 61, date)

    def test_it_bears_answers_that_are_none(self):
        for content in (
            b"<html>502</html>",
            b'{"id": "x", "conte',
            b"[]",
            b"{}",
            b'{"choices": []}',
            b'{"content": "x"}',
        ):
            for vendor in VENDORS[:2]:
                with self.subTest(vendor=vendor.name, content=content):
                    error = self.failure(vendor, Reply(200, content))

                    self.assertEqual((error.failure, error.may_be_charged), (Failure.NOT_UNDERSTOOD, True))

    def test_it_takes_an_error_with_status_200_for_one(self):
        for vendor in VENDORS[:2]:
            with self.subTest(vendor=vendor.name):
                error = self.failure(vendor, Reply(200, vendor.error(500).content))

                self.assertEqual(error.failure, Failure.SERVER_ERROR)

    def test_it_ends_in_time_though_bytes_drip(self):
        for vendor in VENDORS:
            for reply in (Reply(200, vendor.answer("x" * 200).content, drip=0.05), Reply(200, b"{}", late=3)):
                with self.subTest(vendor=vendor.name, drip=reply.drip):
                    error = self.failure(vendor, reply, Limits(seconds=1, max_tokens=9))

                    self.assertEqual((error.failure, error.may_be_charged), (Failure.TIMED_OUT, True))

    def test_it_knows_that_nothing_was_sent_to_a_closed_port(self):
        for vendor in VENDORS:
            with self.subTest(vendor=vendor.name):
                error = self.failure(vendor, Reply(200, b""), ASSISTANT_URL="http://127.0.0.1:9/v1")

                self.assertEqual((error.failure, error.may_be_charged), (Failure.UNREACHABLE, False))

    def test_it_repeats_nothing_that_a_provider_said(self):
        error = self.failure(OpenAIApi(), OpenAIApi().error(401))

        self.assertEqual(str(error), "rejected (401)")
        self.assertNotIn(KEY, repr(error))

    def test_it_is_refused_with_another_key(self):
        for vendor in VENDORS[:2]:
            with self.subTest(vendor=vendor.name):
                error = self.failure(vendor, vendor.answer("x"), ASSISTANT_API_KEY="wrong")

                self.assertEqual((error.failure, error.status), (Failure.REJECTED, 401))


class CertifiedFakeTests(SimpleTestCase):
    """The fakes as the vendors' own clients see them; Bedrock's is read by botocore in every test above."""

    def test_anthropics_client_understands_the_fake(self):
        with fake_model(AnthropicApi(), lambda told: "two") as fake:
            client = anthropic.Anthropic(api_key=KEY, base_url=fake.url, max_retries=0)
            turns = [{"role": "user", "content": "1 + 1?"}]
            message = client.messages.create(model=MODEL, max_tokens=9, system="Brief.", messages=turns)  # type: ignore[arg-type]
            with self.assertRaises(anthropic.AuthenticationError):
                client.with_options(api_key="wrong").messages.create(model=MODEL, max_tokens=9, messages=turns)  # type: ignore[arg-type]
            with self.assertRaises(anthropic.BadRequestError):
                client.messages.create(model=MODEL, max_tokens=0, messages=turns)  # type: ignore[arg-type]

        self.assertEqual((message.content[0].text, message.stop_reason), ("two", "end_turn"))  # type: ignore[union-attr]
        self.assertEqual((message.usage.input_tokens, message.usage.output_tokens), (120, 30))

    def test_openais_client_understands_the_fake(self):
        with fake_model(OpenAIApi(), lambda told: "two") as fake:
            client = openai.OpenAI(api_key=KEY, base_url=f"{fake.url}/v1", max_retries=0)
            said = client.chat.completions.create(
                model=MODEL, max_tokens=9, messages=[{"role": "user", "content": "1?"}]
            )
            with self.assertRaises(openai.AuthenticationError):
                client.with_options(api_key="wrong").chat.completions.create(model=MODEL, messages=[])
            with self.assertRaises(openai.BadRequestError):
                client.chat.completions.create(model=MODEL, messages=[], extra_body={"unheard_of": 1})

        self.assertEqual((said.choices[0].message.content, said.choices[0].finish_reason), ("two", "stop"))
        self.assertEqual(said.usage.total_tokens, 150)  # type: ignore[union-attr]

    def test_the_clients_take_errors_for_what_they_are(self):
        with fake_model(AnthropicApi(), lambda told: AnthropicApi().error(529)) as fake:
            client = anthropic.Anthropic(api_key=KEY, base_url=fake.url, max_retries=0)
            with self.assertRaises(anthropic.APIStatusError) as overloaded:
                client.messages.create(model=MODEL, max_tokens=9, messages=[{"role": "user", "content": "1?"}])
        with fake_model(OpenAIApi(), lambda told: OpenAIApi().error(429)) as fake:
            other = openai.OpenAI(api_key=KEY, base_url=f"{fake.url}/v1", max_retries=0)
            with self.assertRaises(openai.RateLimitError):
                other.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "1?"}])

        self.assertEqual(overloaded.exception.status_code, 529)

    def test_it_refuses_what_bedrock_would(self):
        with fake_model(BedrockApi(), lambda told: "two"):
            provider = configured()
            with self.assertRaises(ProviderFailed) as caught:
                provider.complete(PROMPT, Limits(seconds=5, max_tokens=0))  # type: ignore[union-attr]

        self.assertFalse(caught.exception.is_passing)
