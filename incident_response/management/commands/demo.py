"""`manage.py demo`: fill an empty installation."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from incident_response.demo import PASSWORD, address_of
from incident_response.demo.loading import load, run_jobs
from incidents.models import Incident
from users.models import User

SHOWN = [("Administrator", "ada"), ("Responder", "ben"), ("Reporter", "hana")]


class Command(BaseCommand):
    help = "Load the demo data into an empty installation and show its logins. Never touches existing data."

    def handle(self, *args: Any, **options: Any) -> None:
        if User.objects.filter(email=address_of("ada")).exists():
            self._announce()
        elif User.objects.exists() or Incident.objects.exists():
            self.stdout.write("The database already holds people or incidents, so the demo was not loaded.")
        elif settings.SECURE_TRANSPORT:
            self.stdout.write("The demo's password is public, so it is loaded only with PLAIN_HTTP=true or DEBUG=true.")
        else:
            self._load()

    def _load(self) -> None:
        self.stdout.write("Loading the demo …")
        load(timezone.now())
        run_jobs(timezone.now())
        self._announce()

    def _announce(self) -> None:
        self.stdout.write(f"Demo logins, all with the password {PASSWORD} unless it was changed:")
        for role, key in SHOWN:
            self.stdout.write(f"  {role:<14}{address_of(key)}")
