"""What the made-up incidents say: a stock of words, a third of all texts with one in common, a few with a rare one."""

import random
from itertools import accumulate, product

COMMON_WORD = "timeout"  # in every third incident
RARE_WORD = "quokka"  # in one of ten thousand
RARE_EVERY, RARE_AT = 10_000, 500

SUBJECTS = [
    "Checkout",
    "Login",
    "Search",
    "Billing",
    "Replication",
    "Ingest",
    "Backup",
    "Gateway",
    "Scheduler",
    "Mail",
    "Export",
    "Cache",
]
TROUBLES = (
    "is slow",
    "returns errors",
    "is unreachable",
    "lost its quorum",
    "fills its disk",
    "rejects new sessions",
    "drops messages",
    "answers stale data",
    "leaks memory",
    "restarts in a loop",
)
PLACES = ["zurich-1", "zurich-2", "london-1", "paris-3", "oslo-2", "lisbon-1", "vienna-1", ""]
REMARKS = [
    "Looking into it.",
    "The last deployment was rolled back.",
    "Waiting for the provider to call back.",
    "Error rates are falling again.",
    "Handed over to the night shift.",
    "Restarted the workers one after another.",
    "A customer confirms that it works.",
    "The dashboard shows the same pattern as last month.",
]

_SYLLABLES = ["ba", "co", "di", "fe", "gu", "la", "mo", "ni", "pe", "ru", "sa", "to", "vi", "we", "xo", "zu"]
STOCK = ["".join(parts) for parts in product(_SYLLABLES, repeat=3)]
# Zipf's law: the n-th word is used n times less often than the first.
WEIGHTS = [1 / rank for rank in range(1, len(STOCK) + 1)]
CUMULATIVE = list(accumulate(WEIGHTS))


def title(numbers: random.Random) -> str:
    """A line as an alert or a caller would put it."""
    place = numbers.choice(PLACES)
    return f"{numbers.choice(SUBJECTS)} {numbers.choice(TROUBLES)}" + (f" in {place}" if place else "")


def description(incident_id: int, numbers: random.Random) -> str:
    """Twelve to forty words, with the common and the rare one where they belong."""
    words = numbers.choices(STOCK, cum_weights=CUMULATIVE, k=numbers.randint(12, 40))
    if incident_id % 3 == 0:
        words.insert(len(words) // 2, COMMON_WORD)
    if incident_id % RARE_EVERY == RARE_AT:
        words.append(RARE_WORD)
    return " ".join(words).capitalize() + "."
