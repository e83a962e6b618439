"""What goes in and out of the incident routes. Output is made by `incidents.representation`; the output serializers
here describe it to readers of the OpenAPI document, and a test holds the two together."""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from rest_framework import serializers

from core.api.configuration import StrictFields
from core.api.fields import MAX_ID, MAX_TEXT, FlagField, LineField, RowField, TextField, WordField
from core.db import rows
from core.db.prepared import Parameter
from core.severity import PRIORITY_OF_WORD, PRIORITY_WORDS, SEVERITY_OF_WORD, SEVERITY_WORDS
from incidents.models import Category, LinkKind, Status, Visibility
from incidents.serializers.attachments import AttachmentSerializer
from incidents.serializers.fields import TEXT, AssigneeField, CategoryField, GrantField, KindField, NumberField
from incidents.vocabulary import DEFAULT_VISIBILITY, MachineKind
from responders.models import Service, Team
from users.models import User


class IncidentFieldsSerializer(StrictFields, serializers.Serializer[Any]):
    """The fields people set."""

    title = LineField(max_length=200)
    description = TextField(max_length=MAX_TEXT, required=False, allow_blank=True, trim_whitespace=False)
    severity = WordField(SEVERITY_OF_WORD, SEVERITY_WORDS, required=False)
    priority = WordField(PRIORITY_OF_WORD, PRIORITY_WORDS, required=False, allow_null=True)
    category = CategoryField(slug_field="slug", queryset=Category.objects.all(), required=False, allow_null=True)
    location = LineField(max_length=200, required=False, allow_blank=True)
    services = serializers.ListField(child=serializers.CharField(max_length=100), required=False, max_length=50)
    team = RowField(queryset=Team.objects.all(), required=False, allow_null=True)
    assignee = AssigneeField(queryset=User.objects.active(), required=False, allow_null=True)
    is_restricted = FlagField(required=False)
    occurred_at = serializers.DateTimeField(required=False)

    def validate_services(self, slugs: list[str]) -> list[Service]:
        """Return the services of these slugs, in order; one query."""
        names = [f"slug{position}" for position in range(len(slugs))]
        services = rows.select(
            Service,
            ("slugs", len(names)),
            lambda: Service.objects.filter(slug__in=[Parameter(name, TEXT) for name in names]).order_by(),
            **dict(zip(names, slugs, strict=True)),
        )
        found = {service.slug: service for service in services}
        unknown = [slug for slug in slugs if slug not in found]
        if unknown:
            message = ngettext(
                "Service %(slugs)s does not exist.", "Services %(slugs)s do not exist.", len(unknown)
            ) % {"slugs": ", ".join(unknown)}
            raise serializers.ValidationError(message, code="does_not_exist")
        return [found[slug] for slug in dict.fromkeys(slugs)]


class IncidentCreateSerializer(IncidentFieldsSerializer):
    """A new incident; only `title` is required. Files only come as multipart."""

    attachments = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True),
        required=False,
        max_length=settings.MAX_ATTACHMENTS,
        write_only=True,
    )


class IncidentUpdateSerializer(IncidentFieldsSerializer):
    """Fields to change, and a status to move to."""

    status = serializers.ChoiceField(choices=Status.choices, required=False)
    note = TextField(max_length=MAX_TEXT, required=False, allow_blank=True)


class SlaSerializer(serializers.Serializer[Any]):
    """The clocks as they stand."""

    ack_due_at = serializers.DateTimeField(allow_null=True)
    resolve_due_at = serializers.DateTimeField(allow_null=True)
    ack_breached = serializers.BooleanField()
    resolve_breached = serializers.BooleanField()
    paused = serializers.BooleanField()


class IncidentSerializer(serializers.Serializer[Any]):
    """An incident as lists show it."""

    id = serializers.IntegerField()
    uid = serializers.UUIDField()
    reference = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    status = serializers.ChoiceField(choices=Status.choices)
    severity = serializers.ChoiceField(choices=SEVERITY_WORDS)
    priority = serializers.ChoiceField(choices=PRIORITY_WORDS)
    category = serializers.SlugField(allow_null=True)
    location = serializers.CharField()
    services = serializers.ListField(child=serializers.SlugField())
    team = serializers.IntegerField(allow_null=True)
    assignee = serializers.IntegerField(allow_null=True)
    reporter = serializers.IntegerField(allow_null=True)
    source = serializers.CharField()
    is_restricted = serializers.BooleanField()
    occurred_at = serializers.DateTimeField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    acknowledged_at = serializers.DateTimeField(allow_null=True)
    resolved_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    reopen_count = serializers.IntegerField()
    version = serializers.IntegerField()
    sla = SlaSerializer()
    allowed_transitions = serializers.ListField(child=serializers.ChoiceField(choices=Status.choices))
    url = serializers.URLField()


