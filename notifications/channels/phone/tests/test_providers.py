from django.test import SimpleTestCase

from notifications.channels.phone.providers import Provider, Providers
from notifications.channels.port import Address, Failed, Message, Receipt, Stage
from tests.reported import reported_failure

TO = Address("+41791234567")


class Sender:
    """A provider that fails as told, and counts."""

    def __init__(self, name: str, failure: Failed | None = None, why_unusable: str = "") -> None:
        self.failure = failure
        self.sent = 0
        self.provider = Provider(name, self, lambda: why_unusable)

    def __call__(self, message: Message, to: Address) -> Receipt:
        self.sent += 1
        if self.failure:
            raise self.failure
        return Receipt(Stage.ACCEPTED, self.provider.name, "1", f"{self.provider.name} took it")


def providers(*senders: Sender, order: str = "one,two,three") -> Providers:
    return Providers("SMS_PROVIDERS", lambda: order.split(","), [sender.provider for sender in senders])


def message(*tried: str) -> Message:
    return Message(key="k", kind="page", title="Down", tried=tried)


class ProvidersTests(SimpleTestCase):
    def test_it_sends_by_the_first_usable_one(self):
        absent, one, two = Sender("one", why_unusable="Set X."), Sender("two"), Sender("three")

        receipt = providers(absent, one, two).send(message(), TO)

        self.assertEqual((receipt.provider, absent.sent, two.sent), ("two", 0, 0))

    @reported_failure(22)
    def test_it_goes_on_to_the_next_when_one_fails(self):
        one, two = Sender("one", Failed("error 30034", is_permanent=True)), Sender("two")

        receipt = providers(one, two, order="one,two").send(message(), TO)

        self.assertEqual(receipt.provider, "two")
        self.assertEqual(receipt.detail, "one: error 30034; two took it")

    @reported_failure(22)
    def test_it_prefers_one_that_was_not_tried(self):
        one, two = Sender("one"), Sender("two")
        both = providers(one, two, order="one,two")

        chosen = [both.send(message(*tried), TO).provider for tried in ((), ("one",), ("one", "two"), ("two",))]

        self.assertEqual(chosen, ["one", "two", "one", "one"])

    def test_it_stops_at_a_number_that_never_works(self):
        one, two = Sender("one", Failed("landline", disables=True)), Sender("two")

        with self.assertRaises(Failed) as caught:
            providers(one, two, order="one,two").send(message(), TO)

        self.assertTrue(caught.exception.disables)
        self.assertEqual(two.sent, 0)

    def test_it_fails_for_good_only_if_all_do(self):
        lasting, passing = Failed("x", is_permanent=True), Failed("y", retry_after=7, may_have_arrived=True)

        with self.assertRaises(Failed) as caught:
            providers(Sender("one", lasting), Sender("two", passing), order="one,two").send(message(), TO)

        failure = caught.exception
        self.assertEqual(failure.detail, "one: x; two: y")
        self.assertEqual((failure.is_permanent, failure.retry_after, failure.may_have_arrived), (False, 7, True))

    def test_it_says_what_is_to_be_set(self):
        unset = providers(Sender("one", why_unusable="Set X."), Sender("two", why_unusable="Set Y."), order="one,two")
        misspelt = providers(Sender("one"), order="one,tow")

        self.assertEqual(unset.why_unusable(), "Set X. Or: Set Y.")
        self.assertIn("tow", misspelt.why_unusable())
        with self.assertRaises(Failed) as caught:
            unset.send(message(), TO)
        self.assertTrue(caught.exception.is_permanent)
