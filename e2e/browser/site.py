"""The server that the browser looks at: the demo in a scratch database, which this process works on, too."""

import os
import shutil
from pathlib import Path
from typing import Any

from e2e.server import Server

KEEP_WARM = {"WEB_PROCESSES": "1", "DJANGO_SETTINGS_MODULE": "incident_response.settings"}
# Where a seeded folder is kept for the next runs, which spares a minute (SQLite only).
SEED = Path(seed) if (seed := os.environ.get("BROWSER_SEED")) else None
# Playwright keeps an event loop in this thread; nothing else runs in it.
HERE = {"DJANGO_ALLOW_ASYNC_UNSAFE": "true"}


class Site(Server):
    """A server with the demo, and sessions on it."""

    def __init__(self, **environment: str) -> None:
        super().__init__()
        self.environment |= KEEP_WARM | environment

    def prepare(self) -> None:
        """Load the demo, and be one of the programs that work on it."""
        if SEED and SEED.is_dir():
            shutil.copytree(SEED, self.folder, dirs_exist_ok=True)
        self.manage("migrate", "--verbosity", "0")
        self.manage("demo")
        if SEED and not SEED.is_dir():
            shutil.copytree(self.folder, SEED)
        self.manage("collectstatic", "--noinput", "--verbosity", "0")
        os.environ.update(self.environment | HERE)
        import django

        django.setup()

    def cookies(self, key: str) -> list[Any]:
        """Return the cookies of a new session of somebody, by address or by the demo's name."""
        from django.conf import settings
        from django.test import Client

        client = Client(HTTP_HOST=self.address.removeprefix("http://"))
        client.force_login(person(key), backend=settings.AUTHENTICATION_BACKENDS[-1])
        value = client.cookies[settings.SESSION_COOKIE_NAME].value
        return [{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": self.address, "httpOnly": True}]


def person(key: str) -> Any:
    """Return a user by address or by the demo's name."""
    from incident_response.demo import address_of
    from users.models import User

    return User.objects.get(email=key if "@" in key else address_of(key))
