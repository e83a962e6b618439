"""Take a report in, once: whoever sends it again with its key gets the incident that it became."""

import hashlib
import json
import sys
import uuid
from types import SimpleNamespace
from typing import Any, cast

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from console.pages import person
from console.reporting.form import ReportForm
from core.api.idempotency import Claim, KeyReused, answer_once, content_digest
from core.errors import DomainError
from incidents.attachments import Checked, inspect
from incidents.attachments.inspecting import FIELD, clean_name
from incidents.models import Incident, Origin
from incidents.services import NewIncident, attaching, external_key, open_incident
from users.models import User

KEY_FIELD = "client_uid"
CREATED = 201


def person_key(user: User) -> str:
    """Return what a device calls the person whose drafts it keeps."""
    return salted_hmac("console.reporting", str(user.pk)).hexdigest()[:24]


def key_of(request: HttpRequest) -> uuid.UUID:
    """Return the key that the page made for this report; a new one where there is none."""
    try:
        return uuid.UUID(request.headers.get("Idempotency-Key") or request.POST.get(KEY_FIELD, ""))
    except ValueError:
        return uuid.uuid4()


class Sending:
    """A report on its way in."""

    def __init__(self, request: HttpRequest) -> None:
        self.request, self.by, self.key = request, person(request), key_of(request)
        self.form = ReportForm(request.POST, user=self.by)
        self.external_id = f"{self.by.pk}/{self.key}"
        self.new: NewIncident | None = None
        self.stored: attaching.StoredFiles | None = None

    def answer(self) -> HttpResponseBase:
        """Return JSON: the incident's reference and the page to go on to, or what is refused."""
        try:
            return answer_once(self._claim(), self._open, prepare=self._prepare)
        except KeyReused as error:
            return self._known(has_changed=True) or refusal(error)
        except DomainError as error:
            return refusal(error)
        finally:
            if self.stored is not None:
                self.stored.written.settle(sys.exception())

    def _known(self, *, has_changed: bool = False) -> HttpResponse | None:
        """Return the incident that this report has become, however long ago."""
        key = external_key(Origin.CONSOLE, self.external_id)
        incident = Incident.objects.filter(external_key=key, reporter=self.by).only("pk").first()
        return _accepted(incident, has_changed=has_changed) if incident is not None else None

    def _claim(self) -> Claim:
        name = f"POST\n{self.request.path}\n{self.key}"
        return Claim(self.by, hashlib.sha256(name.encode()).hexdigest(), form_digest(self.request))

    def _prepare(self) -> HttpResponse | None:
        if (known := self._known()) is not None:
            return known
        fields = self.form.judge()
        checked, refused = inspect_files(self.request.FILES.getlist(FIELD))
        if self.form.errors or refused:
            told = [
                {"field": name, "message": str(sentence)}
                for name, sentences in self.form.errors.items()
                for sentence in sentences
            ]
            return JsonResponse({"code": "invalid", "errors": [*told, *refused]}, status=400)
        self.stored = attaching.store(checked) if checked else None
        self.new = NewIncident(**fields, files=self.stored or (), external_id=self.external_id)
        return None

    def _open(self) -> HttpResponse:
        try:
            return _accepted(open_incident(cast("NewIncident", self.new), by=self.by, origin=Origin.CONSOLE))
        except DomainError as error:
            return refusal(error)


def inspect_files(files: "list[UploadedFile[bytes]]") -> tuple[list[Checked], list[dict[str, Any]]]:
    """Check each file by itself, so that each refusal names its own."""
    if len(files) > settings.MAX_ATTACHMENTS:
        words = {"count": len(files), "limit": settings.MAX_ATTACHMENTS}
        sentence = _("%(count)s files were sent; the limit is %(limit)s per report.") % words
        return [], [{"field": FIELD, "message": sentence}]
    checked: list[Checked] = []
    refused: list[dict[str, Any]] = []
    for index, file in enumerate(files):
        try:
            checked += inspect([file])
        except DomainError as error:
            if error.status >= 500:
                raise
            refused.append(
                {"field": FIELD, "message": error.message, "file": clean_name(file.name or ""), "index": index}
            )
    return checked, refused


def form_digest(request: HttpRequest) -> str:
    """Return the SHA-256 of what a form says, its files included; tokens and keys aside."""
    data = request.POST.copy()
    for name in ("csrfmiddlewaretoken", KEY_FIELD):
        data.pop(name, None)
    data.setlist(FIELD, cast("Any", request.FILES.getlist(FIELD)))
    return content_digest(cast("Any", SimpleNamespace(data=data, META={})))


def errors_of(response: HttpResponseBase) -> list[dict[str, Any]]:
    """Return what a refusal says."""
    told: list[dict[str, Any]] = json.loads(cast("HttpResponse", response).content)["errors"]
    return told


def refusal(error: DomainError) -> HttpResponse:
    """Return a refusal that a script reads."""
    told = {
        "field": error.field or "",
        "message": error.message,
        **({"file": error.extra["file"]} if "file" in error.extra else {}),
    }
    response = JsonResponse({"code": error.code, "errors": [told]}, status=error.status)
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    return response


def _accepted(incident: Incident, *, has_changed: bool = False) -> HttpResponse:
    url = reverse("console:report-sent", args=[incident.reference]) + ("?changed=1" if has_changed else "")
    response = JsonResponse({"reference": incident.reference, "url": url}, status=CREATED)
    response["Location"] = url
    return response
