"""Views below an incident's page, each of which calls a service."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.backoffice.badges import severity_badge
from core.backoffice.base import attempt, exactly
from core.errors import DomainError
from incidents import services
from incidents.admin.badges import age, due_mark, missed_targets, status_badge
from incidents.admin.forms import AssignForm, CommentForm, NoteForm, ReasonForm
from incidents.admin.sections import incident_sections
from incidents.admin.timeline import SEEN_FROM_THERE, timeline_lines
from incidents.attachments import serving
from incidents.models import Attachment, Incident, IncidentEvent, IncidentLink, LinkKind, Origin, Subscription
from incidents.permissions import can_comment, can_work_on, require_work
from incidents.services import attaching
from incidents.workflow import ACTIONS_BY_NAME, actions_from
from users.models import User

MOST_PICTURES = 40
MOST_PEOPLE = 20
# Actions that ask for a note, which some require.
NOTED = frozenset({"resolve", "hold", "reopen"})
ACTION_LABELS = {
    "acknowledge": gettext_lazy("Acknowledge"),
    "start": gettext_lazy("Start"),
    "hold": gettext_lazy("Hold"),
    "resume": gettext_lazy("Resume"),
    "resolve": gettext_lazy("Resolve"),
    "close": gettext_lazy("Close"),
    "reopen": gettext_lazy("Reopen"),
}
SENDERS = {"file": serving.serve_file, "thumbnail": serving.serve_thumbnail, "original": serving.serve_original}


def page_context(incident: Incident, user: User) -> dict[str, Any]:
    """Return what surrounds the form: badges, buttons, files, links and the newest events."""
    lines, more_before = timeline_lines(incident, user)
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
        "moves": [
            (action.name, ACTION_LABELS[action.name], action.name in NOTED) for action in actions_from(incident.status)
        ]
        if works
        else [],
        "may_take": works and incident.is_still_open and incident.assignee_id != user.pk,
        "comment_form": CommentForm() if not is_deleted and can_comment(user, incident) else None,
        "attachments": list(Attachment.objects.filter(incident=incident)[:MOST_PICTURES]),
        "links": _linked_incidents(incident, user),
        "followers": list(_list_followers(incident)),
        "sections": incident_sections(incident, user),
        "lines": lines,
        "more_before": more_before,
    }


def _linked_incidents(incident: Incident, user: User) -> list[tuple[str, Incident, str]]:
    visible = Incident.objects.visible_to(user)
    from_here = IncidentLink.objects.filter(incident=incident, target__in=visible).select_related("target")
    from_there = IncidentLink.objects.filter(target=incident, incident__in=visible).select_related("incident")
    return [
        *((link.get_kind_display(), link.target, "") for link in from_here[:MOST_PEOPLE]),
        *(_seen_from_there(link) for link in from_there[:MOST_PEOPLE]),
    ]


def _seen_from_there(link: IncidentLink) -> tuple[str, Incident, str]:
    before, _place, after = str(SEEN_FROM_THERE[LinkKind(link.kind)]).partition("%(incident)s")
    return before.strip(), link.incident, after.strip()


def _list_followers(incident: Incident) -> Any:
    subscriptions = Subscription.objects.filter(incident=incident).select_related("user").order_by("id")
    return [subscription.user for subscription in subscriptions[:MOST_PEOPLE]]


class IncidentPages:
    """Views below an incident's page."""

    admin_site: Any
    opts: Any

    def get_urls(self) -> list[Any]:
        """Put our routes before Django's, which accept any path as an id."""
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
        """Run an action, asking for a note where it needs one."""
        incident, action = self._get_visible(request, pk), ACTIONS_BY_NAME.get(name)
        if action is None:
            raise Http404
        if (refusal := self._refuse_without_work(request, incident)) is not None:
            return refusal
        is_noted = name in NOTED
        form = NoteForm(request.POST or None, is_required=action.needs_note)
        asked = form if is_noted else None
        if request.method != "POST" or (is_noted and not form.is_valid()):
            label = ACTION_LABELS[name]
            return self._confirm(request, incident, f"{label} {incident}", asked, label)
        note = form.cleaned_data["note"] if is_noted else ""
        work = partial(
            services.transition, incident, action.to_status, by=_user(request), note=note, origin=Origin.ADMIN
        )
        words = {"incident": incident.reference, "status": action.to_status.label.lower()}
        attempt(request, work, done=_("%(incident)s is now %(status)s.") % words)
        return self.back_to(incident)

    def take_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Assign the incident to the person."""
        incident = self._get_visible(request, pk)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not incident.is_still_open:
            messages.error(request, ended_message(incident))
            return self.back_to(incident)
        by = _user(request)
        work = partial(services.assign_person, incident, by, by=by, origin=Origin.ADMIN)
        attempt(request, work, done=_("%(incident)s is assigned to you.") % {"incident": incident.reference})
        return self.back_to(incident)

    def assign_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Assign the incident to a team, a person or both."""
        incident = self._get_visible(request, pk)
        if (refusal := self._refuse_without_work(request, incident)) is not None:
            return refusal
        present = {"team": incident.team_id, "assignee": incident.assignee_id}
        form = AssignForm(request.POST or None, initial=present, incidents=[incident])
        ask = partial(
            self._confirm, request, incident, _("Reassign %(incident)s") % {"incident": incident}, form, _("Reassign")
        )
        if request.method != "POST" or not form.is_valid():
            return ask()
        fields = {name: form.cleaned_data[name] for name in present if name in form.changed_data}
        work = partial(
            services.update,
            incident,
            by=_user(request),
            fields=fields,
            note=form.cleaned_data["note"],
            origin=Origin.ADMIN,
            grants_access=form.is_granted,
        )
        if not self._try_on_form(form, work):
            return ask()
        reassigned = _("%(incident)s was reassigned.") % {"incident": incident.reference}
        messages.success(request, reassigned if fields else _("Nothing changed."))
        is_still_seen = self.get_queryset(request).filter(pk=pk).exists()  # type: ignore[attr-defined]
        return self.back_to(incident) if is_still_seen else HttpResponseRedirect(self.list_url())

    def comment_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        incident = self._get_visible(request, pk)
        form = CommentForm(request.POST or None)
        work = lambda: services.comment(  # noqa: E731
            incident,
            form.cleaned_data["message"],
            by=_user(request),
            visibility=form.cleaned_data["visibility"],
            origin=Origin.ADMIN,
        )
        if not form.is_valid() or not self._try_on_form(form, work):
            return self._confirm(
                request, incident, _("Add an update to %(incident)s") % {"incident": incident}, form, _("Add")
            )
        messages.success(request, _("Update added to the timeline."))
        return self.back_to(incident)

    def timeline_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the timeline in pages."""
        incident = self._get_visible(request, pk)
        before = request.GET.get("before", "")
        start = int(before[:9]) if before.isascii() and before.isdigit() else None
        lines, more_before = timeline_lines(incident, _user(request), before=start)
        context = {
            **self._context(request, incident, _("Timeline of %(incident)s") % {"incident": incident}),
            "lines": lines,
            "more_before": more_before,
            "is_admin": _user(request).is_superuser,
        }
        return TemplateResponse(request, "admin/incidents/timeline_page.html", context)

    def redact_view(self, request: HttpRequest, pk: int, seq: int) -> HttpResponse:
        incident = self._get_visible(request, pk, is_admin_only=True)
        event = IncidentEvent.objects.filter(incident=incident, seq=seq).select_related("incident").first()
        if event is None:
            raise Http404
        form = ReasonForm(request.POST or None)
        if request.method != "POST" or not form.is_valid():
            sentence = _(
                "Redacts the text of event #%(number)s, and the incident's fields that still contain it. The timeline "
                "keeps that there was a text, and that you redacted it."
            )
            title, words = _("Redact event #%(number)s") % {"number": seq}, {"number": seq}
            return self._confirm(request, incident, title, form, _("Redact"), sentence=sentence % words, is_danger=True)
        reason = form.cleaned_data["reason"]
        work = partial(services.redact, event, by=_user(request), reason=reason, origin=Origin.ADMIN)
        attempt(request, work, done=_("The text was redacted."))
        return self.back_to(incident)

    def restore_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        incident = self._get_visible(request, pk, is_admin_only=True)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        work = partial(services.restore, incident, by=_user(request), origin=Origin.ADMIN)
        attempt(request, work, done=_("%(incident)s was restored.") % {"incident": incident.reference})
        return self.back_to(incident)

    def purge_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        incident = self._get_visible(request, pk, is_admin_only=True)
        if request.method != "POST":
            sentence = _("Permanently deletes the incident, its timeline and its files. This cannot be undone.")
            title = _("Purge %(incident)s") % {"incident": incident}
            return self._confirm(request, incident, title, None, _("Purge"), sentence=sentence, is_danger=True)
        done = _("%(incident)s was purged.") % {"incident": incident.reference}
        is_done = attempt(request, partial(services.purge, incident, by=_user(request)), done=done)
        return HttpResponseRedirect(self.list_url()) if is_done else self.back_to(incident)

    def attachment_view(self, request: HttpRequest, pk: int, attachment_id: int, variant: str) -> HttpResponseBase:
        """Send a file as the API does."""
        incident = self._get_visible(request, pk)
        attachment = self._get_attachment(incident, attachment_id)
        if variant not in SENDERS or (variant == "thumbnail" and not attachment.thumbnail_key):
            raise Http404
        try:
            return SENDERS[variant](request, attachment)
        except DomainError as error:
            return HttpResponse(error.message, status=error.status, content_type="text/plain")

    def attach_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        incident = self._get_visible(request, pk)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        files = request.FILES.getlist("files")
        done = ngettext("%(number)s file added.", "%(number)s files added.", len(files)) % {"number": len(files)}
        attempt(request, partial(_attach_files, incident, files, _user(request)), done=done)
        return self.back_to(incident)

    def remove_view(self, request: HttpRequest, pk: int, attachment_id: int) -> HttpResponse:
        incident = self._get_visible(request, pk)
        attachment = self._get_attachment(incident, attachment_id)
        if request.method != "POST":
            sentence = _("Permanently deletes the file; the timeline keeps that it was attached.")
            title = _("Remove %(file)s") % {"file": attachment.name}
            return self._confirm(request, incident, title, None, _("Remove"), sentence=sentence, is_danger=True)
        work = partial(attaching.remove, attachment, by=_user(request), origin=Origin.ADMIN)
        attempt(request, work, done=_("%(file)s was removed.") % {"file": attachment.name})
        return self.back_to(incident)

    def _refuse_without_work(self, request: HttpRequest, incident: Incident) -> HttpResponse | None:
        try:
            require_work(_user(request), incident)
        except DomainError as error:
            return self.show_refusal(request, error, reverse("admin:incidents_incident_change", args=[incident.pk]))
        return None

    @staticmethod
    def _try_on_form(form: Any, work: Callable[[], Any]) -> bool:
        """Call a service and show its refusal on the form; return whether it succeeded."""
        try:
            work()
        except DomainError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
            return False
        return True

    def list_url(self) -> str:
        return reverse("admin:incidents_incident_changelist")

    def back_to(self, incident: Incident) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:incidents_incident_change", args=[incident.pk]))

    def show_refusal(self, request: HttpRequest, error: DomainError, url: str) -> HttpResponse:
        """Show a refusal on the page at `url`."""
        messages.error(request, error.message)
        return HttpResponseRedirect(url)

    def _get_visible(self, request: HttpRequest, pk: int, *, is_admin_only: bool = False) -> Incident:
        """Return the incident. Raises PermissionDenied and Http404."""
        if not self.has_view_permission(request) or (is_admin_only and not _user(request).is_superuser):  # type: ignore[attr-defined]
            raise PermissionDenied
        incident: Incident | None = self.get_queryset(request).filter(pk=pk).first()  # type: ignore[attr-defined]
        if incident is None:
            raise Http404
        return incident

    def _get_attachment(self, incident: Incident, attachment_id: int) -> Attachment:
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

    def _confirm(
        self, request: HttpRequest, incident: Incident, title: str, form: Any, submit: str, **more: Any
    ) -> HttpResponse:
        context = {**self._context(request, incident, title), "form": form, "submit": submit, **more}
        return TemplateResponse(request, "admin/ask.html", context)


def ended_message(incident: Incident) -> str:
    words = {"incident": incident.reference, "status": incident.get_status_display().lower()}
    return _("%(incident)s is %(status)s; reopen it to work on it.") % words


def _attach_files(incident: Incident, files: Sequence[Any], by: User) -> None:
    if not files:
        raise DomainError(_("Choose a file first."))
    attaching.attach(incident, attaching.inspect(files), by=by, origin=Origin.ADMIN)


def _user(request: HttpRequest) -> User:
    return request.user  # type: ignore[return-value]
