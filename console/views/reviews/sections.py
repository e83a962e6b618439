"""Edit one section of a review: its head, a text, its themes, its public edition."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from console.forms.reviews import HeadForm, PartForm, PublicForm, TextForm, ThemesForm
from console.pages import RESPONDERS, page, person
from console.views.reviews.answering import address, ask, attempt, data_of, done, is_sent
from console.views.reviews.reading import TEXTS, page_languages, review_of
from reviews.models import Review
from reviews.permissions import require_edit
from reviews.services import editing
from reviews.services.reviewing import require_open
from users.models import User


@page(roles=RESPONDERS)
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int, section: str) -> HttpResponse:
    review, by = review_of(request, pk), person(request)
    if section not in FORMS and section not in TEXTS:
        raise Http404
    require_edit(by, review)
    if section != "public":
        require_open(review)
    title, form_of = FORMS.get(section) or (TEXTS[section][0], partial(_text_form, name=section))
    form = form_of(review, data_of(request), by)
    if is_sent(request, form):
        changes = _named(form.changes, section)
        save = partial(editing.edit_review, review, by=by, changes=changes, expected_version=review.version)
        if not changes or attempt(form, save):
            return done(request, review, section, _("Saved.") if changes else _("Nothing changed."))
    back = address(review, section)
    return ask(request, review, form, title, back=back, is_public=section == "public", is_text=section != "head")


def _named(changes: dict[str, Any], section: str) -> dict[str, Any]:
    return {section if name == "text" else name: value for name, value in changes.items()}


def _text_form(review: Review, data: Any, by: User, *, name: str) -> PartForm:
    form = TextForm(data, initial={"text": getattr(review, name)})
    form.fields["text"].label, form.fields["text"].help_text = TEXTS[name]
    return form


def _head_form(review: Review, data: Any, by: User) -> PartForm:
    form = HeadForm(data, initial={"title": review.title, "owner": review.owner_id, "due_at": review.due_at})
    if review.rule is not None and not by.is_admin:
        form.fields["due_at"].disabled = True
        words = {"rule": review.rule.name}
        form.fields["due_at"].help_text = _("The rule %(rule)s set it; administrators can change it.") % words
    return form


def _themes_form(review: Review, data: Any, by: User) -> PartForm:
    return ThemesForm(data, initial={"themes": review.themes})


def _public_form(review: Review, data: Any, by: User) -> PartForm:
    names = ("public_title", "public_text", "public_translations")
    initial = {name: getattr(review, name) for name in names}
    return PublicForm(data, initial=initial, languages=page_languages()[1:])


FormOf = Callable[[Review, Any, User], PartForm]
FORMS: dict[str, tuple[Any, FormOf]] = {
    "head": (gettext_lazy("Title, owner and due date"), _head_form),
    "themes": (gettext_lazy("Themes"), _themes_form),
    "public": (gettext_lazy("Public edition"), _public_form),
}
