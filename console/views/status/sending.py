"""What is told to the public is told once, however often its form is sent."""

import hashlib
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import orjson
from django.http import HttpRequest, HttpResponse

from console.forms.status.announcing import VersionedForm
from console.pages import person
from core.api.idempotency import Claim, answer_once
from core.errors import StaleVersion

UID = "client_uid"
LONGEST = 64


def made_once(request: HttpRequest, work: Callable[[], int]) -> int:
    """Return the id that the work makes, or made before for the same form with the same words."""
    uid = request.POST.get(UID, "")[:LONGEST]
    if not uid:
        return work()
    words = sorted((name, values) for name, values in request.POST.lists() if name != "csrfmiddlewaretoken")
    content = hashlib.sha256(orjson.dumps([request.path, words])).hexdigest()
    key = hashlib.sha256(f"status\n{uid}\n{content}".encode()).hexdigest()
    claim = Claim(person(request), key, content)
    answer = answer_once(claim, lambda: HttpResponse(str(work())))
    return int(cast("HttpResponse", answer).content)


def new_uid(request: HttpRequest) -> str:
    """Return what names the form: that of the one that was sent, or a new one."""
    return request.POST.get(UID) or str(uuid.uuid4())


@contextmanager
def over_theirs(form: VersionedForm) -> Iterator[None]:
    """Refuse once what comes too late; sent again, it replaces what others stored."""
    try:
        yield
    except StaleVersion as error:
        form.see(int(error.extra.get("version", 1)))
        raise
