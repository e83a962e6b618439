from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = "System"

    def ready(self) -> None:
        from core.jobs import JOBS
        from core.server.jobs import register_jobs

        register_jobs(*JOBS)
