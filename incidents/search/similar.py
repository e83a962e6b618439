"""Find incidents whose words are alike, at a cost that does not depend on how many there are."""

from collections.abc import Sequence

from django.db import connection

from incidents.models import Incident
from incidents.search import tokens
from incidents.search.index import id_column
from users.models import User

NEWEST = 300  # of all that the person sees
NEWEST_OF_TEAM = 200
MAX_WORDS = 8
MIN_WORD = 3  # letters


def similar_incidents(incident: Incident, viewer: User, *, limit: int = 5) -> list[Incident]:
    """Return recent incidents that share most of the title's words, the most alike first."""
    words = _telling_words(incident.title)
    visible = Incident.objects.visible_to(viewer).exclude(pk=incident.pk).order_by("-created_at", "-id")
    ids = list(visible.values_list("pk", flat=True)[:NEWEST]) if words else []
    if words and incident.team_id is not None and len(ids) == NEWEST:
        ids += visible.filter(team=incident.team_id).values_list("pk", flat=True)[:NEWEST_OF_TEAM]
    ranked = _ranked(ids, words, limit)
    found = Incident.objects.in_bulk(ranked) if ranked else {}
    return [found[pk] for pk in ranked if pk in found]


def _telling_words(title: str) -> list[str]:
    words = [word for word in dict.fromkeys(tokens.split_words(title)) if len(word) >= MIN_WORD and not word.isdigit()]
    return sorted(words, key=len, reverse=True)[:MAX_WORDS]


def _ranked(ids: Sequence[int], words: Sequence[str], limit: int) -> list[int]:
    """Return those that have at least half of the words, in their document's public part."""
    if not ids:
        return []
    score = " + ".join(["(CASE WHEN INSTR(document, %s) > 0 THEN 1 ELSE 0 END)"] * len(words))
    numbers = ",".join(str(int(pk)) for pk in dict.fromkeys(ids))
    needed = max((len(words) + 1) // 2, min(2, len(words)))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT found, score FROM (SELECT {id_column()} AS found, {score} AS score FROM incidents_search "  # noqa: S608 (numbers and our own words)
            f"WHERE {id_column()} IN ({numbers})) AS scored WHERE score >= {needed} ORDER BY score DESC, found DESC "
            f"LIMIT {int(limit)}",
            [f" {tokens.PUBLIC}{word} " for word in words],
        )
        return [row[0] for row in cursor.fetchall()]
