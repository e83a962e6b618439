"""Incidents with a planted culprit among changes, for the bar of change correlation.

Culprits are drawn before the ranking sees anything: most are deploys or settings of the service concerned, minutes to
hours before; some name the service only in their text, some share nothing but words, some are of another service.
"""

import datetime as dt
import random
from dataclasses import dataclass

from assistant.correlation import ChangeFacts, Trouble
from assistant.likeness import stems
from incidents.search import tokens

START = dt.datetime(2026, 6, 1, 12, 0, tzinfo=dt.UTC)
SERVICES = (
    *("payments", "checkout", "search", "login", "catalog", "shipping", "invoices", "gateway", "profiles"),
    *("notifications", "pricing", "inventory", "reports", "ledger", "sessions"),
)
TROUBLES = (
    ("answers with errors for a third of requests", "connection refused by the database pool"),
    ("is slow since noon", "latency of the cache above two seconds"),
    ("cannot be reached", "handshake fails with an unknown certificate"),
    ("loses messages", "the queue rejects consumers, heartbeat timed out"),
    ("runs out of memory", "heap grows after every import"),
    ("shows old data", "replica lags behind the primary"),
)
HINTS = (
    "connection pool",
    "cache eviction",
    "certificate of the balancer",
    "queue heartbeat",
    "heap of the import",
    "replica",
)
DEPLOYS = ("Deploy {service} {version}", "Release {version} of {service}", "Rollout {service} build {number}")
SETTINGS = (
    "Raise timeout of {service} to {number} s",
    "Enable flag new-{service}-path",
    "Change configuration of {service}: workers {number}",
    "Rotate secret of {service}",
)
UNNAMED = ("Raise limits of {hint}", "Upgrade {hint} on the shared cluster", "New settings for {hint}")
HARMLESS = ("Update docs of {service}", "Fix typo in dashboard of {service}", "Add tests to {service}")


@dataclass(frozen=True)
class Scenario:
    """An incident, its changes, and which of them is to blame."""

    trouble: Trouble
    changes: list[ChangeFacts]
    culprit: int
    shape: str


def make_scenario(seed: int, changes: int = 20) -> Scenario:
    """Return one of the scenarios, always the same for a seed."""
    numbers = random.Random(f"culprits/{seed}")
    service = numbers.randrange(len(SERVICES))
    trouble_number = numbers.randrange(len(TROUBLES))
    title, text = TROUBLES[trouble_number]
    words = frozenset(stems(tokens.split_words(f"{SERVICES[service]} {title}. {text}")))
    trouble = Trouble(START, frozenset({service}), frozenset({frozenset(stems([SERVICES[service]]))}), words)
    shape = numbers.choices(("own", "named", "words", "elsewhere"), (70, 14, 10, 6))[0]
    culprit = _culprit(numbers, shape, service, HINTS[trouble_number])
    noise = [_noise(numbers, number, service) for number in range(2, changes + 1)]
    made = [culprit, *noise]
    numbers.shuffle(made)
    return Scenario(trouble, made, culprit.id, shape)


def _culprit(numbers: random.Random, shape: str, service: int, hint: str) -> ChangeFacts:
    lead = dt.timedelta(minutes=2 * (180 / 2) ** numbers.random())  # two minutes to three hours, evenly by logarithm
    if shape == "words":
        return ChangeFacts(1, numbers.choice(UNNAMED).format(hint=hint), START - lead)
    if shape == "elsewhere":
        other = (service + 1 + numbers.randrange(len(SERVICES) - 1)) % len(SERVICES)
        return ChangeFacts(1, f"{_summary(numbers, other)} ({hint})", START - lead, other)
    return ChangeFacts(1, _summary(numbers, service), START - lead, service if shape == "own" else None)


def _noise(numbers: random.Random, number: int, service: int) -> ChangeFacts:
    """Return a change of elsewhere, often nearer in time; now and then of the same service, but older or harmless."""
    other = (service + 1 + numbers.randrange(len(SERVICES) - 1)) % len(SERVICES)
    near = START - dt.timedelta(minutes=numbers.uniform(0, 60))
    sort = numbers.random()
    if sort < 0.08:
        at = START - dt.timedelta(hours=numbers.uniform(4, 24))
        return ChangeFacts(number, _summary(numbers, service), at, service)
    if sort < 0.14:
        return ChangeFacts(number, numbers.choice(HARMLESS).format(service=SERVICES[service]), near, service)
    if sort < 0.24:
        after = START + dt.timedelta(minutes=numbers.uniform(6, 120))
        return ChangeFacts(number, _summary(numbers, numbers.choice((service, other))), after, service)
    if sort < 0.36:
        at = START - dt.timedelta(minutes=numbers.uniform(0, 24 * 60))
        return ChangeFacts(number, numbers.choice(UNNAMED).format(hint=numbers.choice(HINTS)), at)
    at = near if sort < 0.66 else START - dt.timedelta(minutes=numbers.uniform(0, 24 * 60))
    return ChangeFacts(number, _summary(numbers, other), at, other if numbers.random() < 0.8 else None)


def _summary(numbers: random.Random, service: int) -> str:
    facts = {"service": SERVICES[service], "number": numbers.randint(2, 90)}
    version = f"{numbers.randint(1, 9)}.{numbers.randint(0, 30)}.{numbers.randint(0, 9)}"
    return numbers.choice((*DEPLOYS, *SETTINGS)).format(version=version, **facts)
