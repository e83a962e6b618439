"""Admin pages of escalation policies."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminSplitDateTimeWidget

from core.backoffice.base import BackOfficeAdmin, RefusableForm, RetirableAdmin, exactly, zone_note
from core.severity import SEVERITY_OF_WORD, SEVERITY_WORDS, Severity
from core.text.sentences import shown as translated
from paging.admin.steps import StepsField, TargetsField
from paging.models import EscalationRun
from paging.planning import Recipient
from paging.services.choosing import freeze
from paging.services.simulating import pages_now, simulate_policy
from responders.models import EscalationPolicy
from responders.policies import policy_of, sentences_of
from responders.services.policies import keep_targets, make_only_default_policy, values_of

MAX_RUNNING = 10


class PolicyForm(RefusableForm):
    steps = StepsField(label=_("Steps"))
    on_exhausted = TargetsField(
        label=_("When nobody answered, page"),
        required=False,
        help_text=_("In addition to the alarm, which tells every administrator."),
    )

    class Meta:
        model = EscalationPolicy
        fields = "__all__"
        labels = {
            "repeat": _("Repeats"),
            "wait_minutes": _("Wait at the end (minutes)"),
            "reack_minutes": _("Page again after (minutes)"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None and "steps" in self.fields:
            known = {target.key for target in policy_of(values_of(self.instance)).named}
            self.fields["steps"].known = known  # type: ignore[attr-defined]


class SimulateForm(forms.Form):
    """When an incident opens, and how severe it is."""

    severity = forms.ChoiceField(
        label=_("Severity"), choices=SEVERITY_WORDS, initial="critical", widget=UnfoldAdminSelectWidget
    )
    at = forms.SplitDateTimeField(
        label=_("Opened at"),
        required=False,
        widget=UnfoldAdminSplitDateTimeWidget,
        help_text=_("Leave empty for now."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["at"].help_text = f"{self.fields['at'].help_text} {zone_note()}"


@admin.register(EscalationPolicy)
class EscalationPolicyAdmin(RetirableAdmin, BackOfficeAdmin):
    """Policies, each step as a sentence, and whom they would page right now."""

    form = PolicyForm
    ordering = ("name",)
    list_display = ("name", "in_words", "right_now", "used_by", "is_default", "state")
    search_fields = ("name__icontains",)
    autocomplete_fields = ("team",)
    readonly_fields = ("in_words", "right_now", "used_by", "running")
    change_form_before_template = "admin/paging/policy_above.html"
    fieldsets = (
        (None, {"fields": (("name", "is_active"), "description", ("team", "is_default"))}),
        (_("Steps"), {"fields": ("steps",)}),
        (_("Afterwards"), {"fields": (("repeat", "wait_minutes"), "on_exhausted", "reack_minutes")}),
    )
    shown = ((_("What it does"), {"fields": ("in_words", "right_now", "used_by", "running")}),)

    def get_fieldsets(self, request: HttpRequest, obj: EscalationPolicy | None = None) -> Any:
        if obj is None:
            return self.fieldsets
        if not self.has_change_permission(request, obj):
            return ((None, {"fields": ("name", "description", "team")}), *self.shown)
        return (*self.shown, *self.fieldsets)

    def get_readonly_fields(self, request: HttpRequest, obj: EscalationPolicy | None = None) -> Any:
        return self.readonly_fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[EscalationPolicy]:
        rows: QuerySet[EscalationPolicy] = super().get_queryset(request)
        return rows.prefetch_related("teams", "services").select_related("team")

    def save_model(self, request: HttpRequest, obj: EscalationPolicy, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        stored = EscalationPolicy.objects.get(pk=obj.pk)
        keep_targets(stored)
        if stored.is_default:
            make_only_default_policy(stored, by=request.user)  # type: ignore[arg-type]

    @admin.display(description=_("In words"))
    def in_words(self, policy: EscalationPolicy) -> SafeString:
        frozen = policy_of(freeze([policy])[policy.pk])
        said = sentences_of(frozen)
        empty = self._empty_steps(policy)
        rows = (
            (format_html('<li class="{}">{}</li>', "ir-late" if number in empty else "", sentence),)
            for number, sentence in enumerate([*said.steps, said.ending], 1)
        )
        return format_html('<ol class="ir-list">{}</ol>', format_html_join("", "{}", rows))

    def _empty_steps(self, policy: EscalationPolicy) -> set[int]:
        """Return the numbers of steps that would page nobody right now."""
        found = simulate_policy(policy, severity=Severity.CRITICAL, at=timezone.now())
        return {one["step"] for one in found["skipped"]}

    @admin.display(description=_("Right now this pages"))
    def right_now(self, policy: EscalationPolicy) -> SafeString | str:
        who = pages_now([policy], timezone.now(), Severity.CRITICAL)[policy.pk]
        if not who:
            return format_html('<span class="ir-badge ir-late">{}</span>', gettext("nobody"))
        return ", ".join(_named(one) for one in who)

    @admin.display(description=_("Used by"))
    def used_by(self, policy: EscalationPolicy) -> SafeString | str:
        links = [(reverse("admin:responders_team_change", args=[team.pk]), team) for team in policy.teams.all()]
        links += [(reverse("admin:responders_service_change", args=[one.pk]), one) for one in policy.services.all()]
        if policy.team is not None:
            links.append((reverse("admin:responders_team_change", args=[policy.team.pk]), policy.team))
        used = format_html_join(", ", '<a class="ir-link" href="{}">{}</a>', links)
        return used or (gettext("everything without a policy") if policy.is_default else gettext("nothing"))

    @admin.display(description=_("Running for"))
    def running(self, policy: EscalationPolicy) -> SafeString | str:
        runs = (
            EscalationRun.objects.current()
            .filter(policy=policy, next_step_at__isnull=False)
            .order_by("-pk")[: MAX_RUNNING + 1]
        )
        links = [
            (reverse("admin:incidents_incident_change", args=[run.incident_id]), f"INC-{run.incident_id}")
            for run in runs[:MAX_RUNNING]
        ]
        more = " …" if len(runs) > MAX_RUNNING else ""
        said = format_html_join(", ", '<a class="ir-link" href="{}">{}</a>', links)
        return (
            format_html("{}{} ({})", said, more, gettext("with the steps as they were"))
            if links
            else gettext("no incident")
        )

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """List the incidents that a policy runs for, too: they keep its values."""
        names, counts, permissions, protected = super().get_deleted_objects(objs, request)
        running = EscalationRun.objects.current().filter(policy__in=list(objs)).order_by("pk")
        names += [
            f"INC-{run.incident_id} is being escalated by it, and goes on with its values"
            for run in running[:MAX_RUNNING]
        ]
        return names, counts, permissions, protected

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.simulate_view)
        return [path("<int:pk>/simulate/", view, name="responders_escalationpolicy_simulate"), *super().get_urls()]

    def simulate_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show whom the policy would page; nothing is stored."""
        policy = self.get_object(request, str(pk))
        if not self.has_view_permission(request, policy):
            raise PermissionDenied
        if policy is None:
            raise Http404
        form = SimulateForm(request.POST or None)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Simulate %(policy)s") % {"policy": policy},
            "opts": self.opts,
            "form": form,
            "back": reverse("admin:responders_escalationpolicy_change", args=[pk]),
        }
        if form.is_valid():
            asked = form.cleaned_data
            at = asked["at"] or timezone.now()
            context["found"] = simulate_policy(policy, severity=SEVERITY_OF_WORD[asked["severity"]], at=at)
            context["at"] = exactly(at)
        return TemplateResponse(request, "admin/paging/simulate.html", context)


def _named(one: Recipient) -> str:
    return f"{one.name} ({translated(one.why)})"
