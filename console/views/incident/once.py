"""Words are written once, however often their form is sent: twice by a finger, or again since the answer was lost."""

import hashlib
from collections.abc import Callable

from django.http import HttpResponse

from core.api.idempotency import Claim, answer_once
from incidents.models import Incident
from users.models import User

UID = "client_uid"
LONGEST = 64


def once(incident: Incident, by: User, uid: str, words: str, work: Callable[[], object]) -> None:
    """Do the work unless it was done for the same words of the same form; without a `uid`, always."""
    if not uid:
        work()
        return

    def done() -> HttpResponse:
        work()
        return HttpResponse(status=204)

    name = "\n".join(["update", str(incident.pk), uid[:LONGEST], words])
    key, content = (hashlib.sha256(text.encode(errors="replace")).hexdigest() for text in (name, words))
    answer_once(Claim(by, key, content), done)
