from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class UsersConfig(AppConfig):
    name = "users"
    verbose_name = _("People")

    def ready(self) -> None:
        from auditlog.models import LogEntry
        from auditlog.registry import auditlog
        from django.contrib.auth.signals import user_logged_in
        from django.db.models.signals import pre_save

        from core.server.health import register_count
        from core.server.jobs import register_jobs
        from users import schema  # noqa: F401 (its classes register themselves)
        from users.audit import record_sign_in, sign
        from users.jobs import JOBS
        from users.models import User

        register_jobs(*JOBS)
        register_count("users", User.objects.count)
        auditlog.register(User, exclude_fields=["password", "last_login", "access_epoch"])
        pre_save.connect(sign, sender=LogEntry, dispatch_uid="users.audit.sign")
        user_logged_in.connect(record_sign_in, dispatch_uid="users.record_sign_in")
