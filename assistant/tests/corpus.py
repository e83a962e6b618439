"""A history of incidents with planted repeats, for the bars of duplicates and of abstention.

Several incidents share system and symptom, so that only the rest tells them apart. A repeat is re-fired (other
numbers), paraphrased (another phrase for the symptom, another order) or partial (the same, with facts left out).
"""

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass

from incidents.models import Incident
from incidents.search import index_incidents
from incidents.vocabulary import Status
from responders.models import Service

SPAN = dt.timedelta(days=30)
OPEN_SHARE = 0.1
PARTIAL = 0.6  # of the facts, each
BATCH = 500
SYSTEMS = (
    *("checkout", "payments", "login", "search", "invoicing", "warehouse", "crm", "intranet", "vpn", "mail gateway"),
    *("data lake", "reporting", "booking", "catalog", "loyalty", "fraud scoring", "ticket shop", "call centre"),
    *("file server", "print server", "time tracking", "payroll", "telemetry", "billing export", "partner api"),
    *("mobile app", "customer portal", "identity provider", "message broker", "backup"),
)
# Each symptom as different people put it.
SYMPTOMS = (
    ("returns error 500 for many requests", "throws internal server errors", "fails with 500s"),
    ("is very slow", "takes ages to respond", "has high latency", "pages load only after a minute"),
    ("cannot be reached", "is unreachable", "does not answer at all", "connection times out"),
    ("rejects valid passwords", "does not let people sign in", "sign in fails"),
    ("disk is nearly full", "runs out of disk space", "no space left on the volume"),
    ("loses messages", "messages disappear", "events are dropped"),
    ("shows outdated data", "data is stale", "figures are from yesterday"),
    ("crashes after start", "restarts in a loop", "keeps crashing"),
    ("certificate has expired", "browser warns about the certificate", "tls handshake fails"),
    ("replication is behind", "replica lags", "secondary is hours late"),
    ("queue keeps growing", "backlog builds up", "consumers do not keep up"),
    ("memory usage climbs", "leaks memory", "killed for using too much memory"),
    ("exports are empty", "export file has no rows", "csv download contains nothing"),
    ("duplicates every order", "orders appear twice", "customers are charged twice"),
    ("scheduled job did not run", "nightly batch missing", "cron task was skipped"),
    ("denies access to admins", "permissions are wrong", "users get forbidden"),
)
PLACES = ("zurich", "london", "paris", "oslo", "lisbon", "vienna", "berlin", "madrid", "dublin", "prague", "milan")
DETAILS = (
    *("after the weekend", "since this morning", "for external customers", "on mobile only", "in the internal network"),
    *("for one tenant", "during the peak", "with large files", "when two factor is on", "after a password change"),
)
ERRORS = (
    "deadlock",
    "ora-01555",
    "econnreset",
    "oomkilled",
    "sslv3",
    "enospc",
    "code 137",
    "timeout 504",
    "eof",
    "nullref",
)
FILLERS = ("Please have a look.", "Several people called.", "Monitoring shows nothing.", "Started suddenly.", "Urgent!")

# What no incident of the history is about.
OTHER_SUBJECTS = (
    *("coffee machine", "car park barrier", "projector in the boardroom", "window blinds", "badge of a visitor"),
    *(
        "elevator",
        "dishwasher",
        "desk lamp",
        "fire extinguisher",
        "vending machine",
        "air conditioning",
        "bicycle rack",
    ),
    *("first aid kit", "whiteboard markers", "reception bell", "conference phone", "water cooler", "garden hose"),
)
OTHER_TROUBLES = (
    *("leaks on the third floor", "is stuck half open", "makes a squeaking noise", "smells of burnt plastic"),
    *("needs new batteries", "was left behind by guests", "blinks red and beeps", "is missing its handle"),
    *("must be inspected before friday", "is covered in paint", "was delivered to the wrong building"),
)


@dataclass(frozen=True)
class Text:
    """An incident's words, and the number of its system."""

    title: str
    description: str
    system: int


@dataclass(frozen=True)
class Repeat:
    """A report, the place in the history of the incident that it repeats, and how: refired, paraphrased or partial."""

    text: Text
    of: int
    how: str


@dataclass(frozen=True)
class Facts:
    """What makes an incident the one that it is."""

    system: int
    symptom: int
    place: str
    host: str
    detail: str
    error: str


def history(size: int, seed: int = 1) -> list[Facts]:
    return [_facts(random.Random(f"history/{seed}/{number}")) for number in range(size)]


def _facts(numbers: random.Random) -> Facts:
    system = numbers.randrange(len(SYSTEMS))
    host = f"{SYSTEMS[system].split()[0]}-{numbers.randint(1, 60):02}"
    return Facts(
        system,
        numbers.randrange(len(SYMPTOMS)),
        numbers.choice(PLACES),
        host,
        numbers.choice(DETAILS),
        numbers.choice(ERRORS),
    )


