"""Questions from the click to the stored answer, with models that behave well and badly."""

import datetime as dt
import json
import time
from decimal import Decimal
from typing import Any
from unittest import mock

import time_machine
from django.test import TestCase, override_settings
from django.utils import timezone

from alerts.tests.factories import fire, make_route, make_source
from assistant.answers import claims_of
from assistant.models import ModelBudget, ModelCall, ModelSwitch
from assistant.services import answering, provider
from assistant.services.answering import answer_waiting
from assistant.services.asking import ask
from assistant.services.model_suggestions import status_of, stored_for
from assistant.tests.asking import asked, causes, rows_told, sentences, sound
from assistant.tests.fakes import VENDORS, AnthropicApi, OpenAIApi, Reply, fake_model
from assistant.tests.seeded import texts, traces_of
from assistant.vocabulary import CallState, ModelState, Outcome, Task
from core.errors import Conflict, NotFound, PermissionRefused
from incidents.models import Incident
from incidents.services import comment, update
from incidents.services.redaction import redact
from incidents.tests.factories import make_incident, make_service, make_team
from logs.lines import Line
from logs.tests.factories import make_lines
from users.tests.factories import make_admin, make_reporter, make_responder

API = AnthropicApi()


class AnsweringTestCase(TestCase):
    def setUp(self) -> None:
        self.team = make_team("Database", ada := make_responder(name="Ada Lovelace"))
        self.ada = ada
        self.incident = make_incident(
            by=ada,
            title="Checkout fails on db-3.prod.internal",
            description="Ada Lovelace saw 10.2.3.4 refuse; password=hunter2x9",
            team=self.team,
        )

    def told(self) -> str:
        """What a model is told about the incident for causes."""
        with fake_model(API, sound) as model:
            asked(self.incident, self.ada)
        return model.all_received


def make_due() -> None:
    """Let what waits for its time, or for a process that died, be due."""
    ModelCall.objects.filter(due_at__isnull=False).update(due_at=timezone.now() - dt.timedelta(seconds=1))