class BulkSerializer(StrictFields, serializers.Serializer[Any]):
    """One change to many incidents."""

    ids = serializers.ListField(child=NumberField(min_value=1, max_value=MAX_ID), min_length=1, max_length=200)
    status = serializers.ChoiceField(choices=Status.choices, required=False)
    team = RowField(queryset=Team.objects.all(), required=False, allow_null=True)
    assignee = AssigneeField(queryset=User.objects.active(), required=False, allow_null=True)
    severity = WordField(SEVERITY_OF_WORD, SEVERITY_WORDS, required=False)
    note = TextField(max_length=MAX_TEXT, required=False, allow_blank=True, default="")
    grants_access = GrantField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not {"status", "team", "assignee", "severity"} & set(attrs):
            raise serializers.ValidationError(_("Nothing to change: send status, team, assignee or severity."))
        return attrs


class BulkResultSerializer(serializers.Serializer[Any]):
    """What became of one incident of a bulk change."""

    id = serializers.IntegerField()
    ok = serializers.BooleanField()
    is_changed = serializers.BooleanField(required=False, help_text="False if nothing changed.")
    status = serializers.CharField(required=False)
    version = serializers.IntegerField(required=False)
    code = serializers.CharField(required=False)
    detail = serializers.CharField(required=False)


class CommentSerializer(StrictFields, serializers.Serializer[Any]):
    """An update to the timeline."""

    message = TextField(max_length=MAX_TEXT)
    visibility = serializers.ChoiceField(
        choices=Visibility.choices,
        default=DEFAULT_VISIBILITY,
        help_text="`public`: whoever sees the incident reads it, its reporter too. `internal`: responders and "
        "administrators only. Say which; left out, it is `public`.",
    )


class RedactionSerializer(StrictFields, serializers.Serializer[Any]):
    """Why a text is taken out."""

    reason = TextField(max_length=500, required=False, allow_blank=True, default="")


class MachineSerializer(serializers.Serializer[Any]):
    """A source, channel, escalation or assistant."""

    kind = serializers.ChoiceField(choices=MachineKind.choices)
    name = serializers.CharField()


class ActorSerializer(serializers.Serializer[Any]):
    """Who acted: a user, a person in another system (`id` is null), or a machine. The system itself has no name."""

    id = serializers.IntegerField(allow_null=True)
    name = serializers.CharField(allow_blank=True)
    machine = MachineSerializer(allow_null=True, help_text="The automation that acted, by itself or for `name`.")


class EventSerializer(serializers.Serializer[Any]):
    """An event of the timeline."""

    id = serializers.IntegerField()
    seq = serializers.IntegerField()
    kind = KindField()
    actor = ActorSerializer()
    origin = serializers.CharField()
    visibility = serializers.ChoiceField(choices=Visibility.choices)
    occurred_at = serializers.DateTimeField()
    received_at = serializers.DateTimeField()
    message = serializers.CharField()
    data = serializers.DictField()


class HistoryEntrySerializer(serializers.Serializer[Any]):
    """One field's change."""

    seq = serializers.IntegerField()
    occurred_at = serializers.DateTimeField()
    received_at = serializers.DateTimeField()
    actor = ActorSerializer()
    origin = serializers.CharField()
    field = serializers.CharField()
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)


class SubscriberSerializer(StrictFields, serializers.Serializer[Any]):
    """Somebody who follows an incident; without `user` it is the caller."""

    user = RowField(queryset=User.objects.active(), required=False)


class LinkSerializer(StrictFields, serializers.Serializer[Any]):
    """How the incident stands to another one, given by number or reference."""

    kind = serializers.ChoiceField(choices=LinkKind.choices)
    target = serializers.CharField(max_length=30)
    grants_access = GrantField()


class IncidentDetailSerializer(IncidentSerializer):
    """An incident by itself."""

    attachments = AttachmentSerializer(many=True)


class BulkResultsSerializer(serializers.Serializer[Any]):
    """What became of each."""

    results = BulkResultSerializer(many=True)


class SubscribedSerializer(serializers.Serializer[Any]):
    """Somebody who follows an incident."""

    user = serializers.IntegerField()
    name = serializers.CharField()
    created_at = serializers.DateTimeField()


class LinkedIncidentSerializer(serializers.Serializer[Any]):
    """Another incident, and how this one stands to it."""

    class Other(serializers.Serializer[Any]):
        id = serializers.IntegerField()
        reference = serializers.CharField()
        title = serializers.CharField()
        status = serializers.ChoiceField(choices=Status.choices)

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=LinkKind.choices)
    direction = serializers.ChoiceField(choices=[("outgoing", "Outgoing"), ("incoming", "Incoming")])
    incident = Other()
    created_at = serializers.DateTimeField()
