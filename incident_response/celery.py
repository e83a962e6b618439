"""Celery's application: `celery -A incident_response worker -Q incident_response.general`."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "incident_response.settings")
django.setup()

from core.server.messages import celery_app, prepare_worker  # noqa: E402 (needs the settings)
from core.server.waits import limit_waits_of_worker  # noqa: E402

limit_waits_of_worker()
prepare_worker()
app = celery_app()
