"""docs/alerts.md: one alert and its messages, expiry, flapping."""

from django.test import TestCase

from alerts.jobs import process_intake, prune_intake
from alerts.models import Alert, EarlyResolve
from alerts.services import enqueue, process_waiting
from alerts.services.maintenance import clear_flapping, expire
from alerts.tests.documented import after, documented, incident_of, make_update, statuses
from alerts.tests.factories import fire, make_key, make_source, post_json, receive, resolve
from alerts.updates import Action
from alerts.vocabulary import Ending
from incidents.models import Incident
from incidents.tests.factories import kinds_of
from intake.models import IntakeEvent
from intake.services.queue import delivery_key, insert_events
from intake.vocabulary import IntakeState


class IdentityTests(TestCase):
    @documented(1)
    def test_it_knows_an_alert_by_source_and_fingerprint(self) -> None:
        source = make_source()

        for fingerprint in ("disk", "Disk", "disk ", "disk"):
            fire(source, fingerprint)
        fire(make_source(), "disk")

        self.assertEqual(sorted(Alert.objects.values_list("occurrences", flat=True)), [1, 1, 1, 2])

    @documented(2)
    def test_it_takes_the_labels_or_the_title_for_a_fingerprint(self) -> None:
        source = make_source()
        for title, labels in (
            ("x", {"a": "1", "b": "2"}),
            ("y", {"b": "2", "a": "1"}),
            ("z", {}),
            ("z", {}),
            ("y", {}),
        ):
            receive(source, make_update("", title=title, labels=labels))

        counted = sorted((alert.title, len(alert.labels), alert.occurrences) for alert in Alert.objects.all())

        self.assertEqual(counted, [("y", 0, 1), ("y", 2, 2), ("z", 0, 2)])

    @documented(3)
    def test_it_counts_repeats(self) -> None:
        source = make_source()

        for minute in range(4):
            alert = fire(source, at=after(minute))

        self.assertEqual((alert.occurrences, alert.first_seen_at, alert.last_seen_at), (4, after(0), after(3)))
        self.assertEqual((alert.starts_at, statuses()), (after(0), ["open"]))
        self.assertEqual(kinds_of(Incident.objects.get()), ["created"])

    @documented(4)
    def test_it_follows_the_latest_message_but_for_labels(self) -> None:
        source = make_source()
        fire(source, title="Slow", severity="low", labels={"host": "a"}, annotations={"runbook": "x"}, description="1")

        alert = fire(
            source, title="Down", severity="high", labels={"host": "b"}, description="2", links=({"href": "https://x"},)
        )

        self.assertEqual((alert.title, alert.severity, alert.description, alert.annotations), ("Down", 3, "2", {}))
        self.assertEqual((alert.labels, alert.links), ({"host": "a"}, [{"href": "https://x"}]))

    @documented(5)
    def test_it_takes_a_numbered_delivery_once(self) -> None:
        source = make_source()
        for _ in range(2):
            number = delivery_key(source, "4711")
            events = [
                IntakeEvent(source=source, format="generic", delivery_key=number, received_at=after(0)) for _ in "ab"
            ]
            for event in events:
                event.body = b'{"title": "Disk full", "key": "disk"}'
            insert_events(events)
            process_waiting()

        self.assertEqual((IntakeEvent.objects.count(), Alert.objects.get().occurrences), (1, 1))

    @documented(6)
    def test_it_understands_the_words_for_severity(self) -> None:
        source = make_source(severity_map={"sev0": "critical", "low": "medium"}, default_severity=3)
        cases = {"sev0": 4, "LOW": 2, "critical": 4, "odd": 3, "": 3}

        found = {
            word: fire(source, f"of {word}", labels={"severity": word}, severity=said(word)).severity for word in cases
        }

        self.assertEqual(found, cases)


def said(word: str) -> str:
    """What an adapter understands of a word."""
    return word.lower() if word.lower() in ("critical", "high", "medium", "low") else ""


