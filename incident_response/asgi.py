"""The ASGI application of `manage.py serve`."""

import os
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from core.server.entrance import Entrance


def load() -> "Entrance":
    """Set Django up, then import what needs it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "incident_response.settings")
    django.setup(set_prefix=False)
    from core.server.entrance import Entrance
    from core.server.gateway import application

    return Entrance(application)


application = load()
