from functools import partial
from typing import Any
from zoneinfo import available_timezones

import django.contrib.auth.admin  # noqa: F401 (registers the page of groups, which is taken down below)
from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.timezone import now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from import_export.fields import Field
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminSelect2Widget, UnfoldBooleanSwitchWidget

from core.backoffice.base import RefusableForm, attempt, exactly
from core.backoffice.exchange import ExchangeAdmin, SafeResource
from core.errors import DomainError
from users.addresses import canonical
from users.leaving import Loss, losses_of
from users.mails import INVITATION_DAYS
from users.models import Role, User
from users.services.administration import create_account, edit_account, set_password
from users.services.invitations import AGE, invite, invite_later
from users.services.second_factors import is_set, remove_factors

# Only roles give permissions; nothing here asks for groups.
admin.site.unregister(Group)
ROLE_COLOURS = {Role.ADMIN.value: "danger", Role.RESPONDER.value: "info", Role.REPORTER.value: "default"}
MOST_LOSSES = 10
FIELDS = ("email", "name", "role", "is_active", "time_zone")


def zone_choices() -> list[tuple[str, str]]:
    return [(name, name) for name in sorted(available_timezones())]


def password_field(label: Promise, *, required: bool, help_text: Promise | str = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        required=required,
        strip=False,
        help_text=help_text,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )


def keep_tokens_field(label: Promise) -> forms.BooleanField:
    return forms.BooleanField(
        label=label, required=False, help_text=_("Without it they end, too."), widget=UnfoldBooleanSwitchWidget
    )


class PasswordsMatch(forms.Form):
    def clean_password2(self) -> str:
        first, second = self.cleaned_data.get("password1", ""), self.cleaned_data.get("password2", "")
        if first != second:
            raise forms.ValidationError(gettext("The two passwords differ."))
        return str(second)


class AccountForm(RefusableForm):
    class Meta:
        model = User
        fields = FIELDS
        widgets = {"time_zone": UnfoldAdminSelect2Widget}

    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=zone_choices, initial="UTC", widget=UnfoldAdminSelect2Widget
    )

    def clean_email(self) -> str:
        return canonical(str(self.cleaned_data["email"]))


class NewAccountForm(PasswordsMatch, AccountForm):
    password1 = password_field(
        _("Password"), required=False, help_text=_("Leave empty to email the person a link for setting one.")
    )
    password2 = password_field(_("Password again"), required=False)


class PasswordForm(PasswordsMatch):
    password1 = password_field(_("New password"), required=True, help_text=_("Ends all of the person's sessions."))
    password2 = password_field(_("New password again"), required=True)
    keep_tokens = keep_tokens_field(_("Keep the person's personal access tokens"))


class UserResource(SafeResource):
    """People, matched by address; no passwords."""

    email = Field(attribute="email", column_name="email")

    class Meta:
        model = User
        fields = FIELDS
        export_order = FIELDS
        import_order = FIELDS
        import_id_fields = ("email",)
        clean_model_instances = True
        skip_unchanged = True
        report_skipped = True
        use_transactions = True

    def before_import_row(self, row: dict[str, Any], **kwargs: Any) -> None:
        """Canonicalise addresses; give new accounts their defaults."""
        super().before_import_row(row, **kwargs)
        row["email"] = canonical(str(row.get("email") or ""))
        defaults = {"role": Role.REPORTER.value, "is_active": "1", "time_zone": "UTC"}
        for name, default in defaults.items():
            if name in row and row[name] in ("", None):
                row[name] = default

    def validate_instance(self, instance: User, *args: Any, **kwargs: Any) -> None:
        instance.password = instance.password or "!"
        super().validate_instance(instance, *args, **kwargs)

    def store(self, instance: User, is_create: bool) -> None:
        if self.by is None:
            raise DomainError(gettext("Nobody imports."))
        fields = {name: getattr(instance, name) for name in FIELDS}
        if is_create:
            user = create_account(by=self.by, **fields)
            instance.pk = user.pk
            if user.is_active:
                invite_later(user, by=self.by)
        else:
            edit_account(instance, by=self.by, fields=fields)