class OrderTests(TestCase):
    def setUp(self) -> None:
        self.source = make_source()

    @documented(7)
    def test_it_goes_by_the_times_of_the_sender(self) -> None:
        resolve(self.source, starts_at=after(0), ends_at=after(5), at=after(20))
        fire(self.source, starts_at=after(10), at=after(21))

        alert = fire(self.source, starts_at=after(0), at=after(22))

        self.assertEqual((alert.status, alert.starts_at, statuses()), ("firing", after(10), ["open"]))

    @documented(8)
    def test_it_counts_late_messages_only(self) -> None:
        fire(self.source, starts_at=after(0), title="Then", at=after(1))
        resolve(self.source, starts_at=after(0), ends_at=after(5), at=after(5))

        late = fire(self.source, starts_at=after(0), title="Late", severity="critical", at=after(6))

        self.assertEqual((late.status, late.occurrences, late.title, late.severity), ("resolved", 2, "Then", 2))
        self.assertEqual((statuses(), late.last_seen_at), (["resolved"], after(6)))

    @documented(9)
    def test_it_lets_the_end_of_an_earlier_firing_end_nothing(self) -> None:
        fire(self.source, starts_at=after(10), at=after(11))

        for facts in ({"starts_at": after(0), "ends_at": after(30)}, {"ends_at": after(9)}):
            alert = resolve(self.source, at=after(12), **facts)

        self.assertEqual((alert.status, statuses()), ("firing", ["open"]))

    @documented(10)
    def test_it_keeps_an_end_that_overtakes_its_beginning(self) -> None:
        for number, before in enumerate(([], [("fire", 0)], [("fire", 0), ("resolve", 0)])):
            with self.subTest(before=before):
                for verb, minute in before:
                    {"fire": fire, "resolve": resolve}[verb](
                        self.source, f"{number}", starts_at=after(minute), at=after(1)
                    )
                opened = Incident.objects.count()
                resolve(self.source, f"{number}", starts_at=after(10), ends_at=after(11), at=after(12))

                alert = fire(self.source, f"{number}", starts_at=after(10), at=after(13))

                self.assertEqual((alert.status, alert.starts_at), ("resolved", after(10)))
                self.assertEqual(
                    (Incident.objects.count(), set(statuses())), (opened, {"resolved"} if opened else set())
                )

    @documented(11)
    def test_it_goes_by_arrival_without_times(self) -> None:
        for minute, verb in enumerate((fire, resolve, fire, resolve, resolve, fire)):
            alert = verb(self.source, at=after(minute))

        self.assertEqual((alert.status, alert.starts_at, statuses()), ("firing", after(5), ["open"]))

    @documented(12)
    def test_it_ignores_the_end_of_what_it_never_heard_of(self) -> None:
        with self.assertRaises(Alert.DoesNotExist):
            resolve(self.source)

        self.assertEqual(IntakeEvent.objects.get().state, IntakeState.IGNORED)
        self.assertEqual((statuses(), Alert.objects.count()), ([], 0))

    @documented(12)
    def test_it_remembers_an_end_that_tells_only_its_own_time(self) -> None:
        for number, before in enumerate(([], [fire, resolve])):
            with self.subTest(before=before):
                for verb in before:
                    verb(self.source, f"{number}", at=after(1), **{"starts_at": after(0)} if verb is fire else {})
                opened = Incident.objects.count()
                self.tell_end(f"{number}", 11)

                alert = fire(self.source, f"{number}", starts_at=after(10), at=after(13))

                self.assertEqual((alert.status, alert.starts_at, alert.ends_at), ("resolved", after(10), after(11)))
                self.assertEqual((Incident.objects.count(), "open" in statuses()), (opened, False))

    @documented(12)
    def test_it_lets_fire_what_such_an_end_does_not_concern(self) -> None:
        for number, facts in enumerate(
            (
                {"at": after(13)},
                {"at": after(13), "starts_at": after(11)},
                {"at": after(12 + 61), "starts_at": after(10)},
            )
        ):
            with self.subTest(facts=facts):
                self.tell_end(f"{number}", 11)

                alert = fire(self.source, f"{number}", **facts)

                self.assertEqual((alert.status, statuses()), ("firing", ["open"] * (number + 1)))

    @documented(12)
    def test_it_believes_no_such_end_that_lies_ahead(self) -> None:
        self.tell_end("a", 60)

        alert = fire(self.source, starts_at=after(13), at=after(13))

        self.assertEqual((alert.status, EarlyResolve.objects.count()), ("firing", 0))

    @documented(12)
    def test_it_keeps_one_such_end_for_each_alert_and_forgets_it(self) -> None:
        for minute in (9, 11, 10):
            self.tell_end("a", minute)
        self.tell_end("b", 11)

        kept = dict(EarlyResolve.objects.values_list("key", "ended_at"))
        prune_intake(after(12 + 61))

        self.assertEqual(list(kept.values()), [after(11)] * 2)
        self.assertEqual(EarlyResolve.objects.count(), 0)

    def tell_end(self, fingerprint: str, minute: float) -> None:
        """Have the source say, twelve minutes on, that it was over at this one."""
        over = make_update(fingerprint, action=Action.RESOLVE, ends_at=after(minute))
        enqueue(self.source, [over, over], at=after(12))
        process_waiting(after(12))


