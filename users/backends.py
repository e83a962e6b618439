from django.contrib.auth.backends import ModelBackend


class EmailBackend(ModelBackend):
    """Django's password check; permissions come from roles."""
