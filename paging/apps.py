from django.apps import AppConfig


class PagingConfig(AppConfig):
    """Escalation: who is paged for an incident, when, and why."""

    name = "paging"
    verbose_name = "On call"
