"""The search table in either database: `incidents_search(incident id, document)`."""

import re
from collections.abc import Callable, Sequence
from typing import Any, cast

from django.db import connection

from incidents.models import Incident, IncidentEvent, IncidentQuerySet, Visibility
from incidents.search import tokens

LOOKED_THROUGH = 500  # rows of a list that are looked through before the engine is asked
Terms = Sequence[tuple[str, bool]]  # words, and of each whether words that begin with it are meant as well
REFERENCE = re.compile(r"^\s*INC-(\d{1,18})\s*$", re.IGNORECASE)

# Gives the rows of a query; the name tells the queries of one page apart.
Ask = Callable[[str, Callable[[], Any]], list[Any]]


def _ask_now(name: str, query: Callable[[], Any]) -> list[Any]:
    return list(query())


def index(*incidents: Incident) -> None:
    """Write the documents of incidents that have no comments yet."""
    if incidents:
        _write(incidents, [tokens.document(_own_text(incident)) for incident in incidents])


def reindex(incident: Incident) -> None:
    """Write the document anew from the incident's text and everything said on its timeline."""
    said = IncidentEvent.objects.filter(incident=incident).exclude(body="").values_list("visibility", "body")
    public: list[str] = [_own_text(incident)]
    internal: list[str] = []
    for visibility, body in said:
        (internal if visibility == Visibility.INTERNAL else public).append(body)
    _write([incident], [tokens.document("\n".join(public), "\n".join(internal))])


def add(incident: Incident, *, public: str, internal: str) -> None:
    """Add what was just said to the document, without reading all that was said before."""
    added = tokens.document(public, internal)
    joined = "document || %s" if connection.vendor == "sqlite" else "CONCAT(document, %s)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE incidents_search SET document = {joined} WHERE {_id_column()} = %s",  # noqa: S608
            [added, incident.pk],
        )


def forget(incident: Incident) -> None:
    """Remove the incident's document."""
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM incidents_search WHERE {_id_column()} = %s", [incident.pk])  # noqa: S608


def matching(incidents: IncidentQuerySet, text: str, *, reads_internal: bool) -> IncidentQuerySet:
    """Those of the incidents in which every word of the text occurs, or begins a word that does; a reference such as
    INC-1042 is that incident.

    A text without any word in it (`+-*`) matches nothing.
    """
    reference = REFERENCE.match(text)
    if reference:
        return incidents.filter(pk=int(reference.group(1)))
    terms = tokens.query_terms(text)
    if not terms:
        return incidents.none()
    subquery, parameter = _match(terms, reads_internal)
    where = f"incidents_incident.id IN ({subquery})"
    return cast("IncidentQuerySet", incidents.extra(where=[where], params=[parameter]))  # noqa: S610


def first_matching(
    ordered: Callable[[], Any], text: str, *, limit: int, reads_internal: bool, ask: Ask = _ask_now
) -> list[Any]:
    """The first `limit` rows, in their order, of those in which every word of the text occurs.

    Neither engine can read its matches in another order than its own, so that fifty of a word's 300,000 matches cost as
    much as all. Words that common fill the page from the first rows of the list itself: those are looked through first,
    and the engine is asked only where they do not suffice.
    """
    terms = tokens.query_terms(text)
    if terms and not REFERENCE.match(text):
        ids = [row["pk"] for row in ask("first ids", lambda: ordered().values("pk")[:LOOKED_THROUGH])]
        holding = _holding(ids, terms, reads_internal)
        if len(holding) >= limit or len(ids) < LOOKED_THROUGH:
            return list(ordered().filter(pk__in=[pk for pk in ids if pk in holding][:limit]))
    return ask("matching", lambda: matching(ordered(), text, reads_internal=reads_internal)[:limit])


def _holding(ids: list[int], terms: Terms, reads_internal: bool) -> set[int]:
    """Those of the incidents whose documents hold every word."""
    if not ids:
        return set()
    conditions, parameters = [], []
    for word, is_beginning in terms:
        ends = "" if is_beginning else " "
        tokens_of_word = [f" {mark}{word}{ends}" for mark in _marks(reads_internal)]
        conditions.append(f"({' OR '.join(['INSTR(document, %s) > 0'] * len(tokens_of_word))})")
        parameters += tokens_of_word
    numbers = ",".join(str(int(pk)) for pk in ids)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_id_column()} FROM incidents_search "  # noqa: S608 (numbers and our own words)
            f"WHERE {_id_column()} IN ({numbers}) AND {' AND '.join(conditions)}",
            parameters,
        )
        return {row[0] for row in cursor.fetchall()}


def _marks(reads_internal: bool) -> tuple[str, ...]:
    return (tokens.PUBLIC, tokens.INTERNAL) if reads_internal else (tokens.PUBLIC,)


def _own_text(incident: Incident) -> str:
    return f"{incident.reference}\n{incident.title}\n{incident.description}"


def _id_column() -> str:
    return "rowid" if connection.vendor == "sqlite" else "incident_id"


def _write(incidents: Sequence[Incident], documents: Sequence[str]) -> None:
    start = (
        "INSERT OR REPLACE INTO incidents_search (rowid, document) VALUES "
        if connection.vendor == "sqlite"
        else "REPLACE INTO incidents_search (incident_id, document) VALUES "
    )
    statement = start + ", ".join(["(%s, %s)"] * len(incidents))
    pairs = zip(incidents, documents, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(statement, [value for incident, document in pairs for value in (incident.pk, document)])


def _match(terms: Terms, reads_internal: bool) -> tuple[str, str]:
    """A subquery of incident ids, and its one parameter: the engine's query in which every word is quoted."""
    marks = _marks(reads_internal)
    if connection.vendor == "sqlite":
        quoted = (
            " OR ".join(f'"{mark}{word}"{"*" if is_beginning else ""}' for mark in marks)
            for word, is_beginning in terms
        )
        return "SELECT rowid FROM incidents_search WHERE incidents_search MATCH %s", " AND ".join(
            f"({term})" for term in quoted
        )
    bare = (" ".join(f"{mark}{word}{'*' if is_beginning else ''}" for mark in marks) for word, is_beginning in terms)
    return (
        "SELECT incident_id FROM incidents_search WHERE MATCH(document) AGAINST (%s IN BOOLEAN MODE)",
        " ".join(f"+({term})" for term in bare),
    )