class AskingTests(AnsweringTestCase):
    def test_it_stores_the_answer_of_every_vendor(self):
        for vendor in VENDORS:
            with self.subTest(vendor=vendor.name), fake_model(vendor, sound, ASSISTANT_INCIDENT_BUDGET=Decimal(10**9)):
                call = asked(self.incident, self.ada)

                found = stored_for(self.incident, self.ada)
                self.assertEqual((call.state, call.outcome, call.provider), ("done", "used", vendor.name))
                self.assertEqual((call.tokens_in, call.tokens_out, call.due_at), (120, 30, None))
                self.assertEqual([one.hypothesis for one in found.causes], ["It began there."])
                self.assertEqual(found.status.state, ModelState.READY)

    def test_it_answers_each_task(self):
        with fake_model(API, sound):
            for task in Task:
                asked(self.incident, self.ada, task)
            found = stored_for(self.incident, self.ada)

        self.assertEqual(found.summary.text, "It began there.")
        self.assertEqual(found.hand_over.text, "It began there.")
        self.assertEqual(found.hand_over.evidence, found.summary.evidence)

    def test_it_asks_only_once_while_it_waits(self):
        with fake_model(API, sound):
            first = ask(self.incident, task=Task.CAUSES, by=self.ada)
            second = ask(self.incident, task=Task.CAUSES, by=self.ada)

            self.assertEqual(first.pk, second.pk)
            self.assertEqual(status_of(self.incident).state, ModelState.WAITING)

    def test_it_takes_an_equal_question_from_the_cache(self):
        with fake_model(API, sound) as model:
            asked(self.incident, self.ada)
            again = asked(self.incident, self.ada)
            comment(self.incident, by=self.ada, message="Something new")
            other = asked(self.incident, self.ada)

        self.assertEqual((again.outcome, again.tokens_in, other.outcome), (Outcome.CACHED, 0, Outcome.USED))
        self.assertEqual(len(model.received), 2)

    def test_it_sends_nothing_without_a_provider(self):
        with fake_model(API, sound, ASSISTANT_PROVIDER="") as model, self.assertRaises(Conflict) as caught:
            ask(self.incident, task=Task.CAUSES, by=self.ada)

        self.assertEqual((caught.exception.code, model.received), ("model_off", []))
        self.assertEqual(stored_for(self.incident, self.ada).status.state, ModelState.OFF)

    def test_it_never_sends_restricted_incidents(self):
        with fake_model(API, sound) as model:
            ask(self.incident, task=Task.CAUSES, by=self.ada)
            update(self.incident, fields={"is_restricted": True}, by=make_admin())
            answer_waiting()
            self.incident.refresh_from_db()
            with self.assertRaises(Conflict):
                ask(self.incident, task=Task.CAUSES, by=self.ada)

        self.assertEqual((ModelCall.objects.get().outcome, model.received), (Outcome.DROPPED, []))

    def test_it_is_for_staff_who_see_the_incident(self):
        rita, other, otto = make_reporter(), make_reporter(), make_responder(name="Otto")
        incident = make_incident(by=rita)
        with fake_model(API, sound):
            for by, error in ((rita, PermissionRefused), (other, NotFound)):
                with self.subTest(error=error), self.assertRaises(error):
                    ask(incident, task=Task.CAUSES, by=by)
            asked(incident, self.ada)

            self.assertEqual(stored_for(incident, rita).causes, ())
            self.assertEqual(len(stored_for(incident, otto).causes), 1)

    def test_it_shows_nothing_to_those_who_do_not_see_what_the_model_was_told(self):
        other = make_incident(title="Secret")
        with fake_model(API, sound):
            call = asked(self.incident, self.ada)
            ModelCall.objects.filter(pk=call.pk).update(rows=f"{call.rows}incident-{other.pk} ")
            before = stored_for(self.incident, self.ada).causes
            update(other, fields={"is_restricted": True}, by=make_admin())

            self.assertEqual((len(before), stored_for(self.incident, self.ada).causes), (1, ()))
            self.assertEqual(len(stored_for(self.incident, make_admin()).causes), 1)

    def test_it_forgets_answers_once_a_text_is_redacted(self):
        with fake_model(API, sound):
            call = asked(self.incident, self.ada)
            redact(self.incident.events.get(seq=1), by=make_admin())
            call.refresh_from_db()

            self.assertEqual((call.result, stored_for(self.incident, self.ada).causes), ({}, ()))

    def test_it_gives_an_answer_of_the_cache_no_names_of_before(self):
        source, said = make_source(), lambda told: causes(("<host-2> is full", rows_told(told)[:1]))
        alert = fire(source, fingerprint="1", title="Disk of web-01 full")
        alerts = type(alert).objects.filter(pk=alert.pk)
        alerts.update(incident=self.incident)
        with fake_model(API, said):
            asked(self.incident, self.ada)
            alerts.update(title="Disk of web-02 full")
            asked(self.incident, self.ada)
            [cause] = stored_for(self.incident, self.ada).causes

        self.assertEqual(cause.hypothesis, "web-02 is full")

    def test_it_drops_an_answer_to_what_was_redacted_until_it_is_stored(self):
        def meanwhile(*asked: Any) -> Any:
            redact(self.incident.events.get(seq=1), by=make_admin())
            return result_of(*asked)

        result_of = answering._result
        with fake_model(API, sound), mock.patch.object(answering, "_result", meanwhile):
            call = asked(self.incident, self.ada)

        self.assertEqual((call.outcome, call.result), (Outcome.DROPPED, {}))

    def test_it_drops_an_answer_to_what_was_redacted_meanwhile(self):
        def meanwhile(*asked: Any) -> Any:
            redact(self.incident.events.get(seq=1), by=make_admin())
            return claims_of(*asked)

        with fake_model(API, sound), mock.patch.object(answering, "claims_of", meanwhile):
            call = asked(self.incident, self.ada)

        self.assertEqual((call.outcome, call.result), (Outcome.DROPPED, {}))
        self.assertIn("removed", call.reason)


