"""Reservations of many workers at once, with real threads and commits."""

from decimal import Decimal

from django.db import connection
from django.test import TransactionTestCase, override_settings
from django.utils import timezone

from assistant.models import ModelBudget
from assistant.providers.port import Limits, Message, Prompt
from assistant.services.budget import OverBudget, Reservation, amount_of, estimate, reserve
from incidents.tests.test_concurrency import at_once

PROMPT = Prompt("Be brief.", (Message("user", "What?"),), {})
LIMITS = Limits(seconds=1, max_tokens=100)


class ConcurrentBudgetTests(TransactionTestCase):
    def test_it_never_reserves_more_than_there_is(self):
        if connection.vendor == "sqlite" and connection.is_in_memory_db():
            self.skipTest("threads that share one SQLite database in memory do not wait for each other")
        amount = amount_of(*estimate(PROMPT, LIMITS))
        now = timezone.now()
        with override_settings(ASSISTANT_DAILY_BUDGET=Decimal(3 * amount), ASSISTANT_INCIDENT_BUDGET=Decimal(10**9)):
            results = at_once(*(lambda n=n: reserve(n, PROMPT, LIMITS, now) for n in range(8)))

        self.assertEqual(sum(isinstance(one, Reservation) for one in results), 3, results)
        self.assertEqual(sum(isinstance(one, OverBudget) for one in results), 5, results)
        self.assertEqual(ModelBudget.objects.get(scope__startswith="day:").used, 3 * amount)
        self.assertEqual(ModelBudget.objects.filter(scope__startswith="incident:", used__gt=0).count(), 3)
