from unittest.mock import patch

from django.test import TestCase

from notifications.models import ContactMethod, Delivery, LinkCode, NotificationRule
from notifications.services.methods import offer_link_code
from notifications.vocabulary import Kind, MethodState
from users.services import create_personal_token
from users.tests.factories import client_of, make_reporter, make_responder

METHODS = "/api/v1/me/contact-methods/"
RULES = "/api/v1/me/notification-rules/"


def code_of(method: int) -> str:
    """The code of the last delivery to the method, as its message says it."""
    delivery = Delivery.objects.filter(method=method, kind=Kind.CODE).latest("pk")
    return str(delivery.content["code"])


class ContactMethodTests(TestCase):
    def setUp(self) -> None:
        self.ana, self.ben = make_responder(name="Ana"), make_responder(name="Ben")
        self.api = client_of(self.ana)

    def add(self, address: str = "ana@example.org", **fields: object):
        return self.api.post(METHODS, {"kind": "email", "address": address, **fields}, format="json")

    def test_it_adds_a_method_and_verifies_it_by_the_code_sent(self) -> None:
        added = self.add("Ana@Example.org").json()

        self.assertEqual((added["state"], added["link_code"]), ("unverified", ""))
        code = code_of(added["id"])
        self.assertRegex(code, r"^\d{6}$")
        verified = self.api.post(f"{METHODS}{added['id']}/verify/", {"code": code}, format="json")
        self.assertEqual((verified.status_code, verified.json()["state"]), (200, "ok"))

    def test_it_lists_the_kinds_there_are(self) -> None:
        answer = self.api.post(METHODS, {"kind": "pager", "address": "1"}, format="json")

        self.assertEqual((answer.status_code, answer.json()["code"]), (400, "invalid_choice"))
        self.assertRegex(answer.json()["detail"], r"^pager is none of email, .*webhook\.$")

    def test_it_refuses_wrong_codes_and_after_five_the_right_one(self) -> None:
        added = self.add().json()
        right = code_of(added["id"])
        wrong = f"{(int(right) + 1) % 10**6:06}"

        answers = [self.api.post(f"{METHODS}{added['id']}/verify/", {"code": wrong}, format="json") for _ in range(5)]
        late = self.api.post(f"{METHODS}{added['id']}/verify/", {"code": right}, format="json")

        self.assertEqual({answer.json()["code"] for answer in answers}, {"wrong_code"})
        self.assertEqual((late.status_code, late.json()["code"]), (409, "too_many_tries"))
        self.assertEqual(ContactMethod.objects.get().state, MethodState.UNVERIFIED)

    def test_it_shows_nobody_else_a_method(self) -> None:
        pk = self.add().json()["id"]
        other = client_of(self.ben)

        self.assertEqual(other.get(METHODS).json()["results"], [])
        for method, path in (("get", ""), ("patch", ""), ("delete", ""), ("post", "verify/"), ("post", "test/")):
            with self.subTest(f"{method} {path}"):
                answer = getattr(other, method)(f"{METHODS}{pk}/{path}", {"code": "1"}, format="json")
                self.assertEqual(answer.status_code, 404)

    def test_it_refuses_what_is_no_address_or_no_kind(self) -> None:
        cases = [
            ({"kind": "email", "address": "no address"}, "address"),
            ({"kind": "pigeon", "address": "x"}, "kind"),
            ({"kind": "email", "address": "a@example.org", "colour": "red"}, "colour"),
        ]
        for body, field in cases:
            with self.subTest(body):
                answer = self.api.post(METHODS, body, format="json")
                self.assertEqual((answer.status_code, answer.json()["errors"][0]["field"]), (400, field))
        self.assertEqual(ContactMethod.objects.count(), 0)

    def test_it_adds_an_address_once(self) -> None:
        self.add("ana@example.org")

        answer = self.add("ANA@example.org")

        self.assertEqual((answer.status_code, answer.json()["code"]), (409, "already_exists"))

    def test_it_limits_codes(self) -> None:
        pk = self.add().json()["id"]

        answers = [self.api.post(f"{METHODS}{pk}/code/") for _ in range(6)]

        self.assertEqual(answers[0].status_code, 202)
        self.assertEqual(answers[-1].status_code, 429)
        self.assertIn("Retry-After", answers[-1].headers)

    def test_it_sends_strangers_no_test(self) -> None:
        pk = self.add("stranger@example.org").json()["id"]

        answer = self.api.post(f"{METHODS}{pk}/test/")

        self.assertEqual((answer.status_code, answer.json()["code"]), (409, "not_verified"))
        self.assertFalse(Delivery.objects.filter(kind=Kind.TEST).exists())

    def test_it_links_the_chat_that_showed_the_code(self) -> None:
        code = offer_link_code("slack", "U123", {})

        with patch("notifications.services.methods._usable_channel"):
            answer = self.api.post(f"{METHODS}link/", {"code": code.lower()}, format="json")

        self.assertEqual((answer.status_code, answer.json()["address"], answer.json()["state"]), (201, "U123", "ok"))
        self.assertIsNotNone(LinkCode.objects.get().used_at)

    def test_it_takes_no_personal_token(self) -> None:
        _row, token = create_personal_token(self.ana, name="script", scope="write", expires_at=None)

        answer = self.client.get(METHODS, headers={"Authorization": f"Token {token}"})

        self.assertEqual(answer.status_code, 403)

    def test_it_refuses_text_messages_to_reporters(self) -> None:
        answer = client_of(make_reporter()).post(METHODS, {"kind": "sms", "address": "+41791234567"}, format="json")

        self.assertEqual(answer.status_code, 403)