class CheckingTests(AnsweringTestCase):
    def test_it_repairs_an_answer_once(self):
        said = iter(["Of course! Here it is.", None])
        with fake_model(API, lambda told: next(said) or sound(told)) as model:
            call = asked(self.incident, self.ada)

        self.assertEqual((call.outcome, call.tokens_in), (Outcome.REPAIRED, 240))
        self.assertIn("it holds no JSON object", model.all_received)

    def test_it_drops_what_stays_invalid(self):
        for text in (
            "nothing",
            '{"causes": [{"hypothesis": "x", "confidence": 0.5, "evid',
            '{"causes": [{"hypothesis": "x", "confidence": 2, "evidence": ["incident-1"]}]}',
            '{"causes": [{"hypothesis": "x", "confidence": 0.5, "evidence": []}]}',
            '{"causes": [], "close_incident": true}',
            '{"causes": {"severity": "low"}}',
        ):
            with (
                self.subTest(text=text),
                fake_model(API, lambda told, t=text: t, ASSISTANT_INCIDENT_BUDGET=Decimal(10**9)) as fake,
            ):
                call = asked(self.incident, self.ada)

                self.assertEqual((call.outcome, call.result, len(fake.received)), (Outcome.DROPPED, {}, 2))
                self.assertEqual(status_of(self.incident).state, ModelState.FAILED)

    def test_it_drops_a_megabyte_at_once(self):
        with fake_model(API, lambda told: "a" * 1_000_000) as model:
            began = time.process_time()
            call = asked(self.incident, self.ada)

        self.assertEqual((call.outcome, len(model.received)), (Outcome.DROPPED, 2))
        self.assertLess(time.process_time() - began, 10)
        self.assertLess(len(model.received[1]), 20_000)

    def test_it_repairs_an_answer_that_was_cut_off(self):
        said = iter([API.answer('{"causes": []}', "max_tokens"), None])
        with fake_model(API, lambda told: next(said) or sound(told)):
            self.assertEqual(asked(self.incident, self.ada).outcome, Outcome.REPAIRED)

    def test_it_drops_claims_about_rows_that_do_not_exist(self):
        def say(told: str) -> str:
            known = rows_told(told)[0]
            return causes(("Real.", [known, "event-999999"]), ("Invented.", ["event-999999", "log-1"]))

        with fake_model(API, say):
            asked(self.incident, self.ada)
            [cause] = stored_for(self.incident, self.ada).causes

        self.assertEqual((cause.hypothesis, [one.id for one in cause.evidence if one.id == 999999]), ("Real.", []))

    def test_it_shows_nothing_when_all_is_invented(self):
        with fake_model(API, lambda told: causes(("Invented.", ["event-999999"]))):
            call = asked(self.incident, self.ada)

        self.assertEqual((call.outcome, call.result), (Outcome.DROPPED, {}))
        self.assertEqual(call.reason, "The model's answer cited nothing that it was told.")

    def test_it_takes_a_refusal_for_one(self):
        with fake_model(API, lambda told: API.answer("I cannot.", "refusal")) as model:
            call = asked(self.incident, self.ada)

        self.assertEqual((call.outcome, len(model.received)), (Outcome.REFUSED, 1))

    def test_it_records_calls_of_tools_and_makes_none(self):
        with fake_model(API, lambda told: API.answer(str(sound(told)), tools=3)):
            call = asked(self.incident, self.ada)

        self.assertEqual((call.outcome, call.tools_ignored), (Outcome.USED, 3))


