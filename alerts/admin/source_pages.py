"""Actions on a source's page: keys, a sample, enabling."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alerts import validation
from alerts.endpoints.sampling import process_sample, send_sample
from alerts.services.teaching import teach
from alerts.services.words import still_unknown
from core.backoffice.base import attempt, exactly
from core.errors import DomainError
from core.severity import SEVERITY_OF_WORD
from intake.models import Source, SourceKey, UnknownWord
from intake.readers import kinds, payload_readers
from intake.services import new_keys
from intake.services.guides import guide_of, guide_text
from intake.services.sources import MAX_KEYS, clear_cache, create_key, revoke_key, snippet_for
from intake.vocabulary import MappedField

# Meanings offered as buttons.
MEANINGS = {
    MappedField.STATUS.value: tuple(validation.STATUS_MEANINGS),
    MappedField.SEVERITY.value: tuple(reversed(SEVERITY_OF_WORD)),
}


def panel_of(source: Source) -> dict[str, Any]:
    """Return the context of a source's form."""
    keys = list(source.keys.all())
    return {
        "source": source,
        "received": exactly(source.last_received_at) if source.last_received_at else _("never"),
        "keys": [(key, exactly(key.created_at)) for key in keys],
        "may_have_key": len(keys) < MAX_KEYS,
        "words": [
            (row, row.events[-1] if row.events else 0, exactly(row.last_seen_at), MEANINGS[row.field])
            for row in still_unknown(source)
        ],
        "has_sample": source.kind in payload_readers(),
        "has_guide": guide_of(source.kind) is not None,
        "events_url": f"{reverse('admin:intake_intakeevent_changelist')}?state=any&source={source.pk}",
        "alerts_url": f"{reverse('admin:alerts_alert_changelist')}?source={source.pk}",
    }