class NotificationRuleTests(TestCase):
    def setUp(self) -> None:
        self.ana = make_responder(name="Ana")
        self.api = client_of(self.ana)
        self.mail = ContactMethod.objects.create(
            user=self.ana, kind="email", address="a@example.org", address_key="a", state=MethodState.OK
        )

    def set(self, importance: str = "high", **fields: object):
        body = {"importance": importance, "steps": [{"method": self.mail.pk, "delay_minutes": 2}], **fields}
        return self.api.post(RULES, body, format="json")

    def test_it_keeps_one_rule_for_each_importance(self) -> None:
        self.set()
        self.set(steps=[{"method": self.mail.pk, "delay_minutes": m} for m in (5, 0)])

        rule = self.api.get(f"{RULES}high/").json()

        self.assertEqual([step["delay_minutes"] for step in rule["steps"]], [0, 5])
        self.assertEqual(NotificationRule.objects.count(), 1)

    def test_it_refuses_what_would_reach_nobody(self) -> None:
        other = ContactMethod.objects.create(user=make_responder(), kind="email", address="b", address_key="b")
        unverified = ContactMethod.objects.create(user=self.ana, kind="email", address="c", address_key="c")
        cases = {
            "no step": {"steps": []},
            "somebody else's": {"steps": [{"method": other.pk, "delay_minutes": 0}]},
            "unverified": {"steps": [{"method": unverified.pk, "delay_minutes": 0}]},
            "negative": {"steps": [{"method": self.mail.pk, "delay_minutes": -1}]},
        }
        for name, fields in cases.items():
            with self.subTest(name):
                self.assertEqual(self.set(**fields).status_code, 400)
        self.assertEqual(NotificationRule.objects.count(), 0)

    def test_it_takes_quiet_hours_for_low_importance_only(self) -> None:
        hours = {"from": "22:00", "to": "07:00"}

        low, high = self.set("low", quiet_hours=hours), self.set("high", quiet_hours=hours)

        self.assertEqual(low.json()["quiet_hours"], {**hours, "weekdays": [0, 1, 2, 3, 4, 5, 6]})
        self.assertEqual((high.status_code, high.json()["errors"][0]["field"]), (400, "quiet_hours"))

    def test_it_refuses_quiet_hours_that_are_none(self) -> None:
        for hours in (
            {"from": "22"},
            {"from": "22:00", "to": "22:00"},
            {"from": "22:00\n", "to": "07:00"},
            {"from": "25:00", "to": "07:00"},
            {"from": "22:00", "to": "07:00", "weekdays": [7]},
            {"since": "22:00"},
        ):
            with self.subTest(hours):
                self.assertEqual(self.set("low", quiet_hours=hours).status_code, 400)

    def test_it_deletes_a_rule(self) -> None:
        self.set()

        self.assertEqual(self.api.delete(f"{RULES}high/").status_code, 204)
        self.assertEqual(self.api.get(f"{RULES}high/").status_code, 404)