class RedactionTests(AnsweringTestCase):
    def test_it_sends_pseudonyms_and_restores_them(self):
        def say(told: str) -> str:
            return causes(("<host-1> refused <person-1>, says <secret-1>", rows_told(told)[:1]))

        with fake_model(API, say) as model:
            asked(self.incident, self.ada)
            [cause] = stored_for(self.incident, self.ada).causes

        for word in ("db-3", "Ada", "Lovelace", "10.2.3.4", "hunter2x9"):
            self.assertNotIn(word, model.all_received)
        self.assertEqual(cause.hypothesis, "db-3.prod.internal refused Ada Lovelace, says <secret-1>")

    def test_it_sends_no_secret_from_any_kind_of_row(self):
        seeded = [one for one in texts(3) if len(one.text) < 1800]
        service = make_service("payments", team=self.team)
        make_route(team=self.team)
        source, sent, count = make_source(), [], 0
        with (
            fake_model(
                API,
                lambda told: sent.append(told) or "no answer",
                ASSISTANT_INCIDENT_BUDGET=Decimal(10**9),
                ASSISTANT_DAILY_BUDGET=Decimal(10**9),
            ) as model,
            self.assertLogs(level="DEBUG") as logged,
        ):
            answering.log.warning("logging is on")
            for start in range(0, len(seeded), 5):
                batch = seeded[start : start + 5]
                five = (batch * 5)[:5]
                is_title = "\n" not in five[0].text and len(five[0].text) <= 200
                incident = make_incident(
                    by=self.ada,
                    title=five[0].text if is_title else "Checkout is down",
                    description=five[1].text if is_title else f"{five[1].text}\n\n{five[0].text}",
                    services=[service],
                    team=self.team,
                )
                comment(incident, by=self.ada, message=five[2].text)
                alert = fire(source, fingerprint=str(start), title="Disk full", description=five[3].text)
                type(alert).objects.filter(pk=alert.pk).update(incident=incident)
                make_lines(
                    Line(timestamp=incident.occurred_at, level=50, service="payments", message=five[4].text),
                    at=timezone.now(),
                )
                asked(incident, self.ada)
                count += len(batch)

        everything = "\n".join([*map(str, ModelCall.objects.values()), *logged.output])
        received = "\n".join(one.partition("\n{")[2] for one in model.all_received.split("POST /v1/messages"))
        leaked = {one.form for one in seeded if traces_of(one.secret, received)}
        kept = {one.form for one in seeded if one.secret in everything}
        self.assertGreater(count, 200)
        self.assertEqual((leaked, kept), (set(), set()))
        self.assertGreaterEqual(len(sent), 2 * count // 5)  # the repair, too

    def test_it_has_no_secret_in_its_logs_when_a_provider_fails(self):
        with fake_model(OpenAIApi(), lambda told: OpenAIApi().error(500)), self.assertLogs(level="DEBUG") as logged:
            asked(self.incident, self.ada)

        said = "\n".join(logged.output)
        self.assertIn("server_error", said)
        for word in ("hunter2x9", "test-key", "db-3"):
            self.assertNotIn(word, said)


class BudgetTests(AnsweringTestCase):
    PRICED = {"ASSISTANT_PRICE_IN": Decimal(3), "ASSISTANT_PRICE_OUT": Decimal(15)}

    def test_it_counts_what_was_used(self):
        with fake_model(API, sound, **self.PRICED):
            call = asked(self.incident, self.ada)

        self.assertEqual(call.cost_micros, 120 * 3 + 30 * 15)
        self.assertEqual(set(ModelBudget.objects.values_list("used", flat=True)), {call.cost_micros})

    def test_it_estimates_what_a_provider_counts_wrong(self):
        for counted in (-1, 0, None, "12", 2**31 - 1, 10**30):
            body = json.loads(API.answer(causes(("x", ["incident-1"]))).content)
            body["usage"] = {"input_tokens": counted, "output_tokens": counted, "cache_read_input_tokens": counted}
            reply = Reply(200, json.dumps(body).encode())
            with (
                self.subTest(counted=counted),
                fake_model(API, lambda told, r=reply: r, ASSISTANT_INCIDENT_BUDGET=Decimal(10**9)),
            ):
                call = asked(make_incident(by=self.ada), self.ada)

                self.assertEqual(call.state, CallState.DONE)
                self.assertTrue(500 < call.tokens_in < 5_000 and 10 < call.tokens_out < 100, call.tokens_in)

    def test_it_asks_nothing_for_a_budget_of_nothing(self):
        for given in (Decimal(0), Decimal("0.5")):  # half a token
            with self.subTest(given=given), fake_model(API, sound, ASSISTANT_DAILY_BUDGET=given) as model:
                with self.assertRaises(Conflict) as caught:
                    asked(self.incident, self.ada)

                self.assertEqual((caught.exception.code, model.received), ("model_paused_budget", []))

    def test_it_may_be_asked_again_the_next_day(self):
        with fake_model(API, sound, ASSISTANT_DAILY_BUDGET=Decimal(100)):
            call = asked(self.incident, self.ada)
            states = [status_of(self.incident).state]
            ModelCall.objects.filter(pk=call.pk).update(ended_at=timezone.now() - dt.timedelta(days=1))
            states.append(status_of(self.incident).state)

        self.assertEqual(states, [ModelState.PAUSED_BUDGET, ModelState.READY])

    def test_it_stops_when_a_budget_does_not_hold_the_next_request(self):
        with fake_model(API, sound, **self.PRICED, ASSISTANT_INCIDENT_BUDGET=Decimal("0.03")) as model:
            first = asked(self.incident, self.ada)
            ModelBudget.objects.filter(scope=f"incident:{self.incident.pk}").update(used=29_000)
            comment(self.incident, by=self.ada, message="More")
            second = asked(self.incident, self.ada)
            ModelBudget.objects.filter(scope=f"incident:{self.incident.pk}").update(used=30_000)
            with self.assertRaises(Conflict) as caught:
                ask(self.incident, task=Task.CAUSES, by=self.ada)
            other = asked(make_incident(by=self.ada), self.ada)

        self.assertEqual([first.outcome, second.outcome, other.outcome], ["used", "over_budget", "used"])
        self.assertEqual(caught.exception.code, "model_paused_budget")
        self.assertEqual(len(model.received), 2)

    def test_it_counts_tokens_without_prices(self):
        with fake_model(API, sound, ASSISTANT_DAILY_BUDGET=Decimal(100)) as model:
            call = asked(self.incident, self.ada)

        self.assertEqual((call.outcome, model.received, call.cost_micros), (Outcome.OVER_BUDGET, [], 0))
        self.assertEqual(call.reason, "The day's budget for the model is used up.")

    def test_it_keeps_a_reservation_that_may_have_been_charged(self):
        for reply, is_kept in ((API.error(500), False), (API.error(429), False)):
            with self.subTest(status=reply.status), fake_model(API, lambda told, r=reply: r):
                asked(self.incident, self.ada)

                self.assertEqual(any(ModelBudget.objects.values_list("used", flat=True)), is_kept)
        with fake_model(API, lambda told: API.answer("x")) as model, override_settings(ASSISTANT_SECONDS=1):
            model.say = lambda told: type(API.answer("x"))(200, b"not json")
            provider.set_enabled(True)
            asked(make_incident(by=self.ada), self.ada)

        self.assertTrue(any(ModelBudget.objects.values_list("used", flat=True)))


class FailureTests(AnsweringTestCase):
    def test_it_asks_again_later_and_then_gives_up(self):
        with fake_model(API, lambda told: API.error(429, Retry_After="40")) as model:
            call = asked(self.incident, self.ada)
            waits = (call.due_at - timezone.now()).total_seconds()
            answer_waiting()
            make_due()
            answer_waiting()
            call.refresh_from_db()

        self.assertTrue(30 < waits <= 40, waits)
        self.assertEqual((call.outcome, call.attempts, len(model.received)), (Outcome.FAILED, 2, 2))
        self.assertEqual(call.reason, "The model's provider limits how often it is asked.")

    def test_it_opens_the_circuit_for_everybody_and_closes_it_again(self):
        with fake_model(API, lambda told: API.error(401)) as model:
            for _number in range(3):
                asked(make_incident(by=self.ada), self.ada)
            with self.assertRaises(Conflict) as caught:
                ask(self.incident, task=Task.CAUSES, by=self.ada)
            state = status_of(self.incident).state
            with time_machine.travel(timezone.now() + dt.timedelta(minutes=6), tick=True):
                self.assertTrue(provider.admit(timezone.now()))  # one tries
                self.assertFalse(provider.admit(timezone.now()))  # the others wait
                provider.succeeded()
                self.assertTrue(provider.admit(timezone.now()))

        self.assertEqual((caught.exception.code, state), ("model_circuit_open", ModelState.CIRCUIT_OPEN))
        self.assertEqual(len(model.received), 3)

    def test_it_fails_what_waits_while_the_circuit_is_open(self):
        with fake_model(API, sound) as model:
            call = ask(self.incident, task=Task.CAUSES, by=self.ada)
            ModelSwitch.objects.create(pk=1, failures=3, open_until=timezone.now() + dt.timedelta(minutes=5))
            answer_waiting()
            call.refresh_from_db()

        self.assertEqual((call.outcome, model.received), (Outcome.FAILED, []))

    def test_it_stops_at_the_switch(self):
        with fake_model(API, sound) as model:
            call = ask(self.incident, task=Task.CAUSES, by=self.ada)
            provider.set_enabled(False)
            answer_waiting()
            call.refresh_from_db()
            with self.assertRaises(Conflict):
                ask(self.incident, task=Task.CAUSES, by=self.ada)

        self.assertEqual((call.outcome, model.received), (Outcome.DROPPED, []))

    def test_it_charges_once_more_at_most_after_a_crash(self):
        with fake_model(API, sound) as model:
            call = ask(self.incident, task=Task.CAUSES, by=self.ada)
            for _crash in range(2):
                crash = mock.patch.object(answering, "_finish", side_effect=KeyboardInterrupt)
                with crash, self.assertRaises(KeyboardInterrupt):
                    answer_waiting()
                self.assertEqual(answer_waiting(), 0)  # another process still holds it
                make_due()
            answer_waiting()
            call.refresh_from_db()

        self.assertEqual(
            (call.state, call.outcome, call.reason), (CallState.DONE, Outcome.FAILED, answering.ENDED.text)
        )
        self.assertEqual(len(model.received), 2)


class ReadingTests(AnsweringTestCase):
    def test_it_takes_links_and_markup_out_of_what_it_shows(self):
        text = "![x](http://evil.example/?q=1) **See** [here](javascript:x) <b onclick=x>https://evil.example</b> `rm`"
        with fake_model(API, lambda told: sentences((text, rows_told(told)[:1]))):
            asked(self.incident, self.ada, Task.SUMMARY)
            said = stored_for(self.incident, self.ada).summary.text

        self.assertEqual(said, "x See here (link removed) rm")

    def test_it_takes_out_what_turns_words_around_or_hides(self):
        text = "\u202egpj.exe\u202c at \u2066x\u2069 ht\u200btps://evil.example \u0000\u0007end"
        with fake_model(API, lambda told: sentences((text, rows_told(told)[:1]))):
            asked(self.incident, self.ada, Task.SUMMARY)
            said = stored_for(self.incident, self.ada).summary.text

        self.assertEqual(said, "gpj.exe at x (link removed) end")

    def test_it_counts_no_incident_that_was_deleted(self):
        with fake_model(API, sound):
            asked(self.incident, self.ada)
            Incident.objects.filter(pk=self.incident.pk).update(deleted_at=timezone.now())

            self.assertEqual(stored_for(self.incident, make_admin()).causes, ())
