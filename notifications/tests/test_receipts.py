from notifications.channels.port import Failed, Stage
from notifications.models import ContactMethod, Delivery
from notifications.services.answers import answer
from notifications.services.claiming import claim
from notifications.services.receipts import chase_receipts, record_failure, record_receipt
from notifications.services.settling import Result, settle
from notifications.tests.factories import at, make_method, make_rule, seconds
from notifications.tests.fakes import Script, accepted, fake_channel, only_channels
from notifications.tests.test_bundling import EngineCase
from notifications.vocabulary import MethodState, Outcome, State
from tests.reported import reported_failure
from users.tests.factories import make_admin


class ReceiptCase(EngineCase):
    providers = ("first", "second")

    def setUp(self):
        super().setUp()
        self.channel = fake_channel("sms", self.script, receipt_seconds=60, providers=lambda: self.providers)
        self.mail = fake_channel("email", Script())
        self.enterContext(only_channels(self.channel, self.mail))
        self.method = make_method(self.ana, "sms")
        make_rule(self.ana, (self.method, 0), (make_method(self.ana, "email"), 30))
        self.script.steps = [accepted("id-1", "first"), accepted("id-2", "second")]
        with at(self.moment):
            self.page_of_ana = self.page()
        self.run_at(self.moment)

    @property
    def row(self):
        return Delivery.objects.get(channel="sms")

    def mail_row(self):
        return Delivery.objects.get(channel="email")

    def chase_at(self, moment):
        with at(moment):
            return chase_receipts(moment)


class ReceiptTests(ReceiptCase):
    def test_it_notes_a_receipt_and_waits_no_longer(self):
        self.assertTrue(record_receipt("sms", "id-1", Stage.DELIVERED, "handset"))

        self.assertEqual((self.row.state, self.row.receipt_due_at), (State.DELIVERED, None))
        self.assertEqual(self.row.attempts.get().outcome, Outcome.DELIVERED)
        self.assertIsNone(self.row.answered_at)
        self.assertEqual(self.chase_at(self.moment + seconds(100)), 0)

    def test_it_ignores_receipts_out_of_order_and_of_strangers(self):
        record_receipt("sms", "id-1", Stage.DELIVERED)
        record_receipt("sms", "id-1", Stage.ACCEPTED)

        self.assertEqual(self.row.state, State.DELIVERED)
        self.assertFalse(record_receipt("sms", "unknown", Stage.DELIVERED))
        self.assertFalse(record_receipt("voice", "id-1", Stage.DELIVERED))
        self.assertFalse(record_receipt("sms", "", Stage.DELIVERED))

    @reported_failure(22)
    def test_it_goes_on_to_the_next_provider_and_method_when_no_receipt_comes(self):
        self.assertEqual(self.chase_at(self.moment + seconds(59)), 0)

        self.assertEqual(self.chase_at(self.moment + seconds(60)), 1)

        self.assertEqual(self.mail_row().next_attempt_at, self.moment + seconds(60))
        self.run_at(self.moment + seconds(60))
        self.assertEqual(self.script.messages[-1].tried, ("first",))
        self.assertEqual(
            [one.outcome for one in self.row.attempts.order_by("number")], [Outcome.NO_RECEIPT, Outcome.ACCEPTED]
        )
        self.assertEqual((self.row.provider, self.row.state), ("second", State.ACCEPTED))

    @reported_failure(22)
    def test_it_counts_a_message_without_a_receipt_as_failed_when_no_provider_is_left(self):
        for second in (60, 120):
            self.chase_at(self.moment + seconds(second))
            self.run_at(self.moment + seconds(second))

        self.assertEqual((self.row.state, self.row.reason), (State.FAILED, "No receipt came in time."))
        self.assertEqual(len(self.script.sent), 2)

    def test_it_takes_a_late_receipt_for_what_it_is(self):
        self.chase_at(self.moment + seconds(60))

        record_receipt("sms", "id-1", Stage.DELIVERED)

        self.assertEqual((self.row.state, self.row.next_attempt_at), (State.DELIVERED, None))
        self.assertEqual(self.run_at(self.moment + seconds(60)), 0)

    @reported_failure(23)
    def test_it_goes_on_when_the_provider_reports_a_voicemail_or_another_failure_later(self):
        with at(self.moment + seconds(20)):
            self.assertTrue(record_failure("sms", "id-1", Failed("No key was pressed.", is_permanent=True)))

        self.assertEqual((self.row.state, self.row.reason), (State.FAILED, "No key was pressed."))
        self.assertEqual(self.mail_row().next_attempt_at, self.moment + seconds(20))
        self.assertEqual(self.row.attempts.get().outcome, Outcome.FAILED)
        self.method.refresh_from_db()
        self.assertEqual(self.method.state, MethodState.FAILING)

    def test_it_disables_a_number_that_never_works(self):
        record_failure("sms", "id-1", Failed("A landline.", disables=True))

        self.assertEqual(ContactMethod.objects.get(kind="sms").state, MethodState.DISABLED)

    @reported_failure(23)
    def test_it_counts_as_reached_only_who_answered(self):
        admin = make_admin()
        make_method(admin, "sms")
        page = self.page(admin)
        self.run_at(self.moment + seconds(30))
        row = Delivery.objects.get(page_id=page.pk)
        record_receipt("sms", row.provider_id, Stage.DELIVERED)
        page.refresh_from_db()
        self.assertIsNone(page.answered_at)

        answer(admin, page.incident_id, "acknowledge", channel_name="SMS", delivery=row)

        row.refresh_from_db()
        page.refresh_from_db()
        self.assertEqual(row.state, State.ANSWERED)
        self.assertTrue(row.answered_at and page.answered_at)

    def test_it_keeps_an_answer_whatever_comes_later(self):
        Delivery.objects.filter(pk=self.row.pk).update(state=State.ANSWERED, answered_at=self.moment)

        record_receipt("sms", "id-1", Stage.DELIVERED)
        record_failure("sms", "id-1", Failed("Undelivered.", is_permanent=True))

        self.assertEqual(self.row.state, State.ANSWERED)
        self.assertIsNotNone(self.row.delivered_at)

    def test_it_leaves_an_attempt_under_way_alone_when_the_one_before_fails(self):
        self.chase_at(self.moment + seconds(60))
        with at(self.moment + seconds(60)):
            [claimed] = claim(self.channel, 1)
            record_failure("sms", "id-1", Failed("Undelivered.", is_permanent=True))
            settle(self.channel, [Result(claimed, receipt=accepted("id-2", "second"))])

        self.assertEqual((self.row.state, self.row.provider_id), (State.ACCEPTED, "id-2"))


class OneProviderTests(ReceiptCase):
    providers = ("first",)

    @reported_failure(22)
    def test_it_goes_on_to_the_next_method_alone(self):
        self.chase_at(self.moment + seconds(60))

        self.assertEqual((self.row.state, self.row.reason), (State.FAILED, "No receipt came in time."))
        self.assertEqual(self.mail_row().next_attempt_at, self.moment + seconds(60))
        self.page_of_ana.refresh_from_db()
        self.assertIsNone(self.page_of_ana.failed_at)
