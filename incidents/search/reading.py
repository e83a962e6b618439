"""Read the public words of search documents, and find the newest that have some."""

from collections.abc import Iterable

from django.db import connection

from incidents.search import tokens
from incidents.search.index import Terms, id_column

MAX_DOCUMENT = 6_000  # characters, of which a longer one's first count


def public_words(ids: Iterable[int]) -> dict[int, list[str]]:
    """Return each incident's words that whoever sees it may read."""
    numbers = ",".join(str(int(pk)) for pk in ids)
    if not numbers:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {id_column()}, SUBSTR(document, 1, {MAX_DOCUMENT}) FROM incidents_search "  # noqa: S608 (numbers)
            f"WHERE {id_column()} IN ({numbers})"
        )
        mark = len(tokens.PUBLIC)
        return {
            pk: [token[mark:] for token in document.split() if token.startswith(tokens.PUBLIC)]
            for pk, document in cursor.fetchall()
        }


def newest_with(terms: Terms, limit: int) -> list[int]:
    """Return the newest incidents whose public words have all of these; who may see them is for the caller to ask.

    MariaDB reads every match before it returns one.
    """
    tokens_of_terms = [(f"{tokens.PUBLIC}{word}", is_prefix) for word, is_prefix in terms]
    if connection.vendor == "sqlite":
        asked = " AND ".join(f'"{token}"{" *" if is_prefix else ""}' for token, is_prefix in tokens_of_terms)
        where, order = "incidents_search MATCH %s", "rowid"
    else:
        asked = " ".join(f"+{token}{'*' if is_prefix else ''}" for token, is_prefix in tokens_of_terms)
        where, order = "MATCH(document) AGAINST (%s IN BOOLEAN MODE)", "incident_id"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {id_column()} FROM incidents_search WHERE {where} ORDER BY {order} DESC LIMIT {int(limit)}",  # noqa: S608
            [asked],
        )
        return [row[0] for row in cursor.fetchall()]
