"""The shape of metrics."""

from typing import Any

from rest_framework import serializers


class SummarySerializer(serializers.Serializer[Any]):
    """Counts; teams and categories by id, or `none`."""

    total = serializers.IntegerField()
    open = serializers.IntegerField()
    by_status = serializers.DictField(child=serializers.IntegerField())
    by_severity = serializers.DictField(child=serializers.IntegerField())
    by_team = serializers.DictField(child=serializers.IntegerField())
    by_category = serializers.DictField(child=serializers.IntegerField())


class TimesSerializer(serializers.Serializer[Any]):
    """Durations in seconds; percentiles by nearest rank; `pending` are those without the stamp."""

    count = serializers.IntegerField()
    mean_seconds = serializers.FloatField(allow_null=True)
    p50_seconds = serializers.IntegerField(allow_null=True)
    p90_seconds = serializers.IntegerField(allow_null=True)
    p95_seconds = serializers.IntegerField(allow_null=True)
    pending = serializers.IntegerField()


class SharesSerializer(serializers.Serializer[Any]):
    """Shares from 0 to 1; null where nothing counts."""

    ack = serializers.FloatField(allow_null=True)
    resolve = serializers.FloatField(allow_null=True)


class BreachCountsSerializer(serializers.Serializer[Any]):
    """How many missed their target."""

    ack = serializers.IntegerField()
    resolve = serializers.IntegerField()


class FiguresSerializer(serializers.Serializer[Any]):
    """The figures of a selection."""

    total = serializers.IntegerField()
    open = serializers.IntegerField()
    acknowledged = TimesSerializer()
    resolved = TimesSerializer()
    compliance = SharesSerializer()
    breached = BreachCountsSerializer()
    reopened = serializers.IntegerField()


class GroupSerializer(FiguresSerializer):
    """The figures of a group; `key` is a word, slug, id, day (weeks by their Monday) or month, null for none."""

    key = serializers.JSONField(allow_null=True)


class SlaMetricsSerializer(FiguresSerializer):
    """The figures overall and for each group."""

    groups = GroupSerializer(many=True)
