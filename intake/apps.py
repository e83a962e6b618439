from django.apps import AppConfig


class IntakeConfig(AppConfig):
    """Intake: sources, their keys, and the durable queue of what they sent."""

    name = "intake"
    verbose_name = "Intake"
