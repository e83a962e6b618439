import datetime as dt
from unittest import mock

from django.test import TestCase

from incidents.tests.factories import make_incident
from notifications.models import AnswerToken, Delivery
from notifications.services import tokens
from notifications.services.tokens import (
    Answering,
    find_answer_token,
    find_reply_code,
    new_answer_token,
    new_reply_code,
)
from notifications.tests.factories import make_method, make_page, now
from notifications.tests.fakes import fake_channel, only_channels
from users.tests.factories import make_responder


class TokenTests(TestCase):
    def setUp(self):
        self.enterContext(only_channels(fake_channel()))
        self.ana, self.incident = make_responder(), make_incident()
        make_method(self.ana)

    def delivery(self):
        return Delivery.objects.get(page_id=make_page(self.ana, self.incident).pk)

    def test_it_finds_what_a_token_and_a_code_stand_for_and_stores_neither(self):
        row = self.delivery()

        token = new_answer_token(self.ana.pk, self.incident.pk, row.pk)
        code = new_reply_code(self.ana.pk, self.incident.pk, row.pk)

        for found in (find_answer_token(token), find_reply_code(self.ana.pk, f" {code.lower()} ")):
            self.assertEqual((found.user, found.incident, found.delivery), (self.ana, self.incident, row))
        stored = AnswerToken.objects.values_list("digest", flat=True)
        self.assertFalse({token, code} & set(stored))
        self.assertEqual(len(stored), 2)

    def test_it_gives_a_repeated_message_the_same(self):
        row = self.delivery()
        pairs = [tokens.new_pairs([Answering(self.ana.pk, self.incident.pk, row.pk)]) for _ in range(2)]

        self.assertEqual(pairs[0], pairs[1])

    def test_it_knows_no_expired_foreign_or_invented_ones(self):
        row, ben = self.delivery(), make_responder()
        token = new_answer_token(self.ana.pk, self.incident.pk, row.pk)
        code = new_reply_code(self.ana.pk, self.incident.pk, row.pk)
        later = now() + dt.timedelta(hours=24, seconds=1)

        self.assertIsNone(find_answer_token(token, later))
        self.assertIsNone(find_reply_code(self.ana.pk, code, later))
        self.assertIsNone(find_reply_code(ben.pk, code))
        self.assertIsNone(find_answer_token(token[:-1]))

    def test_it_gives_two_messages_of_a_person_different_codes(self):
        first, second = self.delivery(), self.delivery()

        def collide(delivery_id, number):
            return "SAME" if number == 0 else f"{delivery_id}-{number}"

        with mock.patch.object(tokens, "_code_of", collide):
            codes = [new_reply_code(self.ana.pk, self.incident.pk, row.pk) for row in (first, second)]

        self.assertEqual(codes, ["SAME", f"{second.pk}-1"])
        self.assertEqual(find_reply_code(self.ana.pk, "SAME").delivery, first)

    def test_it_uses_a_token_once(self):
        found = find_answer_token(new_answer_token(self.ana.pk, self.incident.pk, self.delivery().pk))

        self.assertEqual([tokens.use(found, now()), tokens.use(found, now())], [True, False])
