"""Work inside one data set: a session of the pages, and where they lead."""

from django.conf import settings
from django.test import Client

from benchmarks.incidents import people
from users.models import User


def session() -> dict[str, str]:
    """Return the cookie of a responder who is in two teams."""
    client = Client()
    client.force_login(User.objects.get(pk=people.RESPONDER_IDS.start), backend=settings.AUTHENTICATION_BACKENDS[-1])
    name = settings.SESSION_COOKIE_NAME
    return {"cookie": f"{name}={client.cookies[name].value}"}
