"""Remove redacted labels from remembered answers, which hold them apart from the description."""

from collections.abc import Collection
from typing import Any

import orjson
from django.db.models import Value
from django.db.models.functions import StrIndex

from core.api.jsonio import to_json
from core.models import IdempotentRequest
from incident_response.legacy.labels import split_labels
from incidents.models import Incident


def remove_labels(incident_id: int, texts: Collection[str], instead: str) -> None:
    """Clean the answers about an incident, in the transaction of the redaction; reads a day's answers."""
    reported = {plain for text in texts for plain, labels in [split_labels(text)] if labels.lines()}
    if not reported:
        return
    uid = str(Incident.objects.values_list("uid", flat=True).get(pk=incident_id))
    for row in IdempotentRequest.objects.annotate(place=StrIndex("body", Value(uid))).filter(place__gt=0):
        answer = orjson.loads(row.body)
        if isinstance(answer, dict) and answer.get("uid") == uid and "unknown_systems" in answer:
            row.body = to_json(_without_labels(answer, reported, instead)).decode()
            row.save(update_fields=["body"])


def _without_labels(answer: dict[str, Any], reported: set[str], instead: str) -> dict[str, Any]:
    cleaned = {
        **answer,
        "affected_systems": answer["services"],
        "unknown_systems": [],
        "tags": [],
        "source_query": None,
    }
    return {**cleaned, "description": instead} if answer["description"] in reported else cleaned
