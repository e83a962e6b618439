"""What can be done on an incident's page: each button is a POST to a view here, which calls a service."""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone

from core.backoffice.badges import severity_badge
from core.backoffice.base import attempt, exactly
from core.errors import DomainError
from incidents import services
from incidents.admin.badges import age, due_mark, missed_targets, status_badge
from incidents.admin.forms import AssignForm, CommentForm, NoteForm, ReasonForm
from incidents.admin.sections import incident_sections
from incidents.admin.timeline import SEEN_FROM_THERE, lines_of
from incidents.attachments import serving
from incidents.models import Attachment, Incident, IncidentEvent, IncidentLink, LinkKind, Origin, Subscription
from incidents.permissions import can_comment, can_work_on, require_work
from incidents.services import attaching
from incidents.workflow import ACTIONS_BY_NAME, actions_from
from users.models import User

MOST_PICTURES = 40
MOST_PEOPLE = 20
# Actions that are asked for a note, which is required only where the table says so.
NOTED = frozenset({"resolve", "hold", "reopen"})
SENDERS = {"file": serving.serve_file, "thumbnail": serving.serve_thumbnail, "original": serving.serve_original}


def board(incident: Incident, user: User) -> dict[str, Any]:
    """What surrounds the form: badges, buttons, files, relations and the newest events."""
    lines, more_before = lines_of(incident, user)
    is_deleted = incident.deleted_at is not None
    works = can_work_on(user, incident.team_id) and not is_deleted
    now = timezone.now()
    return {
        "incident": incident,
        "severity": severity_badge(incident.severity),
        "status": status_badge(incident.status),
        "age": age(incident, now),
        "reported": exactly(incident.created_at),
        "deleted": exactly(incident.deleted_at) if incident.deleted_at else "",
        "due": due_mark(incident, now),
        "is_late": bool(missed_targets(incident, now)),
        "is_deleted": is_deleted,
        "is_admin": user.is_superuser,
        "works": works,
        "moves": [(action, action.name in NOTED) for action in actions_from(incident.status)] if works else [],
        "may_take": works and incident.is_still_open and incident.assignee_id != user.pk,
        "comment_form": CommentForm() if not is_deleted and can_comment(user, incident) else None,
        "attachments": list(Attachment.objects.filter(incident=incident)[:MOST_PICTURES]),
        "links": _links(incident, user),
        "followers": list(_followers(incident)),
        "sections": incident_sections(incident, user),
        "lines": lines,
        "more_before": more_before,
    }


def _links(incident: Incident, user: User) -> list[tuple[str, Incident, str]]:
    """Each incident that the person may see and that is linked with this one, from here or from there, between the
    words that say how."""
    visible = Incident.objects.visible_to(user)
    from_here = IncidentLink.objects.filter(incident=incident, target__in=visible).select_related("target")
    from_there = IncidentLink.objects.filter(target=incident, incident__in=visible).select_related("incident")
    return [
        *((link.get_kind_display(), link.target, "") for link in from_here[:MOST_PEOPLE]),
        *(("", link.incident, SEEN_FROM_THERE[LinkKind(link.kind)]) for link in from_there[:MOST_PEOPLE]),
    ]


def _followers(incident: Incident) -> Any:
    subscriptions = Subscription.objects.filter(incident=incident).select_related("user").order_by("id")
    return [subscription.user for subscription in subscriptions[:MOST_PEOPLE]]


