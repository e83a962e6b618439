"""What goes in and out of the incident routes. Output is made by `incidents.representation`; the output serializers
here describe it to readers of the OpenAPI document, and a test holds the two together."""

import re
from typing import Any

from django.conf import settings
from django.db import models
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from core.api.configuration import StrictFields
from core.db import rows
from core.db.prepared import Parameter
from core.severity import PRIORITY_OF_WORD, PRIORITY_WORDS, SEVERITY_OF_WORD, SEVERITY_WORDS
from core.text.names import one_line
from incidents.kinds import all_kinds
from incidents.models import Category, LinkKind, Status, Visibility
from incidents.serializers.attachments import AttachmentSerializer
from incidents.vocabulary import DEFAULT_VISIBILITY, MachineKind
from responders.models import Service, Team
from users.models import User

MAX_TEXT = 100_000  # characters; a description or comment longer than a novel's chapter is a mistake or an attack
MAX_ID = 2**63 - 1
TEXT = models.CharField()


class WordField(serializers.ChoiceField):
    """A word of the API for a number that is stored."""

    def __init__(self, words: dict[str, Any], choices: list[tuple[str, str]], **kwargs: Any) -> None:
        self.words = words
        super().__init__(choices=choices, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        return self.words[super().to_internal_value(data)]

    def to_representation(self, value: Any) -> Any:
        return (
            value.word if hasattr(value, "word") else next(word for word, code in self.words.items() if code == value)
        )


class FlagField(serializers.BooleanField):
    """True or false; left out of a form it is left as it is, where Django's forms mean an unticked box."""

    default_empty_html = serializers.empty


class GrantField(FlagField):
    """Whether people who do not see a restricted incident may come to see it by what is asked for."""

    def __init__(self, **kwargs: Any) -> None:
        sentence = "Let those see a restricted incident who come to by this; for its team and administrators to say."
        super().__init__(**{"default": False, "help_text": sentence, **kwargs})


class RowField(serializers.PrimaryKeyRelatedField):
    """A row by its id, which is a whole number: 1.5 is not rounded to somebody else's."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, float):
            self.fail("incorrect_type", data_type="float")
        if type(data) is not int or not 0 < data <= MAX_ID:
            return super().to_internal_value(data)
        of_field = (type(self.parent), self.field_name)
        found = rows.select(self.queryset.model, of_field, lambda: self.queryset.filter(pk=Parameter("pk")), pk=data)
        return found[0] if found else self.fail("does_not_exist", pk_value=data)


class CategoryField(serializers.SlugRelatedField[Category]):
    """A category by its slug."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            return super().to_internal_value(data)
        try:
            found = rows.select(Category, "slug", _category, slug=data)
        except UnicodeEncodeError:
            self.fail("invalid")
        return found[0] if found else self.fail("does_not_exist", slug_name="slug", value=data)


def _category() -> models.QuerySet[Category]:
    return Category.objects.filter(slug=Parameter("slug", TEXT))


class AssigneeField(RowField):
    """A person by id, or `me`."""

    def to_internal_value(self, data: Any) -> Any:
        return self.context["request"].user if data == "me" else super().to_internal_value(data)


class TextField(serializers.CharField):
    """Text that databases can hold: no NUL, no half of a surrogate pair."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # It looks at each character by itself, for what encoding the text finds out at once.
        self.validators = [one for one in self.validators if not isinstance(one, ProhibitSurrogateCharactersValidator)]

    def to_internal_value(self, data: Any) -> str:
        text: str = super().to_internal_value(data)
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise serializers.ValidationError("The text holds a broken character.", code="surrogate") from error
        return text


class LineField(TextField):
    """Text on one line: line ends and control characters in it are spaces. (NUL is a mistake, and refused.)"""

    def run_validation(self, data: Any = empty) -> Any:
        return super().run_validation(one_line(data) if isinstance(data, str) and "\0" not in data else data)


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
        """The services of these slugs, in the order given; one query however many."""
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
            raise serializers.ValidationError(f"There is no service {', '.join(unknown)}.", code="does_not_exist")
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


@extend_schema_field({"oneOf": [{"type": "integer", "minimum": 1}, {"type": "string", "example": "INC-20"}]})
class NumberField(serializers.IntegerField):
    """An incident by its number or its reference."""

    default_error_messages = {"invalid": "This takes the numbers or references of incidents, such as 20 or INC-20."}

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, str):
            data = re.sub(r"^INC-(?=\d)", "", data, flags=re.IGNORECASE)
        return super().to_internal_value(data)


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
            raise serializers.ValidationError("Say what to change: status, team, assignee or severity.")
        return attrs


class BulkResultSerializer(serializers.Serializer[Any]):
    """What became of one incident of a bulk change."""

    id = serializers.IntegerField()
    ok = serializers.BooleanField()
    is_changed = serializers.BooleanField(required=False, help_text="False where all was so already.")
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
    machine = MachineSerializer(allow_null=True, help_text="The machine that acted, by itself or for `name`.")


class KindField(serializers.ChoiceField):
    """A kind of event, of those that the apps have registered by the time it is asked."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[], **kwargs)

    @property
    def choices(self) -> dict[str, Any]:
        """Every kind with its label."""
        return dict(all_kinds())

    @choices.setter
    def choices(self, choices: Any) -> None:
        """Kinds are registered, not given."""


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
