from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from import_export.fields import Field
from unfold.admin import TabularInline

from core.backoffice.base import RetirableAdmin
from core.backoffice.exchange import ExchangeAdmin, NamedWidget, SafeResource
from responders.models import Membership, Service, Team
from responders.services import add_member, make_only_default, remove_member
from users.addresses import canonical
from users.models import User


class MembersField(Field):  # type: ignore[misc]  # import_export is untyped
    """The members' addresses, in files and previews of imports."""

    def export(self, instance: Team, **kwargs: Any) -> str:
        """Return the addresses in order; none before the team is saved."""
        return " ".join(sorted(user.email for user in instance.members.all())) if instance.pk else ""


class TeamResource(SafeResource):
    """Teams, matched by name; `members` are space-separated addresses."""

    members = MembersField(column_name="members")

    class Meta:
        model = Team
        fields = export_order = import_order = ("name", "description", "members")
        import_id_fields = ("name",)
        clean_model_instances = True
        skip_unchanged = True
        report_skipped = True
        use_transactions = True

    def get_queryset(self) -> QuerySet[Team]:
        return Team.objects.prefetch_related("members")

    def skip_row(
        self, instance: Team, original: Team, row: dict[str, Any], import_validation_errors: Any = None
    ) -> bool:
        """Skip an unchanged row, comparing members too."""
        if not super().skip_row(instance, original, row, import_validation_errors):
            return False
        return "members" not in row or _addresses(row) == {user.email for user in instance.members.all()}

    def after_save_instance(self, instance: Team, row: dict[str, Any], **kwargs: Any) -> None:
        """Set the row's members; without the column none change."""
        if "members" not in row:
            return
        wanted = _addresses(row)
        people = {user.email: user for user in User.objects.filter(email__in=wanted)}
        if missing := sorted(wanted - set(people)):
            raise ValueError(f"Nobody has the address {', '.join(missing)}.")
        present = {member.user.email: member.user_id for member in instance.memberships.select_related("user")}
        for email in sorted(wanted - set(present)):
            add_member(instance, people[email], by=self.by)
        for email in sorted(set(present) - wanted):
            remove_member(instance, present[email], by=self.by)
        instance.refresh_from_db()  # the preview shows present members


def _addresses(row: dict[str, Any]) -> set[str]:
    return {canonical(word) for word in str(row["members"] or "").split()}


class ServiceResource(SafeResource):
    """Services, matched by slug; the team is named."""

    team = Field(column_name="team", attribute="team", widget=NamedWidget(Team, field="name"))

    class Meta:
        model = Service
        fields = export_order = import_order = ("slug", "name", "description", "team")
        import_id_fields = ("slug",)
        clean_model_instances = True
        skip_unchanged = True
        report_skipped = True
        use_transactions = True

    def get_queryset(self) -> QuerySet[Service]:
        return Service.objects.select_related("team")


class MembershipInline(TabularInline):  # type: ignore[misc]  # unfold is untyped
    model = Membership
    fields = ("user",)
    autocomplete_fields = ("user",)
    extra = 0
    verbose_name, verbose_name_plural = _("member"), _("members")
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        rows: QuerySet[Membership] = super().get_queryset(request)
        return rows.select_related("user").order_by("user__name", "id")


@admin.register(Team)
class TeamAdmin(RetirableAdmin, ExchangeAdmin):
    resource_classes = (TeamResource,)
    ordering = ("name",)
    list_display = ("name", "description", "people", "is_default", "state")
    search_fields = ("name__icontains",)
    sortable_by = ("name",)
    fields = ("name", "description", "is_active", "is_default", "escalation_policy")
    autocomplete_fields = ("escalation_policy",)
    inlines = (MembershipInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Team]:
        rows: QuerySet[Team] = super().get_queryset(request)
        return rows.annotate(number=Count("memberships"))

    def save_model(self, request: HttpRequest, obj: Team, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if obj.is_default:
            make_only_default(obj, by=request.user)  # type: ignore[arg-type]

    @admin.display(description=_("Members"))
    def people(self, team: Any) -> int:
        return int(team.number)


@admin.register(Service)
class ServiceAdmin(RetirableAdmin, ExchangeAdmin):
    resource_classes = (ServiceResource,)
    ordering = ("name",)
    list_display = ("name", "slug", "team", "description", "state")
    list_select_related = ("team",)
    search_fields = ("name__icontains", "slug__istartswith")
    sortable_by = ("name",)
    autocomplete_fields = ("team", "escalation_policy")
    fields = ("name", "slug", "team", "escalation_policy", "description", "is_active")

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, tuple[str, ...]]:
        return {} if obj or not self.has_change_permission(request) else {"slug": ("name",)}
