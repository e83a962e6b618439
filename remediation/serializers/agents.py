from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.api.configuration import CleanedModelSerializer, StrictFields
from remediation.models import Agent
from remediation.vocabulary import REPORTED

MAX_COMMANDS = 200
MAX_REPORTED = 128 * 1024  # characters: 64 KiB of output, and what escaping adds


class AgentSerializer(CleanedModelSerializer):
    """An agent; its key begins with `key_prefix`, and `commands` are those of its own configuration."""

    class Meta:
        model = Agent
        fields = [
            *("id", "name", "description", "is_enabled", "key_prefix", "old_key_until", "version", "commands"),
            *("last_seen_at", "created_at"),
        ]
        read_only_fields = ["key_prefix", "old_key_until", "version", "commands", "last_seen_at", "created_at"]


class AgentKeySerializer(serializers.Serializer[Any]):
    """A key, shown only now, and the beginning of the agent's configuration."""

    key = serializers.CharField(help_text=_("For the file that key_file names."))
    public_key = serializers.CharField(help_text=_("What the agent checks the signatures of jobs with, in base64."))
    configuration = serializers.CharField(help_text=_("Of agent.toml, without the key."))


class NewAgentSerializer(AgentSerializer):
    """A new agent with its key, which is shown only now."""

    key = serializers.CharField(read_only=True, help_text=_("For the file that key_file names."))
    public_key = serializers.CharField(read_only=True)
    configuration = serializers.CharField(read_only=True, help_text=_("Of agent.toml, without the key."))

    class Meta(AgentSerializer.Meta):
        fields = [*AgentSerializer.Meta.fields, "key", "public_key", "configuration"]


class PollSerializer(StrictFields, serializers.Serializer[Any]):
    """What an agent says of itself when it asks for a job."""

    version = serializers.CharField(max_length=20)
    commands = serializers.ListField(child=serializers.CharField(max_length=60), max_length=MAX_COMMANDS)


class SignedJobSerializer(serializers.Serializer[Any]):
    """A job as the server signed it: both parts in base64."""

    id = serializers.IntegerField()
    payload = serializers.CharField()
    signature = serializers.CharField()


class PollAnswerSerializer(serializers.Serializer[Any]):
    """The next job, if there is one, and after how many seconds to ask again."""

    job = SignedJobSerializer(allow_null=True)
    poll_seconds = serializers.FloatField()


class JobResultSerializer(StrictFields, serializers.Serializer[Any]):
    """How a job ended."""

    state = serializers.ChoiceField(choices=[str(state) for state in REPORTED])
    exit_code = serializers.IntegerField(required=False, allow_null=True, min_value=-255, max_value=255)
    output = serializers.CharField(
        required=False, allow_blank=True, trim_whitespace=False, max_length=MAX_REPORTED, default=""
    )


class JobStateSerializer(serializers.Serializer[Any]):
    """What is kept of a job."""

    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=[str(state) for state in REPORTED])
