from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from console.codes import drawn
from console.devices import device_name
from console.pages import page, person, say, show
from core.errors import DomainError, NotFound
from users import totp
from users.models import AuthenticatorApp, SecurityKey, Session, User
from users.sealing import seal, unseal
from users.services import browsers, end_sessions, entering, identities, second_factors, security_keys

SHOWN_SESSIONS = 50
NEW_SECRET = "new_app_secret"  # noqa: S105 (a name in the session)


def password_field(label: str, autocomplete: str) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, max_length=256, strip=False, required=False, widget=widget)


class PasswordForm(forms.Form):
    current = password_field(gettext_lazy("Present password"), "current-password")
    new_password = password_field(gettext_lazy("New password"), "new-password")
    keep_tokens = forms.BooleanField(
        label=gettext_lazy("Keep my personal access tokens"),
        help_text=gettext_lazy("Without it they end, as your other sessions do."),
        required=False,
    )


class ProofForm(forms.Form):
    """The password again, of those who have one."""

    password = password_field(gettext_lazy("Your password"), "current-password")


class NewAppForm(ProofForm):
    code = forms.CharField(
        label=gettext_lazy("Code"),
        help_text=gettext_lazy("The six digits that the app shows now."),
        max_length=16,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )
    field_order = ["code", "password"]


def _security(request: HttpRequest, form: PasswordForm, status: int = 200) -> HttpResponse:
    me = person(request)
    context = {
        "form": form,
        "app": AuthenticatorApp.objects.filter(user=me).first(),
        "keys": SecurityKey.objects.filter(user=me),
        "keys_are_possible": security_keys.is_possible(request),
        "identities": me.identities.all(),
        "codes_left": second_factors.recovery_codes_left(me),
        "browsers": [(one, device_name(one.user_agent)) for one in browsers.browsers_of(me)[:SHOWN_SESSIONS]],
        "present_key": request.session.session_key,
        "api_sessions": [(one, device_name(one.user_agent)) for one in api_sessions(me)],
    }
    return show(request, "console/settings/security.html", context, status=status)


def api_sessions(user: User) -> list[Session]:
    good = Session.objects.filter(user=user, revoked_at__isnull=True, expires_at__gt=timezone.now())
    return list(good.order_by("-created_at")[:SHOWN_SESSIONS])


@page
def security(request: HttpRequest) -> HttpResponse:
    return _security(request, PasswordForm())


@sensitive_post_parameters("current", "new_password")
@page
@require_POST
def password(request: HttpRequest) -> HttpResponse:
    form = PasswordForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            entering.change_own_password(
                request,
                person(request),
                current=given["current"],
                new=given["new_password"],
                keep_tokens=given["keep_tokens"],
            )
        except DomainError as error:
            form.add_error({"password": "current"}.get(error.field or "", error.field), error.message)
            return _security(request, form, error.status)
        say(request, _("Your password is changed; your other sessions have ended."))
        return HttpResponseRedirect(reverse("console:settings-security"))
    return _security(request, form, 400)


