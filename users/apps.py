from django.apps import AppConfig


class UsersConfig(AppConfig):
    """People: accounts, roles, sessions, tokens."""

    name = "users"
    verbose_name = "People"