class ExpiryTests(TestCase):
    def expired(self, at: float) -> list[str]:
        """The alerts that are over when the jobs have run then."""
        expire(after(at))
        process_intake(after(at))
        process_waiting(after(at))
        return list(
            Alert.objects.filter(status="resolved").order_by("fingerprint").values_list("fingerprint", flat=True)
        )

    @documented(29)
    def test_it_ends_what_is_not_heard_of_again(self) -> None:
        fire(make_source(expire_minutes=10), "silent", starts_at=after(0), at=after(0))
        fire(make_source(), "until five", starts_at=after(0), ends_at=after(5), at=after(0))
        fire(make_source(), "lasting", starts_at=after(0), at=after(0))

        found = [self.expired(minute) for minute in (4.9, 5, 9.9, 10, 100_000)]

        self.assertEqual(
            found, [[], ["until five"], ["until five"], ["silent", "until five"], ["silent", "until five"]]
        )
        self.assertEqual(statuses(), ["resolved", "resolved", "open"])
        self.assertEqual(set(Alert.objects.values_list("ended_by", flat=True)), {Ending.EXPIRY, ""})

    @documented(30)
    def test_it_ends_what_has_no_times_after_a_day(self) -> None:
        source = make_source()
        fire(source, at=after(0))
        fire(source, at=after(60))

        found = [self.expired(minute) for minute in (24 * 60, 25 * 60)]

        self.assertEqual(found, [[], ["a"]])

    @documented(31)
    def test_it_takes_what_expired_up_again(self) -> None:
        source = make_source(expire_minutes=10)
        fire(source, starts_at=after(0), at=after(0))
        self.expired(10)
        between = statuses()

        alert = fire(source, starts_at=after(0), at=after(12))

        self.assertEqual((between, alert.status, statuses()), (["resolved"], "firing", ["open"]))

    def test_it_takes_the_word_of_the_sender_for_the_end_of_what_expired(self) -> None:
        source = make_source(expire_minutes=10)
        fire(source, starts_at=after(0), at=after(0))
        self.expired(10)
        resolve(source, starts_at=after(0), at=after(11))

        alert = fire(source, starts_at=after(0), at=after(12))

        self.assertEqual((alert.status, alert.ended_by, statuses()), ("resolved", Ending.SENDER, ["resolved"]))

    @documented(32)
    def test_it_forgets_an_expiry_when_the_alert_is_heard_of(self) -> None:
        source = make_source(expire_minutes=10)
        fire(source, at=after(0))
        expire(after(10))

        alert = fire(source, at=after(11))

        self.assertEqual((alert.status, alert.occurrences, statuses()), ("firing", 2, ["open"]))

    def test_it_queues_an_expiry_once_while_the_queue_stands_still(self) -> None:
        fire(make_source(expire_minutes=10), at=after(0))

        for minute in range(10, 20):
            expire(after(minute))

        self.assertEqual(IntakeEvent.objects.waiting().count(), 1)

    def test_it_expires_an_alert_with_a_very_long_fingerprint(self) -> None:
        for end in "ab":
            fire(make_source(expire_minutes=10), "x" * 900 + end, at=after(0))

        found = self.expired(10)

        self.assertEqual((len(set(found)), {len(fingerprint) for fingerprint in found}), (2, {500}))

    def test_it_expires_what_a_route_now_drops(self) -> None:
        from alerts.tests.factories import make_route

        fire(make_source(expire_minutes=10), at=after(0))
        make_route(is_drop=True)

        self.assertEqual(self.expired(10), ["a"])


