from itertools import product

from django.test import SimpleTestCase

from notifications.channels.email.inbound.authenticity import Verdict
from notifications.channels.email.inbound.deciding import (
    NO_SENDER,
    NOBODY,
    NOT_KNOWN,
    OVER_CAP,
    Action,
    Decision,
    Facts,
    Target,
    decide,
)
from tests.reported import reported_failure

YES, NO = Verdict(True, "dmarc=pass"), Verdict(False, "Not genuine.")
MENTIONED, REPLY, PROVEN = Target(7, False), Target(7, True), Target(7, True, True)


class DecidingTests(SimpleTestCase):
    def test_it_decides_each_case(self):
        person, stranger = (True, True), (True, False)
        table = [
            # policy, (has a sender, is a person), verdict, target: what happens
            ("accounts", person, YES, None, Decision(Action.OPEN, True)),
            ("anybody", person, YES, None, Decision(Action.OPEN, True)),
            ("nobody", person, YES, None, Decision(Action.HOLD, reason=NOBODY)),
            ("accounts", person, YES, REPLY, Decision(Action.COMMENT, True)),
            ("nobody", person, YES, REPLY, Decision(Action.COMMENT, True)),
            ("accounts", person, YES, MENTIONED, Decision(Action.COMMENT, True)),
            ("accounts", person, NO, PROVEN, Decision(Action.COMMENT, True)),
            ("accounts", person, NO, REPLY, Decision(Action.HOLD, reason="Not genuine.")),
            ("accounts", person, NO, MENTIONED, Decision(Action.HOLD, reason="Not genuine.")),
            ("accounts", person, NO, None, Decision(Action.HOLD, reason="Not genuine.")),
            ("anybody", person, NO, None, Decision(Action.OPEN)),
            ("anybody", person, NO, REPLY, Decision(Action.HOLD, reason="Not genuine.")),
            ("accounts", stranger, YES, None, Decision(Action.HOLD, reason=NOT_KNOWN)),
            ("nobody", stranger, YES, None, Decision(Action.HOLD, reason=NOT_KNOWN)),
            ("anybody", stranger, NO, None, Decision(Action.OPEN)),
            ("anybody", stranger, YES, REPLY, Decision(Action.HOLD, reason=NOT_KNOWN)),
            ("anybody", stranger, NO, PROVEN, Decision(Action.HOLD, reason=NOT_KNOWN)),
            ("anybody", (False, False), NO, None, Decision(Action.HOLD, reason=NO_SENDER)),
        ]
        for policy, (has_sender, is_person), verdict, target, decision in table:
            with self.subTest(policy, person=is_person, verdict=verdict, target=target):
                facts = Facts(policy, has_sender, is_person, verdict, target)

                self.assertEqual(decide(facts), decision)

    @reported_failure(24)
    def test_it_never_acts_in_a_persons_name_for_a_sender_that_is_not_genuine(self):
        for policy, is_person, target in product(
            ("nobody", "accounts", "anybody"), (True, False), (None, MENTIONED, REPLY)
        ):
            self.assertFalse(decide(Facts(policy, True, is_person, NO, target)).as_person)

    @reported_failure(24)
    def test_it_holds_what_one_sender_sends_in_excess(self):
        for policy, target in product(("accounts", "anybody"), (None, PROVEN)):
            facts = Facts(policy, True, True, YES, target, is_over_cap=True)

            self.assertEqual(decide(facts), Decision(Action.HOLD, reason=OVER_CAP))

    def test_it_does_what_an_administrator_vouches_for(self):
        for has_sender, is_person, target, is_over in product(
            (True, False), (True, False), (None, REPLY), (True, False)
        ):
            facts = Facts("nobody", has_sender, is_person and has_sender, NO, target, is_over, is_accepted=True)

            self.assertEqual(
                decide(facts), Decision(Action.COMMENT if target else Action.OPEN, as_person=is_person and has_sender)
            )
