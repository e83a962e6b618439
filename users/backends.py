"""Sign in by e-mail address and password."""

from django.contrib.auth.backends import ModelBackend


class EmailBackend(ModelBackend):
    """Django's password check; permissions are the roles'."""
