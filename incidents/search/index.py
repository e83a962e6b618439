"""Read and write the search table, FTS5 or InnoDB FULLTEXT."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

from django.db import connection, transaction

from incidents.models import Incident, IncidentEvent, IncidentQuerySet, Visibility
from incidents.search import tokens

FIRST_ROWS = 500  # of a list, searched before the engine is asked
SAMPLE_ROWS = 200  # searched before those: they tell rare words
BATCH = 500
Terms = Sequence[tuple[str, bool]]  # words, and whether each is a prefix
REFERENCE = re.compile(r"^\s*INC-(\d{1,18})\s*$", re.IGNORECASE)

Ask = Callable[[str, Callable[[], Any]], list[Any]]


def _run_query(name: str, query: Callable[[], Any]) -> list[Any]:
    return list(query())


def index_incidents(*incidents: Incident) -> None:
    if incidents:
        _write_documents(incidents, [tokens.build_document(_own_text(incident)) for incident in incidents])


def reindex_incidents(*incidents: Incident) -> None:
    texts: dict[tuple[int, bool], list[str]] = defaultdict(list)
    for incident in incidents:
        texts[incident.pk, False].append(_own_text(incident))
    events = IncidentEvent.objects.filter(incident__in=incidents).exclude(body="")
    for pk, visibility, body in events.values_list("incident_id", "visibility", "body"):
        texts[pk, visibility == Visibility.INTERNAL].append(body)
    pairs = (("\n".join(texts[incident.pk, is_internal]) for is_internal in (False, True)) for incident in incidents)
    _write_documents(incidents, [tokens.build_document(*pair) for pair in pairs])


def rebuild_index() -> Iterator[int]:
    """Write all documents in batches; yield how many are done."""
    last = done = 0
    while True:
        with transaction.atomic():
            rows = Incident.objects.select_for_update().filter(pk__gt=last).order_by("pk")
            batch = list(rows.only("pk", "title", "description")[:BATCH])
            if not batch:
                return
            reindex_incidents(*batch)
        last, done = batch[-1].pk, done + len(batch)
        yield done


def add_text(incident: Incident, *, public: str, internal: str) -> None:
    """Append text to the document."""
    added = tokens.build_document(public, internal)
    joined = "document || %s" if connection.vendor == "sqlite" else "CONCAT(document, %s)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE incidents_search SET document = {joined} WHERE {id_column()} = %s",  # noqa: S608
            [added, incident.pk],
        )


def delete_document(incident: Incident) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM incidents_search WHERE {id_column()} = %s", [incident.pk])  # noqa: S608


def filter_matching(incidents: IncidentQuerySet, text: str, *, reads_internal: bool) -> IncidentQuerySet:
    """Return the incidents that have every word of the text, or are the one it names."""
    reference = REFERENCE.match(text)
    if reference:
        return incidents.filter(pk=int(reference.group(1)))
    terms = tokens.query_terms(text)
    if not terms:
        return incidents.none()
    subquery, parameter = _match_subquery(terms, reads_internal)
    where = f"incidents_incident.id IN ({subquery})"
    return cast("IncidentQuerySet", incidents.extra(where=[where], params=[parameter]))  # noqa: S610


def first_matching(
    ordered: Callable[[], Any], text: str, *, limit: int, reads_internal: bool, ask: Ask = _run_query
) -> list[Any]:
    """Return the first `limit` rows, in their order, that have every word of the text.

    Neither engine reads matches in another order than its own; a word so common that this costs much fills the page
    from the first rows of the list.
    """
    terms = tokens.query_terms(text)
    if terms and not REFERENCE.match(text):
        for size in sorted({min(SAMPLE_ROWS, FIRST_ROWS), FIRST_ROWS}):
            found = ask(f"first {size} ids", lambda size=size: ordered().values("pk")[:size])  # type: ignore[misc]
            ids = [row["pk"] for row in found]
            holding = _ids_with_words(ids, terms, reads_internal)
            if len(holding) >= limit or len(ids) < size:
                return list(ordered().filter(pk__in=[pk for pk in ids if pk in holding][:limit]))
            if len(holding) * FIRST_ROWS < limit * size / 2:
                break  # with half of what a full page takes, the other rows would not fill it either
    return ask("matching", lambda: filter_matching(ordered(), text, reads_internal=reads_internal)[:limit])


def _ids_with_words(ids: list[int], terms: Terms, reads_internal: bool) -> set[int]:
    if not ids:
        return set()
    conditions, parameters = [], []
    for word, is_prefix in terms:
        ends = "" if is_prefix else " "
        tokens_of_word = [f" {mark}{word}{ends}" for mark in _token_marks(reads_internal)]
        conditions.append(f"({' OR '.join(['INSTR(document, %s) > 0'] * len(tokens_of_word))})")
        parameters += tokens_of_word
    numbers = ",".join(str(int(pk)) for pk in ids)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {id_column()} FROM incidents_search "  # noqa: S608 (numbers and our own words)
            f"WHERE {id_column()} IN ({numbers}) AND {' AND '.join(conditions)}",
            parameters,
        )
        return {row[0] for row in cursor.fetchall()}


def _token_marks(reads_internal: bool) -> tuple[str, ...]:
    return (tokens.PUBLIC, tokens.INTERNAL) if reads_internal else (tokens.PUBLIC,)


def _own_text(incident: Incident) -> str:
    return f"INC-{incident.pk}\n{incident.title}\n{incident.description}"


def id_column() -> str:
    return "rowid" if connection.vendor == "sqlite" else "incident_id"


def _write_documents(incidents: Sequence[Incident], documents: Sequence[str]) -> None:
    start = (
        "INSERT OR REPLACE INTO incidents_search (rowid, document) VALUES "
        if connection.vendor == "sqlite"
        else "REPLACE INTO incidents_search (incident_id, document) VALUES "
    )
    statement = start + ", ".join(["(%s, %s)"] * len(incidents))
    pairs = zip(incidents, documents, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(statement, [value for incident, document in pairs for value in (incident.pk, document)])


def _match_subquery(terms: Terms, reads_internal: bool) -> tuple[str, str]:
    marks = _token_marks(reads_internal)
    if connection.vendor == "sqlite":
        quoted = (
            " OR ".join(f'"{mark}{word}"{"*" if is_prefix else ""}' for mark in marks) for word, is_prefix in terms
        )
        return "SELECT rowid FROM incidents_search WHERE incidents_search MATCH %s", " AND ".join(
            f"({term})" for term in quoted
        )
    bare = (" ".join(f"{mark}{word}{'*' if is_prefix else ''}" for mark in marks) for word, is_prefix in terms)
    return (
        "SELECT incident_id FROM incidents_search WHERE MATCH(document) AGAINST (%s IN BOOLEAN MODE)",
        " ".join(f"+({term})" for term in bare),
    )