def told(facts: Facts, numbers: random.Random, *, kept_share: float = 1.0) -> Text:
    """Return an incident in one person's words; below 1, that share of its facts."""
    symptom = numbers.choice(SYMPTOMS[facts.symptom])
    system = SYSTEMS[facts.system]
    place = f" in {facts.place}" if numbers.random() < kept_share else ""
    title = numbers.choice(
        (f"{system} {symptom}{place}", f"{system}{place}: {symptom}", f"{place[4:]} {system} {symptom}")
    )
    said = [facts.detail, f"host {facts.host}", f"log says {facts.error}"]
    numbers.shuffle(said)
    kept = [one for one in said if numbers.random() < kept_share]
    description = ". ".join([*kept, numbers.choice(FILLERS)])
    return Text(" ".join(title.split()).capitalize(), description.capitalize(), facts.system)


def alarm(facts: Facts, numbers: random.Random) -> Text:
    """Return an incident as a monitor words it, each time with other numbers."""
    title = f"{facts.host} {SYMPTOMS[facts.symptom][0]}: {numbers.randint(80, 99)}.{numbers.randint(0, 9)} %"
    return Text(
        title, f"{facts.error} seen {numbers.randint(2, 900)} times in {numbers.randint(1, 9)} min", facts.system
    )


def other(seed: int) -> Text:
    """Return a report about something that the history does not know."""
    numbers = random.Random(f"other/{seed}")
    subject = numbers.choice(OTHER_SUBJECTS)
    title = f"{subject} {numbers.choice(OTHER_TROUBLES)}".capitalize()
    return Text(title, f"{numbers.choice(FILLERS)} Room {numbers.randint(1, 400)}, since this morning.", -1)


def make_history(size: int, repeats: int, now: dt.datetime, seed: int = 1) -> tuple[list[Incident], list[Repeat]]:
    """Store a history, the newest last, and return it with reports that repeat some of the last day's incidents."""
    known, step = history(size, seed), SPAN / size
    services = [Service(name=name.capitalize(), slug=name.replace(" ", "-")) for name in SYSTEMS]
    Service.objects.bulk_create(services)
    services = list(Service.objects.filter(slug__in=[one.slug for one in services]).order_by("pk"))
    is_alarm = [random.Random(f"alarm/{number}").random() < 0.4 for number in range(size)]
    texts = [
        (alarm if is_alarm[number] else told)(facts, random.Random(f"text/{number}"))
        for number, facts in enumerate(known)
    ]
    rows = [_row(text, now - SPAN + step * (number + 0.5), number) for number, text in enumerate(texts)]
    Incident.objects.bulk_create(rows, batch_size=BATCH)
    stored = list(Incident.objects.order_by("pk"))
    for start in range(0, size, BATCH):
        index_incidents(*stored[start : start + BATCH])
    through = Incident.services.through
    through.objects.bulk_create(
        [
            through(incident_id=row.pk, service_id=services[text.system].pk)
            for number, (row, text) in enumerate(zip(stored, texts, strict=True))
            if is_alarm[number] or number % 2
        ],
        batch_size=BATCH,
    )
    return stored, _repeats(known, is_alarm, repeats)


def _repeats(known: Sequence[Facts], is_alarm: Sequence[bool], count: int) -> list[Repeat]:
    """Return reports of what happened within the last day; those that people sent, partly once more."""
    numbers = random.Random("repeats")
    last_day = range(len(known) - max(count, round(len(known) * (dt.timedelta(days=1) / SPAN))), len(known))
    found = []
    for place in numbers.sample(last_day, count):
        again = random.Random(f"repeat/{place}")
        if is_alarm[place]:
            found.append(Repeat(alarm(known[place], again), place, "refired"))
            continue
        found.append(Repeat(told(known[place], again), place, "paraphrased"))
        found.append(Repeat(told(known[place], again, kept_share=PARTIAL), place, "partial"))
    return found


def _row(text: Text, at: dt.datetime, number: int) -> Incident:
    is_open = random.Random(f"open/{number}").random() < OPEN_SHARE
    return Incident(
        title=text.title,
        description=text.description,
        status=Status.OPEN if is_open else Status.CLOSED,
        occurred_at=at,
        created_at=at,
        clock_started_at=at,
    )


def report_of(text: Text, now: dt.datetime, *, with_service: bool) -> Incident:
    """Store a report as an incident of now, as the history's are."""
    row = _row(text, now, 0)
    row.save()
    index_incidents(row)
    if with_service:
        row.services.set(Service.objects.filter(slug=SYSTEMS[text.system].replace(" ", "-")))
    return row
