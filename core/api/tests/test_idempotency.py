import datetime as dt

import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase, override_settings
from django.utils import timezone

from core.models import IdempotentRequest
from users.models import PersonalToken
from users.tests.factories import client_of, make_reporter


@override_settings(ROOT_URLCONF="core.api.tests.idempotent_urls")
class IdempotentWritesTests(TestCase):
    def setUp(self) -> None:
        self.user = make_reporter()
        self.client = client_of(self.user)

    def send(self, data=None, *, key="k", path="/things/", client=None, **options):
        content = data if data is not None else {"name": "a"}
        return (client or self.client).post(path, content, headers={"Idempotency-Key": key}, **options)

    def assert_done(self, times: int) -> None:
        self.assertEqual(PersonalToken.objects.count(), times)

    def test_it_gives_the_first_answer_again(self) -> None:
        first, again = self.send(), self.send()

        self.assert_done(1)
        self.assertEqual((again.status_code, again.content), (201, first.content))
        for header in ("ETag", "Location", "Content-Type"):
            self.assertEqual(again[header], first[header])
        self.assertEqual(again["Idempotent-Replayed"], "true")
        self.assertNotIn("Idempotent-Replayed", first)
        self.assertNotIn("X-Other", again)

    def test_it_does_each_thing_without_a_key(self) -> None:
        for _time in range(2):
            self.client.post("/things/", {"name": "a"})

        self.assert_done(2)

    def test_it_tells_person_path_and_key_apart(self) -> None:
        self.send()
        self.send(key="K")
        self.send(path="/other/")
        self.send(client=client_of(make_reporter()))

        self.assert_done(4)

    def test_it_refuses_the_key_with_other_content(self) -> None:
        self.send({"name": "a"})

        for other in (self.send({"name": "b"}), self.send({"name": "a"}, path="/things/?x=1"), self.send({})):
            self.assertEqual((other.status_code, other.json()["code"]), (409, "idempotency_key_reused"))
        self.assert_done(1)

    def test_it_reads_json_by_what_it_says(self) -> None:
        first = self.send('{"name": "a", "tags": [1, 2]}', content_type="application/json")

        again = self.send('{ "tags":[1,2],"name":"\\u0061" }', content_type="application/json")

        self.assertEqual(again.content, first.content)
        self.assert_done(1)

    def test_it_reads_a_form_by_fields_and_files(self) -> None:
        def form(text: bytes) -> dict:
            return {"name": "a", "file": SimpleUploadedFile("a.txt", text)}

        first = self.send(form(b"one"), format="multipart")
        again = self.send(form(b"one"), format="multipart")
        other = self.send(form(b"two"), format="multipart")

        self.assertEqual(first.json()["files"], ["one"])
        self.assertEqual((again.content, other.status_code), (first.content, 409))
        self.assert_done(1)

    def test_it_remembers_a_refusal_and_undoes_its_work(self) -> None:
        for fail in ("400", "409"):
            first, again = (self.send(key=fail, path=f"/things/?fail={fail}") for _time in range(2))

            self.assertEqual((first.status_code, again.status_code), (int(fail), int(fail)))
            self.assertEqual(again.content, first.content)
            self.assertEqual(again["Content-Type"], "application/problem+json")
            self.assertEqual(again["Idempotent-Replayed"], "true")
        self.assert_done(0)

    def test_it_forgets_what_may_go_better_next_time(self) -> None:
        for fail in ("401", "429", "503"):
            answer = self.send(key=fail, path=f"/things/?fail={fail}")

            self.assertEqual(answer.status_code, int(fail))
        self.assert_done(0)
        self.assertFalse(IdempotentRequest.objects.exists())

    def test_it_leaves_the_key_free_after_a_crash(self) -> None:
        with self.assertRaises(RuntimeError):
            self.send(path="/things/?fail=crash")

        self.assert_done(0)
        self.assertFalse(IdempotentRequest.objects.exists())
        self.assertEqual(self.send().status_code, 201)

    def test_it_gives_an_empty_answer_again(self) -> None:
        first, again = (self.client.delete("/things/", headers={"Idempotency-Key": "d"}) for _time in range(2))

        self.assertEqual((first.status_code, again.status_code, again.content), (204, 204, b""))
        self.assertEqual(again["Idempotent-Replayed"], "true")
        self.assertNotIn("Content-Type", again)

    def test_it_remembers_for_a_day(self) -> None:
        now = timezone.now()
        with time_machine.travel(now, tick=False):
            self.send()
        with time_machine.travel(now + dt.timedelta(hours=23, minutes=59), tick=False):
            self.assertIn("Idempotent-Replayed", self.send())
        with time_machine.travel(now + dt.timedelta(hours=24), tick=False):
            self.assertNotIn("Idempotent-Replayed", self.send())

        self.assert_done(2)

    def test_it_takes_keys_of_1_to_255_characters(self) -> None:
        statuses = [self.send(key=key).status_code for key in ("", "x" * 256, "x" * 255, "é €")]

        self.assertEqual(statuses, [400, 400, 201, 201])

    def test_it_asks_who_is_calling_first(self) -> None:
        self.assertEqual(self.send(client=self.client_class()).status_code, 401)
