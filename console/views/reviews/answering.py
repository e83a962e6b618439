"""How forms of reviews are shown, tried and answered."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from console.forms.reviews import PartForm
from console.pages import say, show
from core.errors import Conflict, DomainError
from core.text.markdown import render_note
from reviews.models import Review

PREVIEW = "preview"  # the button that shows what is written, and saves nothing
LONGEST_SHOWN = 20_000


def address(review: Review | int, anchor: str = "") -> str:
    """Return where a review is shown, at one of its sections."""
    number = review if isinstance(review, int) else review.pk
    return reverse("console:review", args=[number]) + (f"#{anchor}" if anchor else "")


def done(request: HttpRequest, review: Review, anchor: str, sentence: str) -> HttpResponse:
    say(request, sentence)
    return HttpResponseRedirect(address(review, anchor))


def data_of(request: HttpRequest) -> Any:
    """Return what was posted, for a form; None where nothing was."""
    return request.POST if request.method == "POST" else None


def is_sent(request: HttpRequest, form: PartForm) -> bool:
    """Return whether a valid form is to be saved."""
    return request.method == "POST" and PREVIEW not in request.POST and form.is_valid()


def attempt(form: PartForm, work: Callable[[], Any]) -> bool:
    """Do the work; put a refusal onto the form."""
    try:
        work()
    except Conflict as error:
        form.add_error(None, error.message)
    except DomainError as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)
    else:
        return True
    return False


def ask(
    request: HttpRequest, review: Review, form: PartForm, title: Any, *, back: str = "", **more: Any
) -> HttpResponse:
    """Show a form, with a preview where one was asked for, and what it says now where somebody changed it."""
    is_preview = PREVIEW in request.POST
    status = 422 if form.is_bound and not is_preview and form.errors else 200
    context = {
        "review": review,
        "incident": review.incident,
        "form": form,
        "title": title,
        "button": _("Save"),
        "back": back or address(review),
        "previews": _previews(form) if is_preview else [],
        "stored": _stored(form) if form.is_bound and form.non_field_errors() else [],
        **more,
    }
    return show(request, "console/reviews/form.html", context, status=status)


def _previews(form: PartForm) -> list[tuple[Any, Any]]:
    """Return the long texts as they would be shown."""
    texts = [(one.label, str(one.value() or "")) for one in _long(form)]
    return [(label, render_note(text[:LONGEST_SHOWN])) for label, text in texts if text.strip()]


def _stored(form: PartForm) -> list[tuple[Any, str]]:
    """Return the long texts as they are stored, beside what was typed."""
    return [(one.label, one.initial) for one in _long(form) if one.initial and one.initial != one.value()]


def _long(form: PartForm) -> list[Any]:
    return [one for one in form.visible_fields() if one.widget_type == "textarea"]
