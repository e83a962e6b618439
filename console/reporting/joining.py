"""Add what somebody was about to report to the incident that it is."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from console.reporting.sending import Sending, inspect_files, refusal
from core.api.fields import MAX_TEXT
from core.errors import DomainError
from incidents.attachments.inspecting import FIELD
from incidents.models import Incident, Origin
from incidents.services import attaching, comment, subscribe
from incidents.views.lookup import one_of


class Joining(Sending):
    """A report on its way into an incident that there is already."""

    def __init__(self, request: HttpRequest, *, reference: str) -> None:
        super().__init__(request)
        self.incident = one_of(Incident.objects.visible_to(self.by), reference)

    @property
    def text(self) -> str:
        """Return title and description as one update."""
        said = (self.request.POST.get("title", "").strip(), self.request.POST.get("description", "").strip())
        return "\n\n".join(filter(None, said)).replace("\0", "")[:MAX_TEXT]

    def _known(self, *, has_changed: bool = False) -> HttpResponse | None:
        return None

    def _prepare(self) -> HttpResponse | None:
        checked, refused = inspect_files(self.request.FILES.getlist(FIELD))
        if refused:
            return JsonResponse({"code": "invalid", "errors": refused}, status=400)
        self.stored = attaching.store(checked) if checked else None
        return None

    def _open(self) -> HttpResponse:
        try:
            subscribe(self.incident, self.by, by=self.by, origin=Origin.CONSOLE)
            if self.text:
                comment(self.incident, self.text, by=self.by, origin=Origin.CONSOLE)
            if self.stored is not None:
                attaching.attach(self.incident, self.stored, by=self.by, origin=Origin.CONSOLE)
        except DomainError as error:
            return refusal(error)
        url = f"/incidents/{self.incident.reference}/"
        told: dict[str, Any] = {"reference": self.incident.reference, "url": url}
        response = JsonResponse(told, status=201)
        response["Location"] = url
        return response
