"""The words of incidents."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    """Where an incident stands; incidents.workflow says how it moves."""

    OPEN = "open", "Open"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    IN_PROGRESS = "in_progress", "In progress"
    ON_HOLD = "on_hold", "On hold"
    RESOLVED = "resolved", "Resolved"
    CLOSED = "closed", "Closed"


OPEN_STATUSES = (Status.OPEN, Status.ACKNOWLEDGED, Status.IN_PROGRESS, Status.ON_HOLD)


STATUS_OF_WORD = {status.value: status for status in Status}


class EventKind(models.TextChoices):
    """What happened, as the timeline names it."""

    CREATED = "created", "Reported"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    STARTED = "started", "Work started"
    HELD = "held", "Put on hold"
    RESUMED = "resumed", "Resumed"
    RESOLVED = "resolved", "Resolved"
    CLOSED = "closed", "Closed"
    REOPENED = "reopened", "Reopened"
    FIELD_CHANGED = "field_changed", "Changed"
    TEAM_CHANGED = "team_changed", "Team changed"
    ASSIGNEE_CHANGED = "assignee_changed", "Assignee changed"
    SEVERITY_CHANGED = "severity_changed", "Severity changed"
    PRIORITY_CHANGED = "priority_changed", "Priority changed"
    COMMENT = "comment", "Update"
    ATTACHMENT_ADDED = "attachment_added", "File attached"
    ATTACHMENT_REMOVED = "attachment_removed", "File removed"
    SUBSCRIBED = "subscribed", "Subscriber added"
    UNSUBSCRIBED = "unsubscribed", "Subscriber removed"
    ACCESS_GRANTED = "access_granted", "Made visible to others"
    FOLLOWERS_LEFT = "followers_left", "Followers not taken along"
    LINKED = "linked", "Linked"
    UNLINKED = "unlinked", "Link removed"
    REDACTED = "redacted", "Text removed"
    ACK_BREACHED = "ack_breached", "Not acknowledged in time"
    RESOLVE_BREACHED = "resolve_breached", "Not resolved in time"
    ALERT_ADDED = "alert_added", "Alert added"
    ALERT_RESOLVED = "alert_resolved", "Alert resolved"
    ALERT_REMOVED = "alert_removed", "Alert taken out"
    DELETED = "deleted", "Deleted"
    RESTORED = "restored", "Restored"


class Visibility(models.TextChoices):
    """Who reads an event: everybody who sees the incident, or only those who work on incidents."""

    PUBLIC = "public", "Public"
    INTERNAL = "internal", "Internal"


# What an update is where nobody says; pages and API show the choice, and offer the same.
DEFAULT_VISIBILITY = Visibility.PUBLIC


class Origin(models.TextChoices):
    """Where an event came from."""

    API = "api", "API"
    CONSOLE = "console", "Web page"
    ADMIN = "admin", "Admin"
    CHAT = "chat", "Chat"
    ALERT = "alert", "Alert"
    JOB = "job", "Job"
    IMPORT = "import", "Import"


class MachineKind(models.TextChoices):
    """What kind of machine acts by itself, or for somebody."""

    SOURCE = "source", _("Source")
    CHANNEL = "channel", _("Channel")
    ESCALATION = "escalation", _("Escalation")
    ASSISTANT = "assistant", _("Assistant")


class LinkKind(models.TextChoices):
    """How one incident stands to another."""

    DUPLICATE_OF = "duplicate_of", "Duplicate of"
    RELATED_TO = "related_to", "Related to"
    CAUSED_BY = "caused_by", "Caused by"
