"""Hand-over notes."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from console.pages import RESPONDERS, back_to, page, person, say, show
from core.api.fields import MAX_TEXT
from core.errors import DomainError
from responders.models import HandoverNote, Schedule
from responders.services import handing_over


class NoteForm(forms.Form):
    text = forms.CharField(
        label=gettext_lazy("Note for whoever comes"),
        max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy("What is odd, what is under way, whom to ask. Markdown is shown as such."),
    )


@page(roles=RESPONDERS)
def write(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Schedule.objects.active(), pk=pk)
    form = NoteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            handing_over.write_note(row, text=form.cleaned_data["text"], by=person(request), now=timezone.now())
        except DomainError as error:
            if error.status != 400:
                raise
            form.add_error("text", error.message)
        else:
            say(request, _("The note is there for whoever comes."))
            return back_to(request, f"{reverse('console:schedule', args=[pk])}#notes-title")
    return _form(request, row, form, _("Hand-over note for %(name)s") % {"name": row.name})


@page(roles=RESPONDERS)
def edit(request: HttpRequest, pk: int, note: int) -> HttpResponse:
    found = get_object_or_404(HandoverNote.objects.select_related("schedule"), pk=note, schedule=pk)
    form = NoteForm(request.POST or None, initial={"text": found.text})
    if request.method == "POST" and form.is_valid():
        handing_over.edit_note(found, text=form.cleaned_data["text"], by=person(request), now=timezone.now())
        say(request, _("Saved."))
        return back_to(request, f"{reverse('console:schedule', args=[pk])}#notes-title")
    return _form(request, found.schedule, form, _("Hand-over note for %(name)s") % {"name": found.schedule.name})


@page(roles=RESPONDERS)
def remove(request: HttpRequest, pk: int, note: int) -> HttpResponse:
    found = get_object_or_404(HandoverNote, pk=note, schedule=pk)
    handing_over.remove_note(found, by=person(request))
    say(request, _("The note is deleted."))
    return back_to(request, reverse("console:schedule", args=[pk]))


def _form(request: HttpRequest, row: Schedule, form: NoteForm, title: str) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "schedule": row, "title": title}
    context |= {"fields": "console/oncall/_note_form.html", "next": request.POST.get("next", "")}
    return show(request, "console/oncall/form.html", context, status=400 if form.errors else 200)


urlpatterns = [
    path("on-call/<int:pk>/notes/", write, name="handover-note"),
    path("on-call/<int:pk>/notes/<int:note>/", edit, name="handover-note-edit"),
    path("on-call/<int:pk>/notes/<int:note>/delete/", require_POST(remove), name="handover-note-delete"),
]
