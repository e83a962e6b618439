"""The words of intake."""

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
