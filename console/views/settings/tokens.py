import datetime as dt
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from console.pages import page, person, say, show
from core.errors import DomainError, NotFound
from core.text.names import NameField
from responders.models import CalendarToken
from responders.services.tokens import new_calendar_token, revoke_calendar_token
from users.models import PersonalToken, TokenScope
from users.services import create_personal_token, delete_personal_token, entering, second_factors

SHOWN_TOKENS = 200
LIFETIMES = (
    ("30", gettext_lazy("30 days")),
    ("90", gettext_lazy("90 days")),
    ("365", gettext_lazy("One year")),
    ("", gettext_lazy("Does not expire")),
)


class TokenForm(forms.Form):
    name = NameField(max_length=100, verbose_name=gettext_lazy("name")).formfield(
        help_text=gettext_lazy("Where it is used, such as backup script.")
    )
    scope = forms.ChoiceField(label=gettext_lazy("May"), choices=TokenScope.choices)
    days = forms.ChoiceField(label=gettext_lazy("Expires after"), choices=LIFETIMES, initial="90", required=False)


def _tokens(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    me = person(request)
    context = {
        "rows": PersonalToken.objects.filter(user=me)[:SHOWN_TOKENS],
        "now": timezone.now(),
        "form": TokenForm(),
        "calendar": CalendarToken.objects.filter(user=me, schedule=None).first(),
        "needs_factor": not entering.is_confirmed(request) and second_factors.is_set(me),
        **more,
    }
    return show(request, "console/settings/tokens.html", context, status=status)


@page
def tokens(request: HttpRequest) -> HttpResponse:
    return _tokens(request)


@page
@require_POST
def create(request: HttpRequest) -> HttpResponse:
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _tokens(request, 400, form=form)
    given = form.cleaned_data
    expires_at = timezone.now() + dt.timedelta(days=int(given["days"])) if given["days"] else None
    try:
        row, text = create_personal_token(
            person(request),
            name=given["name"],
            scope=TokenScope(given["scope"]),
            expires_at=expires_at,
            is_confirmed=entering.is_confirmed(request),
        )
    except DomainError as error:
        form.add_error(None, error.message)
        return _tokens(request, error.status, form=form)
    return _tokens(request, 201, new_token=text, new_row=row)


@page
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    row = PersonalToken.objects.filter(user=person(request), pk=pk).first()
    if row is None:
        raise NotFound(_("You have no such token."))
    delete_personal_token(row)
    say(request, _("Revoked."))
    return HttpResponseRedirect(reverse("console:settings-tokens"))


@page
@require_POST
def calendar(request: HttpRequest) -> HttpResponse:
    """Make a new address of one's calendar, or revoke it."""
    if "revoke" in request.POST:
        revoke_calendar_token(person(request), None)
        say(request, _("The calendar's address is revoked."))
        return HttpResponseRedirect(reverse("console:settings-tokens"))
    token = new_calendar_token(person(request), None)
    address = f"{settings.PUBLIC_URL.rstrip('/')}{reverse('own-calendar')}?token={token}"
    return _tokens(request, 201, calendar_address=address)


urlpatterns = [
    path("settings/tokens/", tokens, name="settings-tokens"),
    path("settings/tokens/new/", create, name="token-create"),
    path("settings/tokens/<int:pk>/revoke/", revoke, name="token-revoke"),
    path("settings/calendar/", calendar, name="settings-calendar"),
]