class FlappingTests(TestCase):
    def setUp(self) -> None:
        self.source = make_source()

    def flap(self, times: int, start: float = 0, step: float = 1) -> Alert:
        """Fire and resolve in turns."""
        for number in range(times):
            alert = (resolve if number % 2 else fire)(self.source, at=after(start + number * step))
        return alert

    @documented(33)
    def test_it_calls_six_changes_in_half_an_hour_flapping(self) -> None:
        clear_flapping_ones = [self.flap(5).is_flapping, self.flap(6, start=100, step=6).is_flapping]

        flapping = self.flap(6, start=200, step=5.9)

        self.assertEqual((clear_flapping_ones, flapping.is_flapping), ([False, False], True))

    @documented(34)
    def test_it_holds_the_incident_of_what_flaps_open(self) -> None:
        self.flap(6)
        incident = Incident.objects.get()
        events = incident.event_count

        alert = self.flap(6, start=6)

        incident.refresh_from_db()
        self.assertEqual((alert.status, incident.status, incident.event_count), ("resolved", "open", events))

    @documented(35)
    def test_it_resolves_the_incident_when_the_alert_is_clear_flapping(self) -> None:
        self.flap(6)

        found = []
        for minute in (34.9, 35):
            clear_flapping(after(minute))
            found.append((Alert.objects.get().is_flapping, *statuses()))

        self.assertEqual(found, [(True, "open"), (False, "resolved")])

    def test_it_leaves_what_fires_still_open_when_it_is_clear_flapping(self) -> None:
        self.flap(7)

        clear_flapping(after(100))

        self.assertEqual((Alert.objects.get().is_flapping, *statuses()), (False, "open"))

    def test_it_finds_the_clear_flapping_ones_behind_many_that_flap(self) -> None:
        Alert.objects.bulk_create(
            Alert(
                source=self.source, key=f"{number:04}", fingerprint=f"{number}", severity=2, starts_at=after(0),
                first_seen_at=after(0), last_seen_at=after(0), is_flapping=True,
                changes=[int(after(moment).timestamp())],
            )
            for number, moment in enumerate([100] * 250 + [0])
        )  # fmt: skip

        self.assertEqual(clear_flapping(after(101)), 1)


class DoorTests(TestCase):
    def test_it_takes_the_times_and_identity_of_a_real_sender(self) -> None:
        source = make_source(kind="alertmanager")
        key = make_key(source)
        alert = {
            "status": "firing",
            "labels": {"alertname": "Disk"},
            "startsAt": "2026-03-02T10:00:00Z",
            "fingerprint": "f",
        }

        for status in ("firing", "resolved", "firing"):
            post_json(self.client, f"/intake/{key}/", {"version": "4", "alerts": [{**alert, "status": status}]})
            process_waiting()

        stored = Alert.objects.get()
        self.assertEqual((stored.status, stored.occurrences, statuses()), ("resolved", 2, ["resolved"]))
        self.assertEqual(incident_of(stored), Incident.objects.get())
        self.assertEqual(Action.FIRE, make_update().action)
