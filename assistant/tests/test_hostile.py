"""Nothing that a model says changes anything, though it obeys whoever wrote to it."""

import json
import re
from typing import Any

from django.apps import apps
from django.test import TestCase

from alerts.tests.factories import fire, make_route, make_source
from assistant.models import ModelCall
from assistant.services.model_suggestions import stored_for
from assistant.tests.asking import asked, rows_told
from assistant.tests.fakes import AnthropicApi, OpenAIApi, Reply, Vendor, fake_model
from assistant.tests.hostile import HOSTILE
from assistant.vocabulary import Task
from incidents.services import comment
from incidents.tests.factories import make_incident, make_team
from users.tests.factories import make_responder

LEDGER = {"assistant.ModelCall", "assistant.ModelBudget", "assistant.ModelSwitch"}


def all_rows() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table but the ledger's."""
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values())
        for model in apps.get_models(include_auto_created=True)
        if model._meta.label not in LEDGER
    }


def obeying(vendor: Vendor, text: str) -> Any:
    """The worst model: it does all that the text says, in every way that an answer has."""

    def say(told: str) -> Reply:
        known = rows_told(told)
        claim = {"hypothesis": text[:500], "confidence": 1, "evidence": known[:2]}
        said = {"text": text[:500], "evidence": known[:2]}
        answer = {"causes": [claim]} if "likely causes" in told else {"sentences": [said]}
        orders = {"action": "close", "status": "closed", "severity": "low", "tool": "close_incident"}
        is_first = "This does not do" not in told
        return vendor.answer(json.dumps({**answer, **(orders if is_first else {})}), tools=2)

    return say


class HostileTests(TestCase):
    def test_it_changes_nothing_for_fifty_hostile_texts(self):
        self.assertEqual(len(set(HOSTILE)), 50)
        ada = make_responder(name="Ada")
        team, source = make_team("Database", ada), make_source()
        make_route(team=team)
        incidents = []
        for number, text in enumerate(HOSTILE):
            incident = make_incident(by=ada, title=text.replace("\n", " ")[:200], description=text, team=team)
            comment(incident, by=ada, message=text)
            alert = fire(source, fingerprint=str(number), title="Disk full", description=text)
            type(alert).objects.filter(pk=alert.pk).update(incident=incident)
            incidents.append(incident)
        before = all_rows()

        for number, (incident, text) in enumerate(zip(incidents, HOSTILE, strict=True)):
            vendor = (AnthropicApi(), OpenAIApi())[number % 2]
            with self.subTest(text=text), fake_model(vendor, obeying(vendor, text)):
                call = asked(incident, ada, (Task.CAUSES, Task.SUMMARY)[number // 2 % 2])
                found = stored_for(incident, ada)

                said = [*(one.hypothesis for one in found.causes), *([found.summary.text] if found.summary else [])]
                self.assertEqual((call.outcome, call.tools_ignored, len(said)), ("repaired", 4, 1))
                self.assertNotRegex(said[0], r"(?i)<\s*/?\s*script|\]\(|javascript:|https?://|!\[|<\|")
        self.assertEqual(all_rows(), before)
        self.assertEqual(ModelCall.objects.count(), 50)

    def test_it_keeps_hostile_texts_within_the_fences(self):
        ada = make_responder(name="Ada")
        for text in HOSTILE[::10]:
            incident = make_incident(by=ada, title="Disk full", description=text)
            with self.subTest(text=text), fake_model(OpenAIApi(), lambda told: "no") as model:
                asked(incident, ada)

                body = json.loads(
                    model.received[0].partition(b"\r\n\r\n")[2] or model.received[0].partition(b"\n\n")[2]
                )
                words = body["messages"][1]["content"]
                nonce = re.findall(r"(?m)^BEGIN ([0-9a-f]{32})$", words)
                self.assertEqual(len(nonce), 1)
                self.assertEqual(re.findall(r"(?m)^END .*$", words), [f"END {nonce[0]}"])
                self.assertNotIn("<|", words)
                self.assertEqual([one for one in rows_told(words) if one.endswith("-999")], [])
                data = words.partition(f"BEGIN {nonce[0]}\n")[2].partition(f"\nEND {nonce[0]}")[0]
                self.assertTrue(all(line.startswith("[") for line in data.split("\n")))

    def test_it_offers_no_tool_to_any_model(self):
        incident, ada = make_incident(), make_responder()
        for vendor in (AnthropicApi(), OpenAIApi()):
            with self.subTest(vendor=vendor.name), fake_model(vendor, lambda told: "no") as model:
                asked(incident, ada)

                body = json.loads(b"{" + model.received[0].partition(b"{")[2])
                self.assertLessEqual(set(body), {"model", "max_tokens", "system", "messages"})
