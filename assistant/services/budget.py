"""What the model may cost: reserved before each request, settled after it.

Units are millionths of a USD, or tokens if no prices are set. A process that dies leaves its reservation counted.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.db.models import F

from assistant.models import ModelBudget
from assistant.providers.port import Completion, Limits, Prompt
from assistant.services.provider import today
from core.db.transactions import unit_of_work

MICROS = 1_000_000
BYTES_PER_TOKEN = 2  # few texts need more tokens
OVERHEAD = 100  # tokens
DAILY = (Decimal(5), Decimal(1_000_000))  # USD, tokens
OF_INCIDENT = (Decimal("0.50"), Decimal(100_000))


@dataclass(frozen=True)
class Budget:
    scope: str
    most: int

    @property
    def used(self) -> int:
        return ModelBudget.objects.filter(scope=self.scope).values_list("used", flat=True).first() or 0

    @property
    def is_used_up(self) -> bool:
        return self.used >= self.most


@dataclass(frozen=True)
class Reservation:
    budgets: tuple[Budget, ...]
    amount: int


def has_prices() -> bool:
    return bool(settings.ASSISTANT_PRICE_IN or settings.ASSISTANT_PRICE_OUT)


def cost_micros(tokens_in: int, tokens_out: int) -> int:
    """Return what tokens cost, rounded up. A price in USD per million is one in millionths per token."""
    zero = Decimal(0)
    cost = tokens_in * (settings.ASSISTANT_PRICE_IN or zero) + tokens_out * (settings.ASSISTANT_PRICE_OUT or zero)
    return int(cost.to_integral_value(rounding="ROUND_CEILING"))


def amount_of(tokens_in: int, tokens_out: int) -> int:
    """Return it in the budgets' unit."""
    return cost_micros(tokens_in, tokens_out) if has_prices() else tokens_in + tokens_out


def budgets_of(incident_id: int, now: dt.datetime) -> tuple[Budget, Budget]:
    """Return the day's budget and the incident's."""
    return (
        Budget(f"day:{today(now)}", _limit(settings.ASSISTANT_DAILY_BUDGET, DAILY)),
        Budget(f"incident:{incident_id}", _limit(settings.ASSISTANT_INCIDENT_BUDGET, OF_INCIDENT)),
    )


def _limit(given: Decimal | None, defaults: tuple[Decimal, Decimal]) -> int:
    dollars, tokens = (given, given) if given is not None else defaults
    return int(dollars * MICROS) if has_prices() else int(tokens)


def estimate(prompt: Prompt, limits: Limits) -> tuple[int, int]:
    """Return the most tokens that a request is expected to take, in and out."""
    text = "".join([prompt.system, *(one.text for one in prompt.messages)])
    return len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN + OVERHEAD, limits.max_tokens


class OverBudget(Exception):
    """`scope` names the budget."""

    def __init__(self, scope: str) -> None:
        super().__init__(scope)
        self.scope = scope


@unit_of_work
def reserve(incident_id: int, prompt: Prompt, limits: Limits, now: dt.datetime) -> Reservation:
    """Take what a request may cost from both budgets, or from none. Raises OverBudget."""
    budgets = budgets_of(incident_id, now)
    amount = amount_of(*estimate(prompt, limits))
    for budget in budgets:
        ModelBudget.objects.get_or_create(scope=budget.scope)
        mine = ModelBudget.objects.filter(scope=budget.scope, used__lte=budget.most - amount)
        if not mine.update(used=F("used") + amount):
            raise OverBudget(budget.scope)
    return Reservation(budgets, amount)


@unit_of_work
def settle(reservation: Reservation, used: int) -> None:
    """Replace what was reserved by what was used."""
    for budget in reservation.budgets:
        ModelBudget.objects.filter(scope=budget.scope).update(used=F("used") + (used - reservation.amount))


def used_by(completion: Completion, prompt: Prompt) -> tuple[int, int]:
    """Return the tokens of an answer; estimated what the server does not count."""
    written = len(completion.text.encode("utf-8", "replace")) // BYTES_PER_TOKEN
    return completion.tokens_in or estimate(prompt, Limits(0, 0))[0], completion.tokens_out or written
