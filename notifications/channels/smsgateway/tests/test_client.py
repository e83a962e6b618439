import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

from django.test import SimpleTestCase, override_settings

from notifications.channels.port import Address, Failed, Message
from notifications.channels.smsgateway import client

TO = Address("+41791234567")
PAGE = Message(key="k1", kind="page", title='Disk "data" full & more', reply_code="4271")
TEXT = 'Disk "data" full & more. Reply 4271 A to acknowledge, 4271 R to resolve'


class Gateway:
    """A gateway that keeps what it got and answers as told."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str, dict[str, str], str]] = []
        self.status, self.answer, self.headers = 202, "0: Accepted for delivery", {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                outer.got.append((self.command, self.path, dict(self.headers), body))
                self.send_response(outer.status)
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(outer.answer)))
                self.end_headers()
                self.wfile.write(outer.answer.encode())

            do_POST = do_GET

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class GatewayTests(SimpleTestCase):
    def setUp(self) -> None:
        self.gateway = Gateway()
        self.addCleanup(self.gateway.close)

    def set(self, **settings: str) -> None:
        url = f"{self.gateway.url}/send?to={{to}}&text={{text}}&dlr-url={{receipt_url}}%26status%3D%25d"
        self.enterContext(
            override_settings(**{"SMS_GATEWAY_URL": url, "PUBLIC_URL": "https://incidents.example.org", **settings})
        )

    def failure(self) -> Failed:
        with self.assertRaises(Failed) as caught:
            client.send_sms(PAGE, TO)
        return caught.exception

    def test_it_fills_an_address(self):
        self.set()

        receipt = client.send_sms(PAGE, TO)

        method, path, _headers, _body = self.gateway.got[0]
        query = parse_qs(urlsplit(path).query, strict_parsing=True)
        self.assertEqual((method, query["to"], query["text"]), ("GET", [TO.value], [TEXT]))
        report = urlsplit(query["dlr-url"][0])
        self.assertEqual(report.path, "/integrations/sms-gateway/receipts")
        fields = parse_qs(report.query)
        self.assertEqual(fields["id"], [receipt.provider_id])
        self.assertEqual(fields["token"], [client.receipt_token(receipt.provider_id)])
        self.assertEqual(fields["status"], ["%d"])

    def test_it_fills_a_body_of_json(self):
        self.set(
            SMS_GATEWAY_URL=f"{self.gateway.url}/send",
            SMS_GATEWAY_METHOD="POST",
            SMS_GATEWAY_HEADERS="Content-Type: application/json; X-Key: secret",
            SMS_GATEWAY_BODY='{"to": "{to}", "text": "{text}", "ref": "{id}"}',
        )

        client.send_sms(PAGE, TO)

        method, _path, headers, body = self.gateway.got[0]
        self.assertEqual((method, headers["X-Key"]), ("POST", "secret"))
        self.assertEqual(json.loads(body), {"to": TO.value, "text": TEXT, "ref": "gw-k1"})

    def test_it_asks_the_answer_whether_it_was_taken(self):
        self.set(SMS_GATEWAY_SUCCESS=r"^0: ")
        client.send_sms(PAGE, TO)

        self.gateway.answer = "3: Unroutable"

        self.assertFalse(self.failure().is_permanent)

    def test_it_tells_what_passes_from_what_lasts(self):
        self.set()
        for status, headers, (is_permanent, retry_after, may_have_arrived) in (
            (503, {}, (False, None, True)),
            (429, {"Retry-After": "7"}, (False, 7.0, False)),
            (429, {"Retry-After": "Fri, 31 Dec 2100 23:59:59 GMT"}, (False, 86_400.0, False)),
            (403, {}, (True, None, False)),
        ):
            with self.subTest(status):
                self.gateway.status, self.gateway.headers = status, headers
                failure = self.failure()
                self.assertEqual(
                    (failure.is_permanent, failure.retry_after, failure.may_have_arrived),
                    (is_permanent, retry_after, may_have_arrived),
                )
        self.assertEqual(len(self.gateway.got), 4)  # a GET that sends is not repeated unseen

    def test_it_says_what_is_to_be_set(self):
        self.set()
        self.assertEqual(client.why_unusable(), "")

        for settings, word in (
            ({"SMS_GATEWAY_URL": ""}, "SMS_GATEWAY_URL"),
            ({"SMS_GATEWAY_URL": "http://a.example/?to={to}"}, "{text}"),
            ({"SMS_GATEWAY_HEADERS": "X-Key secret"}, "SMS_GATEWAY_HEADERS"),
            ({"SMS_GATEWAY_SUCCESS": "("}, "SMS_GATEWAY_SUCCESS"),
        ):
            with self.subTest(settings), override_settings(**settings):
                self.assertIn(word, client.why_unusable())