class SourcePages:
    """The pages below a source's page."""

    admin_site: Any
    opts: Any

    def get_urls(self) -> list[Any]:
        views: dict[str, tuple[str, Callable[..., HttpResponse]]] = {
            "key": ("<int:pk>/key/", self.key_view),
            "new_key": ("<int:pk>/new-key/", self.new_key_view),
            "revoke": ("<int:pk>/keys/<int:key_id>/revoke/", self.revoke_view),
            "teach": ("<int:pk>/teach/", self.teach_view),
            "sample": ("<int:pk>/sample/", self.sample_view),
            "switch": ("<int:pk>/switch/", self.switch_view),
            "guide": ("guide/<slug:kind>/", self.guide_view),
        }
        ours = [
            path(route, self.admin_site.admin_view(view), name=f"intake_source_{name}")
            for name, (route, view) in views.items()
        ]
        return [*ours, *super().get_urls()]  # type: ignore[misc]

    def key_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        source = self._source(request, pk)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            return self.make_key(request, source)
        except DomainError as error:
            messages.error(request, error.message)
            return self._back(source)

    def make_key(self, request: HttpRequest, source: Source) -> HttpResponse:
        """Create a key and redirect to its page."""
        _key, text = create_key(source, by=request.user)  # type: ignore[arg-type]
        new_keys.remember(request, source, text)
        return HttpResponseRedirect(reverse("admin:intake_source_new_key", args=[source.pk]))

    def new_key_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the new key until its maker has it."""
        source = self._source(request, pk)
        if request.method == "POST":
            new_keys.drop(request, source)
            return self._back(source)
        key = new_keys.recall(request, source)
        if key is None:
            messages.warning(
                request, _("This key can no longer be shown. If you lost it, create a new key and revoke this one.")
            )
            return self._back(source)
        context = {
            **self._context(request, source, _("Key for %(source)s") % {"source": source.name}),
            "key": key,
            "minutes": new_keys.VISIBLE_SECONDS // 60,
            "snippet": snippet_for(source, key),
            "guide": guide_text(source.kind, key),
        }
        return TemplateResponse(request, "admin/alerts/new_key.html", context)

    def revoke_view(self, request: HttpRequest, pk: int, key_id: int) -> HttpResponse:
        source = self._source(request, pk)
        key = SourceKey.objects.filter(source=source, pk=key_id).select_related("source").first()
        if key is None:
            raise Http404
        if request.method != "POST":
            sentence = _("Requests with the key %(key)s will be rejected.") % {"key": key}
            title = _("Revoke the key %(key)s") % {"key": key}
            return self._ask(request, source, title, sentence, _("Revoke"), is_danger=True)
        work = lambda: revoke_key(key, by=request.user)  # type: ignore[arg-type]  # noqa: E731
        attempt(request, work, done=_("The key %(key)s is revoked.") % {"key": key})
        return self._back(source)

    def teach_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Map a word of its sender."""
        source = self._source(request, pk)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        asked = request.POST.get("word", "")
        row = UnknownWord.objects.filter(
            source=source, pk=int(asked) if asked.isdecimal() and len(asked) < 19 else 0
        ).first()
        if row is None:
            messages.error(request, _("That value has already been mapped, or the source no longer lists it."))
            return self._back(source)
        means = request.POST.get("means", "")
        try:
            applied = teach(
                source,
                about=row.field,
                word=row.word,
                means=means,
                is_applied="apply" in request.POST,
                by=request.user,  # type: ignore[arg-type]
            )
        except DomainError as error:
            messages.error(request, error.message)
            return self._back(source)
        text = _("“%(word)s” is now mapped to %(meaning)s.") % {"word": row.word, "meaning": means}
        if applied:
            note = ngettext("%(number)d alert will be updated.", "%(number)d alerts will be updated.", applied)
            text = f"{text} {note % {'number': applied}}"
        messages.success(request, text)
        return self._back(source)

    def sample_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send the kind's sample and show the result."""
        source = self._source(request, pk)
        if request.method != "POST":
            sentence = _(
                "Sends the tool's example payload to this source, as the tool would. "
                "It is processed like any other alert and may open an incident."
            )
            title = _("Test %(source)s") % {"source": source.name}
            return self._ask(request, source, title, sentence, _("Send sample"))
        try:
            sample = send_sample(source)
        except DomainError as error:
            messages.error(request, error.message)
            return self._back(source)
        if sample.event is None:
            messages.error(
                request,
                _("The response was %(status)s: %(detail)s") % {"status": sample.status, "detail": sample.detail},
            )
            return self._back(source)
        event = process_sample(sample.event)
        messages.success(request, _("The response was %(status)s. The result is below.") % {"status": sample.status})
        return HttpResponseRedirect(reverse("admin:intake_intakeevent_change", args=[event.pk]))

    def switch_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        source = self._source(request, pk)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        source.is_enabled = not source.is_enabled
        source.save(update_fields=["is_enabled"])
        clear_cache()
        text = (
            _("%(source)s is enabled.")
            if source.is_enabled
            else _("%(source)s is disabled: its requests are rejected.")
        )
        messages.success(request, text % {"source": source.name})
        return self._back(source)

    def guide_view(self, request: HttpRequest, kind: str) -> HttpResponse:
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        text = guide_text(kind)
        if text is None:
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "title": _("Set up %(kind)s") % {"kind": dict(kinds())[kind]},
            "text": text,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/alerts/guide.html", context)

    def _source(self, request: HttpRequest, pk: int) -> Source:
        if not self.has_change_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        source: Source | None = Source.objects.filter(pk=pk).first()
        if source is None:
            raise Http404
        return source

    def _back(self, source: Source) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:intake_source_change", args=[source.pk]))

    def _context(self, request: HttpRequest, source: Source, title: str) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "original": source,
            "source": source,
            "back": reverse("admin:intake_source_change", args=[source.pk]),
        }

    def _ask(
        self, request: HttpRequest, source: Source, title: str, sentence: str, submit: str, **more: Any
    ) -> HttpResponse:
        context = {**self._context(request, source, title), "sentence": sentence, "submit": submit, **more}
        return TemplateResponse(request, "admin/ask.html", context)


__all__ = ["SourcePages", "panel_of"]