class IncidentPages:
    """The addresses below an incident's page."""

    admin_site: Any
    opts: Any

    def get_urls(self) -> list[Any]:
        """Ours before Django's, which would take any path for an id."""
        views: dict[str, tuple[str, Callable[..., HttpResponseBase]]] = {
            "move": ("<int:pk>/move/<slug:name>/", self.move_view),
            "take": ("<int:pk>/take/", self.take_view),
            "assign": ("<int:pk>/assign/", self.assign_view),
            "comment": ("<int:pk>/comment/", self.comment_view),
            "timeline": ("<int:pk>/timeline/", self.timeline_view),
            "redact": ("<int:pk>/timeline/<int:seq>/redact/", self.redact_view),
            "restore": ("<int:pk>/restore/", self.restore_view),
            "purge": ("<int:pk>/purge/", self.purge_view),
            "attach": ("<int:pk>/attachments/", self.attach_view),
            "remove_attachment": ("<int:pk>/attachments/<int:attachment_id>/remove/", self.remove_view),
            "attachment": ("<int:pk>/attachments/<int:attachment_id>/<slug:variant>/", self.attachment_view),
        }
        ours = [
            path(route, self.admin_site.admin_view(view), name=f"incidents_incident_{name}")
            for name, (route, view) in views.items()
        ]
        return [*ours, *super().get_urls()]  # type: ignore[misc]

    def move_view(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """One step of the lifecycle; asks for a note where one is wanted and none was given."""
        incident, action = self._visible(request, pk), ACTIONS_BY_NAME.get(name)
        if action is None:
            raise Http404
        if (refusal := self._refused(request, incident)) is not None:
            return refusal
        is_noted = name in NOTED
        form = NoteForm(request.POST or None, is_required=action.needs_note)
        asked = form if is_noted else None
        if request.method != "POST" or (is_noted and not form.is_valid()):
            title = f"{action.name.capitalize()} {incident}"
            return self._ask(request, incident, title, asked, action.name.capitalize())
        note = form.cleaned_data["note"] if is_noted else ""
        work = lambda: services.transition(  # noqa: E731
            incident, action.to_status, by=_user(request), note=note, origin=Origin.ADMIN
        )
        attempt(request, work, done=f"{incident.reference} is {action.to_status.label.lower()}.")
        return self.back_to(incident)

    def take_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Give it to the person who asks."""
        incident = self._visible(request, pk)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not incident.is_still_open:
            messages.error(request, ended(incident))
            return self.back_to(incident)
        by = _user(request)
        work = lambda: services.assign_person(incident, by, by=by, origin=Origin.ADMIN)  # noqa: E731
        attempt(request, work, done=f"{incident.reference} is yours.")
        return self.back_to(incident)

    def assign_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Hand it to a team, a person or both."""
        incident = self._visible(request, pk)
        if (refusal := self._refused(request, incident)) is not None:
            return refusal
        present = {"team": incident.team_id, "assignee": incident.assignee_id}
        form = AssignForm(request.POST or None, initial=present, incidents=[incident])
        if request.method != "POST" or not form.is_valid():
            return self._ask(request, incident, f"Reassign {incident}", form, "Reassign")
        fields = {name: form.cleaned_data[name] for name in present if name in form.changed_data}
        work = lambda: services.update(  # noqa: E731
            incident,
            by=_user(request),
            fields=fields,
            note=form.cleaned_data["note"],
            origin=Origin.ADMIN,
            grants_access=form.is_granted,
        )
        if not self._is_done(form, work):
            return self._ask(request, incident, f"Reassign {incident}", form, "Reassign")
        messages.success(request, f"{incident.reference} was reassigned." if fields else "Nothing was changed.")
        is_still_seen = self.get_queryset(request).filter(pk=pk).exists()  # type: ignore[attr-defined]
        return self.back_to(incident) if is_still_seen else HttpResponseRedirect(self.list_url())

    def comment_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Add an update."""
        incident = self._visible(request, pk)
        form = CommentForm(request.POST or None)
        work = lambda: services.comment(  # noqa: E731
            incident,
            form.cleaned_data["message"],
            by=_user(request),
            visibility=form.cleaned_data["visibility"],
            origin=Origin.ADMIN,
        )
        if not form.is_valid() or not self._is_done(form, work):
            return self._ask(request, incident, f"Update {incident}", form, "Add")
        messages.success(request, "Added to the timeline.")
        return self.back_to(incident)

    def timeline_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The timeline by itself, newest first, in pages."""
        incident = self._visible(request, pk)
        before = request.GET.get("before", "")
        start = int(before[:9]) if before.isascii() and before.isdigit() else None
        lines, more_before = lines_of(incident, _user(request), before=start)
        context = {
            **self._context(request, incident, f"Timeline of {incident}"),
            "lines": lines,
            "more_before": more_before,
            "is_admin": _user(request).is_superuser,
        }
        return TemplateResponse(request, "admin/incidents/timeline_page.html", context)

    def redact_view(self, request: HttpRequest, pk: int, seq: int) -> HttpResponse:
        """Take a leaked text out of an event."""
        incident = self._visible(request, pk, is_admin_only=True)
        event = IncidentEvent.objects.filter(incident=incident, seq=seq).select_related("incident").first()
        if event is None:
            raise Http404
        form = ReasonForm(request.POST or None)
        if request.method != "POST" or not form.is_valid():
            sentence = (
                f"Takes the text out of entry {seq}, and out of the incident where it still says the same. "
                "That it was there, and that you removed it, stays."
            )
            title = f"Remove the text of entry {seq}"
            return self._ask(request, incident, title, form, "Remove", sentence=sentence, is_danger=True)
        reason = form.cleaned_data["reason"]
        work = lambda: services.redact(event, by=_user(request), reason=reason, origin=Origin.ADMIN)  # noqa: E731
        attempt(request, work, done="The text was removed.")
        return self.back_to(incident)

    def restore_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Bring a deleted incident back."""
        incident = self._visible(request, pk, is_admin_only=True)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        work = lambda: services.restore(incident, by=_user(request), origin=Origin.ADMIN)  # noqa: E731
        attempt(request, work, done=f"{incident.reference} is back.")
        return self.back_to(incident)

    def purge_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Erase a deleted incident."""
        incident = self._visible(request, pk, is_admin_only=True)
        if request.method != "POST":
            sentence = "Erases the incident with its timeline and files. This cannot be taken back."
            return self._ask(request, incident, f"Purge {incident}", None, "Purge", sentence=sentence, is_danger=True)
        work = lambda: services.purge(incident, by=_user(request))  # noqa: E731
        is_done = attempt(request, work, done=f"{incident.reference} was purged.")
        return HttpResponseRedirect(self.list_url()) if is_done else self.back_to(incident)

    def attachment_view(self, request: HttpRequest, pk: int, attachment_id: int, variant: str) -> HttpResponseBase:
        """A file of the incident, sent as the API sends it."""
        incident = self._visible(request, pk)
        attachment = self._attachment(incident, attachment_id)
        if variant not in SENDERS or (variant == "thumbnail" and not attachment.thumbnail_key):
            raise Http404
        try:
            return SENDERS[variant](request, attachment)
        except DomainError as error:
            return HttpResponse(error.message, status=error.status, content_type="text/plain")

    def attach_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Add files."""
        incident = self._visible(request, pk)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        files = request.FILES.getlist("files")
        number = f"{len(files)} file{'s' if len(files) != 1 else ''} added."
        attempt(request, lambda: _attach(incident, files, _user(request)), done=number)
        return self.back_to(incident)

    def remove_view(self, request: HttpRequest, pk: int, attachment_id: int) -> HttpResponse:
        """Take a file away."""
        incident = self._visible(request, pk)
        attachment = self._attachment(incident, attachment_id)
        if request.method != "POST":
            sentence = "Takes the file away for good; that it was there stays on the timeline."
            title = f"Remove {attachment.name}"
            return self._ask(request, incident, title, None, "Remove", sentence=sentence, is_danger=True)
        work = lambda: attaching.remove(attachment, by=_user(request), origin=Origin.ADMIN)  # noqa: E731
        attempt(request, work, done=f"{attachment.name} was removed.")
        return self.back_to(incident)

    # --- Shared -------------------------------------------------------------------------------------------------------

    def _refused(self, request: HttpRequest, incident: Incident) -> HttpResponse | None:
        """Why the person may not work on it, told before a form is filled in for nothing."""
        try:
            require_work(_user(request), incident)
        except DomainError as error:
            return self.told(request, error, reverse("admin:incidents_incident_change", args=[incident.pk]))
        return None

    @staticmethod
    def _is_done(form: Any, work: Callable[[], Any]) -> bool:
        """Call a service; what it refuses is said on the form, which keeps what was entered."""
        try:
            work()
        except DomainError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
            return False
        return True

    def list_url(self) -> str:
        """The address of the incident list."""
        return reverse("admin:incidents_incident_changelist")

    def back_to(self, incident: Incident) -> HttpResponse:
        """Go (back) to the incident's page."""
        return HttpResponseRedirect(reverse("admin:incidents_incident_change", args=[incident.pk]))

    def told(self, request: HttpRequest, error: DomainError, url: str) -> HttpResponse:
        """Say what was refused, on the page at `url`."""
        messages.error(request, error.message)
        return HttpResponseRedirect(url)

    def _visible(self, request: HttpRequest, pk: int, *, is_admin_only: bool = False) -> Incident:
        """The incident; 403 for who may not come here, 404 for what is absent or invisible."""
        if not self.has_view_permission(request) or (is_admin_only and not _user(request).is_superuser):  # type: ignore[attr-defined]
            raise PermissionDenied
        incident: Incident | None = self.get_queryset(request).filter(pk=pk).first()  # type: ignore[attr-defined]
        if incident is None:
            raise Http404
        return incident

    def _attachment(self, incident: Incident, attachment_id: int) -> Attachment:
        attachment = Attachment.objects.filter(incident=incident, pk=attachment_id).select_related("incident").first()
        if attachment is None:
            raise Http404
        return attachment

    def _context(self, request: HttpRequest, incident: Incident, title: str) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "original": incident,
            "incident": incident,
            "back": reverse("admin:incidents_incident_change", args=[incident.pk]),
        }

    def _ask(
        self, request: HttpRequest, incident: Incident, title: str, form: Any, submit: str, **more: Any
    ) -> HttpResponse:
        context = {**self._context(request, incident, title), "form": form, "submit": submit, **more}
        return TemplateResponse(request, "admin/ask.html", context)


def ended(incident: Incident) -> str:
    """Why nobody takes an incident that has ended."""
    return f"{incident.reference} is {incident.get_status_display().lower()}; reopen it to work on it."


def _attach(incident: Incident, files: Sequence[Any], by: User) -> None:
    if not files:
        raise DomainError("Choose a file first.")
    attaching.attach(incident, attaching.inspect(files), by=by, origin=Origin.ADMIN)


def _user(request: HttpRequest) -> User:
    return request.user  # type: ignore[return-value]
