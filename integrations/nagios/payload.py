"""Nagios, Naemon and Icinga 1 and 2, through a notification command that posts their macros.

Sources: https://assets.nagios.com/downloads/nagioscore/docs/nagioscore/4/en/macrolist.html and
https://icinga.com/docs/icinga-2/latest/doc/03-monitoring-basics/#notifications. Macros may be called as either calls
them, as NAGIOS_… of the environment, or be nested objects. An object's state keeps its time in repeats; a recovery
carries its own. NOTIFICATIONTYPE decides, not the state beside it, unless a downtime ends.
"""

import re
from collections.abc import Mapping
from typing import Any

from alerts.reading.bodies import read_body
from alerts.reading.lists import read_each
from alerts.reading.names import plain_texts, said_as
from alerts.reading.values import labels, links, moment, severity, state
from alerts.updates import Action, AlertUpdate, AlertUpdates
from intake.requests import IntakeError, IntakeRequest

TITLE = "Nagios, Icinga"
SNIPPET = """\
define command {
    command_name  incidents-host
    command_line  /usr/bin/curl -fsS --max-time 20 --retry 3 {url}/intake/{key}/ \\
        --data-urlencode 'NOTIFICATIONTYPE=$NOTIFICATIONTYPE$' \\
        --data-urlencode 'HOSTNAME=$HOSTNAME$' --data-urlencode 'HOSTADDRESS=$HOSTADDRESS$' \\
        --data-urlencode 'HOSTSTATE=$HOSTSTATE$' --data-urlencode 'HOSTOUTPUT=$HOSTOUTPUT$' \\
        --data-urlencode 'LASTHOSTSTATECHANGE=$LASTHOSTSTATECHANGE$' \\
        --data-urlencode 'HOSTACKAUTHOR=$HOSTACKAUTHOR$' --data-urlencode 'HOSTACKCOMMENT=$HOSTACKCOMMENT$'
}
define command {
    command_name  incidents-service
    command_line  /usr/bin/curl -fsS --max-time 20 --retry 3 {url}/intake/{key}/ \\
        --data-urlencode 'NOTIFICATIONTYPE=$NOTIFICATIONTYPE$' \\
        --data-urlencode 'HOSTNAME=$HOSTNAME$' --data-urlencode 'HOSTADDRESS=$HOSTADDRESS$' \\
        --data-urlencode 'SERVICEDESC=$SERVICEDESC$' --data-urlencode 'SERVICESTATE=$SERVICESTATE$' \\
        --data-urlencode 'SERVICEOUTPUT=$SERVICEOUTPUT$' \\
        --data-urlencode 'LASTSERVICESTATECHANGE=$LASTSERVICESTATECHANGE$' \\
        --data-urlencode 'SERVICEACKAUTHOR=$SERVICEACKAUTHOR$' --data-urlencode 'SERVICEACKCOMMENT=$SERVICEACKCOMMENT$'
}
define contact {
    contact_name                   incidents
    host_notifications_enabled     1
    service_notifications_enabled  1
    host_notification_period       24x7
    service_notification_period    24x7
    host_notification_options      d,u,r,f,s
    service_notification_options   w,u,c,r,f,s
    host_notification_commands     incidents-host
    service_notification_commands  incidents-service
}
"""
_UNSET = r"\$[A-Za-z_.:]+\$|\$"
_PREFIX = re.compile(r"^(?:nagios|icinga|notify)(?=.)")
_SERVICES = ("servicedesc", "servicename", "servicedisplayname", "service")
_AUTHORS = ("notificationauthoralias", "notificationauthorname", "notificationauthor")
_DOWNTIME_ENDS = re.compile(r"downtime[ _]?(?:end|ended|cancell?ed|removed)", re.IGNORECASE)
_ACTIONS = {"alerthandler": Action.NOTE}  # of Checkmk: it ran a command


def parse(request: IntakeRequest) -> AlertUpdates:
    """Return the update of a notification, or of each in a list."""
    body = read_body(request)
    return read_each(body if isinstance(body, list) else [body], update_of)


def update_of(body: Any) -> AlertUpdate:
    """Return the update of one notification. Raises IntakeError where it does not say of what, or what happened."""
    macros = {_PREFIX.sub("", name): said for name, said in reversed(plain_texts(body, _UNSET).items())}
    host = said_as(macros, "hostname", "hostdisplayname", "hostalias", "host")
    names = () if said_as(macros, "what") == "HOST" else _SERVICES
    service = said_as(macros, *names)
    about = "service" if service else "host"
    kind = said_as(macros, "notificationtype").partition(" (")[0]
    how = said_as(macros, f"{about}state", "state", "checkresultstate")
    if not host:
        raise IntakeError("The payload has no HOSTNAME; does the notification command send the macro by that name?")
    if names and not service and "servicestate" in macros:
        raise IntakeError("The payload has a SERVICESTATE but no SERVICEDESC.")
    if not kind and not how:
        raise IntakeError(f"The payload has neither a NOTIFICATIONTYPE nor a {about.upper()}STATE.")
    action, is_guess = _action(kind, how)
    how_bad = "" if _is_well(how) else how
    comment = said_as(macros, "notificationcomment", f"{about}ackcomment")
    changed_at = moment(said_as(macros, f"last{about}statechange", f"{about}laststatechange"))
    return AlertUpdate(
        title=f"{service} on {host} is {how or kind}" if service else f"{host} is {how or kind}",
        action=action,
        fingerprint=f"{host}!{service}" if service else host,
        severity=severity(how_bad),
        severity_word=how_bad,
        description=_output(macros, about),
        labels=labels(
            host=host,
            service=service,
            address=said_as(macros, "hostaddress", "address"),
            hostgroups=said_as(macros, "hostgroupnames"),
            servicegroups=said_as(macros, "servicegroupnames"),
        ),
        annotations=labels(
            attempt=said_as(macros, f"{about}attempt"), check=said_as(macros, f"{about}checkcommand", "checkcommand")
        ),
        links=links(
            ("Monitoring", said_as(macros, f"{about}url", "url")),
            ("Notes", said_as(macros, f"{about}notesurl", "hostnotesurl")),
            ("Action", said_as(macros, f"{about}actionurl")),
        ),
        starts_at=changed_at if action == Action.FIRE else None,
        ends_at=changed_at if action == Action.RESOLVE else None,
        note=": ".join(filter(None, (kind, comment))) if action == Action.NOTE else comment,
        user=said_as(macros, *_AUTHORS, f"{about}ackauthor"),
        status_word=kind or how,
        is_guess=is_guess,
    )


def _is_well(how: str) -> bool:
    return state(how)[0] == Action.RESOLVE


def _action(kind: str, how: str) -> tuple[Action, bool]:
    """Return what a notification asks for, and whether that is a guess.

    A recovery within a downtime is told of nowhere but in the state that stands beside the downtime's end.
    """
    if _DOWNTIME_ENDS.fullmatch(kind) and _is_well(how):
        return Action.RESOLVE, False
    return state(kind or how, _ACTIONS)


def _output(macros: Mapping[str, str], about: str) -> str:
    parts = said_as(macros, f"{about}output", "output", "checkresultoutput"), said_as(macros, f"long{about}output")
    return "\n".join(filter(None, parts)).replace("\\n", "\n")
