from django.apps import AppConfig


class UsersConfig(AppConfig):
    """People: accounts, roles, sessions, tokens."""

    name = "users"
    verbose_name = "People"

    def ready(self) -> None:
        """Audit what people edit, note sign-ins, and describe our authentication in the OpenAPI document."""
        from auditlog.registry import auditlog
        from django.contrib.auth.signals import user_logged_in

        from users import schema  # noqa: F401 (its classes register themselves)
        from users.audit import record_sign_in
        from users.models import User

        auditlog.register(User, exclude_fields=["password", "last_login"])
        user_logged_in.connect(record_sign_in, dispatch_uid="users.record_sign_in")