@page
def new_app(request: HttpRequest) -> HttpResponse:
    me = person(request)
    if second_factors.has_app(me):
        return HttpResponseRedirect(reverse("console:settings-security"))
    if NEW_SECRET not in request.session:
        request.session[NEW_SECRET] = seal(totp.new_secret())
    secret = unseal(request.session[NEW_SECRET])
    form = NewAppForm(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            codes = entering.set_up_app(request, me, secret=secret, **form.cleaned_data)
        except DomainError as error:
            form.add_error(error.field, error.message)
            status = error.status
        else:
            del request.session[NEW_SECRET]
            return show(request, "console/settings/recovery_codes.html", {"codes": codes, "is_new": True})
    address = totp.address_of(secret, account=me.email, issuer=_issuer())
    groups = [secret[start : start + 4] for start in range(0, len(secret), 4)]
    context = {"form": form, "address": address, "secret": " ".join(groups), "qr": drawn(address)}
    return show(
        request, "console/settings/new_app.html", context, status=400 if form.errors and status == 200 else status
    )


def _issuer() -> str:
    return str(settings.UNFOLD["SITE_TITLE"])


@page
@require_POST
def remove_app(request: HttpRequest) -> HttpResponse:
    entering.remove_app(request, person(request), password=request.POST.get("password", ""))
    say(request, _("Your authenticator app is removed."))
    return HttpResponseRedirect(reverse("console:settings-security"))


@page
@require_POST
def new_key_options(request: HttpRequest) -> HttpResponse:
    try:
        options = entering.begin_adding_key(request, person(request), password=request.POST.get("password", ""))
    except DomainError as error:
        return JsonResponse({"detail": error.message}, status=error.status)
    return JsonResponse(options)


@page
@require_POST
def new_key(request: HttpRequest) -> HttpResponse:
    given = request.POST
    codes = entering.add_key(request, person(request), response=given.get("credential", ""), name=given.get("name", ""))
    if codes:
        return show(request, "console/settings/recovery_codes.html", {"codes": codes, "is_new": True})
    say(request, _("Your key is set up."))
    return HttpResponseRedirect(reverse("console:settings-security"))


@page
@require_POST
def remove_key(request: HttpRequest, pk: int) -> HttpResponse:
    entering.remove_key(request, person(request), key_id=pk, password=request.POST.get("password", ""))
    say(request, _("The key is removed. Remove it from your device too, which does not know."))
    return HttpResponseRedirect(reverse("console:settings-security"))


@page
@require_POST
def unlink_identity(request: HttpRequest, pk: int) -> HttpResponse:
    me = person(request)
    entering.prove(request, me, password=request.POST.get("password", ""))
    identities.unlink(me, pk)
    say(request, _("Unlinked: you sign in without this provider from now on."))
    return HttpResponseRedirect(reverse("console:settings-security"))


@page
@require_POST
def recovery_codes(request: HttpRequest) -> HttpResponse:
    codes = entering.renew_recovery_codes(request, person(request), password=request.POST.get("password", ""))
    return show(request, "console/settings/recovery_codes.html", {"codes": codes})


@page
@require_POST
def end_session(request: HttpRequest) -> HttpResponse:
    """End one session: `browser` or `session` names it, else all others end."""
    me, browser, session = person(request), request.POST.get("browser", ""), request.POST.get("session", "")
    if browser:
        is_number = browser.isascii() and browser.isdigit() and len(browser) < 19
        count = browsers.end_browser_sessions(me, only=int(browser)) if is_number else 0
    elif session:
        named = next((one for one in api_sessions(me) if str(one.pk) == session), None)
        count = end_sessions(me, reason="signed_out", only=named) if named else 0
    else:
        count = end_sessions(me, reason="signed_out")
        count += browsers.end_browser_sessions(me, but_key=browsers.key_of(request))
    if not count and (browser or session):
        raise NotFound(_("This session has ended already."))
    say(request, _("Signed out there."))
    return HttpResponseRedirect(reverse("console:settings-security"))


urlpatterns = [
    path("settings/security/", security, name="settings-security"),
    path("settings/security/password/", password, name="settings-password"),
    path("settings/security/app/", new_app, name="settings-app"),
    path("settings/security/app/remove/", remove_app, name="settings-app-remove"),
    path("settings/security/keys/", new_key, name="settings-key"),
    path("settings/security/keys/options/", new_key_options, name="settings-key-options"),
    path("settings/security/keys/<int:pk>/remove/", remove_key, name="settings-key-remove"),
    path("settings/security/identities/<int:pk>/unlink/", unlink_identity, name="settings-identity-unlink"),
    path("settings/security/recovery-codes/", recovery_codes, name="settings-recovery-codes"),
    path("settings/security/sessions/end/", end_session, name="settings-session-end"),
]
