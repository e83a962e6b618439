"""The words of alerts and their intake."""

from django.db import models


class Kind(models.TextChoices):
    """What a source speaks. The path it posts to need not say it: its key does."""

    ALERTMANAGER = "alertmanager", "Alertmanager"
    GRAFANA = "grafana", "Grafana"
    PROMETHEUS = "prometheus", "Prometheus"
    PAGERDUTY = "pagerduty", "PagerDuty Events v2"
    OPSGENIE = "opsgenie", "Opsgenie"
    SNS = "sns", "Amazon SNS / CloudWatch"
    SENTRY = "sentry", "Sentry"
    DATADOG = "datadog", "Datadog"
    GCP = "gcp", "Google Cloud Monitoring"
    ZABBIX = "zabbix", "Zabbix"
    UPTIME_KUMA = "uptime_kuma", "Uptime Kuma"
    PINGDOM = "pingdom", "Pingdom"
    NEWRELIC = "newrelic", "New Relic"
    GRAYLOG = "graylog", "Graylog"
    SPLUNK = "splunk", "Splunk"
    GITHUB = "github", "GitHub"
    GENERIC = "generic", "Generic webhook"
    LOGS = "logs", "Logs"


class AlertStatus(models.TextChoices):
    """Whether the condition holds, as far as its sender has told."""

    FIRING = "firing", "Firing"
    RESOLVED = "resolved", "Resolved"


class Ending(models.TextChoices):
    """What ended an alert's firing. One that merely expired may turn out to be firing still."""

    SENDER = "sender", "Its sender"
    EXPIRY = "expiry", "Nothing heard any more"


class MappedField(models.TextChoices):
    """What a word of a sender's is about."""

    STATUS = "status", "Status"
    SEVERITY = "severity", "Severity"


class IntakeState(models.TextChoices):
    """What became of something a sender handed in."""

    WAITING = "waiting", "Waiting"
    DONE = "done", "Done"
    DROPPED = "dropped", "Dropped by a route"
    IGNORED = "ignored", "Changed nothing"
    FAILED = "failed", "Failed"
    LIMITED = "limited", "Over the rate limit"


class MatchOperator(models.TextChoices):
    """How a matcher compares, as in Prometheus; regular expressions match the whole value."""

    EQUAL = "=", "is"
    NOT_EQUAL = "!=", "is not"
    MATCHES = "=~", "matches"
    MATCHES_NOT = "!~", "does not match"
