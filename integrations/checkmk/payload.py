"""Checkmk, through a notification script that posts what it is called with.

Source: https://docs.checkmk.com/latest/en/notifications.html#scripts. Its variables are Nagios' macros with NOTIFY_ in
front, and some of its own: labels, the site, and EC_… of the Event Console, each of whose events has a number. Pages'
addresses come without the server, which is the script's second parameter.
"""

from dataclasses import replace
from typing import Any

from alerts.reading.bodies import read_body
from alerts.reading.lists import read_each
from alerts.reading.values import labels, links, mapping, texts
from alerts.updates import AlertUpdate, AlertUpdates
from intake.requests import IntakeRequest
from integrations.nagios.payload import update_of as nagios_update

TITLE = "Checkmk"
SNIPPET = """\
#!/usr/bin/env python3
# Save this as ~/local/share/check_mk/notifications/incidents and chmod +x it. In Setup → Notifications, add a
# rule with the method "incidents" and these parameters:
#   1  {url}/intake/{key}/
#   2  https://checkmk.example.org/SITE
import json, os, sys, urllib.error, urllib.request
macros = {name[7:]: value for name, value in os.environ.items() if name.startswith("NOTIFY_")}
url = macros.pop("PARAMETER_1")
request = urllib.request.Request(url, json.dumps(macros).encode(), {"Content-Type": "application/json"})
try:
    urllib.request.urlopen(request, timeout=20)
except urllib.error.HTTPError as error:
    print(error.code, error.read(500).decode(errors="replace"))
    sys.exit(1 if error.code == 429 or error.code > 499 else 2)
except OSError as error:
    print(error)
    sys.exit(1)
"""
_LABELS = ("HOSTLABEL_", "SERVICELABEL_")


def parse(request: IntakeRequest) -> AlertUpdates:
    """Return the update of a notification, or of each in a list."""
    body = read_body(request)
    return read_each(body if isinstance(body, list) else [body], _update)


def _update(body: Any) -> AlertUpdate:
    update = nagios_update(body)
    said = {name.removeprefix("NOTIFY_"): value for name, value in texts(mapping(body)).items()}
    site = said.get("PARAMETER_2", "").rstrip("/").removesuffix("/check_mk")
    path = said.get("SERVICEURL" if "service" in update.labels else "HOSTURL", "")
    event = said.get("EC_ID", "")
    return replace(
        update,
        fingerprint=f"{update.fingerprint}!{event}" if event else update.fingerprint,
        labels={
            **{
                name.removeprefix(prefix): value
                for prefix in _LABELS
                for name, value in said.items()
                if name.startswith(prefix)
            },
            **update.labels,
            **labels(site=said.get("OMD_SITE"), criticality=said.get("HOSTTAG_criticality")),
        },
        links=(*update.links, *links(("Checkmk", site + path if path.startswith("/") else ""))),
        may_never_end=bool(event),  # unless a rule of the Event Console cancels it
    )
