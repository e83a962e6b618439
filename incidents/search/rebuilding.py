"""Writing the documents anew, when the way in which texts become tokens has changed."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.db import connection, transaction

from incidents.search import tokens
from incidents.vocabulary import Visibility

BATCH = 500


def rebuild(incidents: Any, events: Any, *, only_beyond_ascii: bool = False) -> Iterator[int]:
    """Write the documents of all incidents anew, a batch in each transaction; how many it has
    looked at, after each. Harmless when run twice, or while people work.

    `incidents` and `events` are the models, which a migration has in its own form. What is all ASCII is tokens that no
    folding changes: `only_beyond_ascii` leaves it alone.
    """
    last, done = 0, 0
    while True:
        with transaction.atomic():
            batch = incidents.objects.select_for_update().filter(pk__gt=last).order_by("pk")
            rows = batch.values_list("pk", "title", "description")[:BATCH]
            texts = {pk: [f"INC-{pk}", title, description] for pk, title, description in rows}
            if not texts:
                return
            _write(texts, _said(events, list(texts)), only_beyond_ascii=only_beyond_ascii)
        last, done = max(texts), done + len(texts)
        yield done


def _said(events: Any, ids: list[int]) -> dict[tuple[int, bool], list[str]]:
    """What was said on timelines: by incident, and whether internally."""
    found: dict[tuple[int, bool], list[str]] = defaultdict(list)
    spoken = events.objects.filter(incident_id__in=ids).exclude(body="")
    for pk, visibility, body in spoken.values_list("incident_id", "visibility", "body"):
        found[pk, visibility == Visibility.INTERNAL].append(body)
    return found


def _write(texts: dict[int, list[str]], said: dict[tuple[int, bool], list[str]], *, only_beyond_ascii: bool) -> None:
    column = "rowid" if connection.vendor == "sqlite" else "incident_id"
    with connection.cursor() as cursor:
        for pk, own in texts.items():
            public, internal = "\n".join([*own, *said[pk, False]]), "\n".join(said[pk, True])
            if only_beyond_ascii and public.isascii() and internal.isascii():
                continue
            document = tokens.document(public, internal)
            cursor.execute(f"DELETE FROM incidents_search WHERE {column} = %s", [pk])  # noqa: S608
            cursor.execute(
                f"INSERT INTO incidents_search ({column}, document) VALUES (%s, %s)",  # noqa: S608
                [pk, document],
            )