def invitation_status(user: User) -> str:
    """Describe the invitation of somebody without a password."""
    if user.invited_at is None:
        return gettext("None has been sent.")
    sent, ends = exactly(user.invited_at), exactly(user.invited_at + AGE)
    if user.invited_at + AGE <= now():
        return gettext("Sent %(sent)s; its link ended %(ends)s.") % {"sent": sent, "ends": ends}
    return gettext("Sent %(sent)s; its link is good until %(ends)s.") % {"sent": sent, "ends": ends}


def _line_of(loss: Loss) -> str:
    parts = {"what": loss.what, "starts": exactly(loss.starts_at), "ends": exactly(loss.ends_at)}
    if loss.is_covered:
        return gettext("%(what)s, %(starts)s – %(ends)s") % parts
    return gettext("%(what)s, %(starts)s – %(ends)s: a gap") % parts


class ActiveFilter(DropdownFilter):  # type: ignore[misc]  # unfold is untyped
    title, parameter_name = _("account"), "active"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", gettext("Active")), ("no", gettext("Deactivated"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        return queryset.filter(is_active=self.value() == "yes") if self.value() else queryset


@admin.register(User)
class UserAdmin(ExchangeAdmin):
    """Accounts: deactivated, never deleted."""

    resource_classes = (UserResource,)
    form = AccountForm
    ordering = ("email",)
    list_display = ("name", "email", "role_badge", "active", "time_zone", "last_login")
    list_display_links = ("name", "email")
    list_filter = (("role", ChoicesDropdownFilter), ActiveFilter)
    search_fields = ("email__istartswith", "name__icontains")
    search_help_text = _("Name, or start of an email address")
    readonly_fields = (
        "password_link",
        "invitation",
        "second_factor",
        "lost_if_deactivated",
        "last_login",
        "created_at",
        "email_verified_at",
    )
    sortable_by = ("email",)
    fieldsets = (
        (None, {"fields": ("name", "email", "time_zone")}),
        (
            _("Access"),
            {"fields": ("role", "is_active", "lost_if_deactivated", "password_link", "invitation", "second_factor")},
        ),
        (_("Dates"), {"fields": ("created_at", "last_login", "email_verified_at")}),
    )
    add_fieldsets = (
        (None, {"fields": ("name", "email", "time_zone")}),
        (_("Access"), {"fields": ("role", "is_active", "password1", "password2")}),
    )

    @display(description=_("Role"), label=ROLE_COLOURS)  # type: ignore[untyped-decorator]
    def role_badge(self, user: User) -> tuple[str, str]:
        return user.role, user.get_role_display()

    @display(description=_("Active"), boolean=True)  # type: ignore[untyped-decorator]
    def active(self, user: User) -> bool:
        return user.is_active

    @admin.display(description=_("Lost if deactivated"))
    def lost_if_deactivated(self, user: User) -> str:
        losses = losses_of(user, now()) if user.is_active else []
        lines = [_line_of(loss) for loss in losses[:MOST_LOSSES]]
        if (more := len(losses) - MOST_LOSSES) > 0:
            lines.append(gettext("and %(count)d more") % {"count": more})
        return format_html_join(mark_safe("<br>"), "{}", ((line,) for line in lines)) or gettext("Nothing.")

    @admin.display(description=_("Password"))
    def password_link(self, user: User) -> str:
        state = gettext("Set.") if user.has_usable_password() else gettext("None yet.")
        link = reverse("admin:users_user_password", args=[user.pk])
        return format_html('{} <a class="ir-link" href="{}">{}</a>', state, link, gettext("Set a new password"))

    @admin.display(description=_("Invitation"))
    def invitation(self, user: User) -> str:
        if user.has_usable_password() or not user.is_active:
            return gettext("Not needed.") if user.is_active else gettext("None while the account is not active.")
        link = reverse("admin:users_user_invite", args=[user.pk])
        button = gettext("Send it again") if user.invited_at else gettext("Send an invitation")
        return format_html('{} <a class="ir-link" href="{}">{}</a>', invitation_status(user), link, button)

    @admin.display(description=_("Second factor"))
    def second_factor(self, user: User) -> str:
        if not is_set(user):
            return gettext("None.")
        link = reverse("admin:users_user_second_factor", args=[user.pk])
        return format_html('{} <a class="ir-link" href="{}">{}</a>', gettext("Set."), link, gettext("Remove it"))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = NewAccountForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        if request.GET.get("field_name") == "assignee":
            queryset = queryset.filter(pk__in=User.objects.can_respond())
        found, _ = super().get_search_results(request, queryset, search_term)
        by_address, _ = super().get_search_results(request, queryset, canonical(search_term))
        return found | by_address, False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        by: User = request.user  # type: ignore[assignment]
        fields = {name: form.cleaned_data[name] for name in FIELDS}
        if not change:
            user = create_account(by=by, password=form.cleaned_data["password1"] or None, **fields)
            obj.pk = user.pk
            if user.is_active and not user.has_usable_password():
                transaction.on_commit(partial(self._invite, request, user))
            return
        changed = {name: value for name, value in fields.items() if name in form.changed_data}
        edit_account(obj, by=by, fields=changed)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Do nothing: nothing is related."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.password_view)
        return [
            path("<int:pk>/password/", view, name="users_user_password"),
            path("<int:pk>/invite/", self.admin_site.admin_view(self.invite_view), name="users_user_invite"),
            path(
                "<int:pk>/second-factor/",
                self.admin_site.admin_view(self.second_factor_view),
                name="users_user_second_factor",
            ),
            *super().get_urls(),
        ]

    def invite_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send the invitation, or send it again."""
        user = self.get_object(request, str(pk))
        if user is None or not self.has_change_permission(request, user):
            raise PermissionDenied
        page = reverse("admin:users_user_change", args=[pk])
        if request.method == "POST":
            self._invite(request, user)
            return HttpResponseRedirect(page)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Invite %(user)s") % {"user": user},
            "sentence": gettext("%(email)s gets a mail with a link to choose a password, good for %(days)s days.")
            % {"email": user.email, "days": INVITATION_DAYS},
            "submit": gettext("Send invitation"),
            "back": page,
            "opts": self.opts,
            "original": user,
        }
        return TemplateResponse(request, "admin/ask.html", context)

    def second_factor_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Remove the second factors of somebody who lost them."""
        user = self.get_object(request, str(pk))
        if user is None or not self.has_change_permission(request, user):
            raise PermissionDenied
        page = reverse("admin:users_user_change", args=[pk])
        if request.method == "POST":
            attempt(
                request,
                partial(remove_factors, user, by=request.user),  # type: ignore[arg-type]
                done=gettext("The second factor of %(user)s is removed.") % {"user": user},
            )
            return HttpResponseRedirect(page)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Remove the second factor of %(user)s") % {"user": user},
            "sentence": gettext(
                "Be sure that it is this person who asks. From then on, the password alone signs them in; "
                "they are told by mail."
            ),
            "submit": gettext("Remove second factor"),
            "back": page,
            "opts": self.opts,
            "original": user,
        }
        return TemplateResponse(request, "admin/ask.html", context)

    def _invite(self, request: HttpRequest, user: User) -> None:
        attempt(
            request,
            partial(invite, user, by=request.user),  # type: ignore[arg-type]
            done=gettext("An invitation is on its way to %(email)s.") % {"email": user.email},
        )

    def password_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        user = self.get_object(request, str(pk))
        if user is None or not self.has_change_permission(request, user):
            raise PermissionDenied
        form = PasswordForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                set_password(
                    user,
                    new=form.cleaned_data["password1"],
                    by=request.user,  # type: ignore[arg-type]
                    keep_tokens=form.cleaned_data["keep_tokens"],
                )
            except DomainError as error:
                form.add_error("password1", error.message)
            else:
                self.message_user(
                    request, gettext("%(user)s has a new password; all sessions were ended.") % {"user": user}
                )
                return HttpResponseRedirect(reverse("admin:users_user_change", args=[pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("New password for %(user)s") % {"user": user},
            "form": form,
            "submit": gettext("Set password"),
            "back": reverse("admin:users_user_change", args=[pk]),
            "opts": self.opts,
            "original": user,
        }
        return TemplateResponse(request, "admin/ask.html", context)
