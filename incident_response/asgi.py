"""The application for ASGI servers, and the one that `manage.py serve` serves; see incident_response.gateway."""

import os

import django

from incident_response.bodies import ASGIApplication


def load() -> ASGIApplication:
    """Set Django up, then import what needs it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "incident_response.settings")
    django.setup(set_prefix=False)
    from incident_response.gateway import application

    return application


application = load()
