"""Splunk's webhook alert action.

Source: https://docs.splunk.com/Documentation/Splunk/latest/Alert/Webhooks. It sends no header and never says that
something is over; `sid` names one run of the search. The alert is the saved search, one for each host.
"""

from alerts.reading.fingerprints import computed
from alerts.reading.values import first, json_object, labels, links, mapping, moment, severity, text, texts
from alerts.updates import AlertUpdate
from intake.requests import IntakeError, IntakeRequest

TITLE = "Splunk"
SNIPPET = """\
Trigger Actions, Webhook, URL: {url}/intake/{key}/
"""

# Columns by which a search may choose what makes one alert.
KEYS = ("alert_key", "dedup_key", "fingerprint")


def parse(request: IntakeRequest) -> list[AlertUpdate]:
    """Return the update of one result, the first of its search or each, as the alert is set up there."""
    body = json_object(request)
    sid, search = text(body.get("sid")), text(body.get("search_name"))
    if not sid and not search:
        raise IntakeError("The payload has neither a sid nor a search_name; is this Splunk's webhook?")
    row = {name: value for name, value in texts(body.get("result")).items() if not name.startswith("__")}
    key = first(*(row.get(name) for name in KEYS), row.get("host"))
    word = first(row.get("severity"), row.get("urgency"))
    return [
        AlertUpdate(
            title=first(row.get("title"), search, "Splunk search"),
            fingerprint=computed(body.get("app"), search, key) if search or key else sid,
            severity=severity(word),
            description=first(row.get("message"), row.get("_raw")),
            labels={
                **{name: value for name, value in row.items() if not name.startswith("_") and len(value) <= 200},
                **labels(search=search, app=body.get("app"), owner=body.get("owner"), severity=word),
            },
            annotations=labels(sid=sid, time=_when(mapping(body.get("result")).get("_time"))),
            links=links(("Results", body.get("results_link"))),
        )
    ]


def _when(value: object) -> str:
    found = moment(value)
    return found.isoformat() if found else text(value)
