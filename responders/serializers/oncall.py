"""Who is on call, in responses."""

import datetime as dt
from typing import Any

from rest_framework import serializers

from responders.oncall import Shift
from responders.serializers.lineups import TypedTimeField
from responders.services.oncall import OnCall, OnCallPerson
from responders.services.reporting import Share

HOUR = 3600


class PeriodShownSerializer(serializers.Serializer[Any]):
    """A time; null beyond 35 days."""

    vars()["from"] = serializers.DateTimeField(allow_null=True)
    to = serializers.DateTimeField(allow_null=True)


class BecauseSerializer(serializers.Serializer[Any]):
    """Why somebody is on call: a layer, or the override that added them."""

    layer = serializers.CharField(required=False)
    override = serializers.IntegerField(required=False)
    shift = PeriodShownSerializer(required=False)


class UserOnCallSerializer(serializers.Serializer[Any]):
    """Somebody on call, and why."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    because = BecauseSerializer()


class NextSerializer(serializers.Serializer[Any]):
    """Who follows, and when."""

    at = serializers.DateTimeField()
    users = UserOnCallSerializer(many=True)


class OnCallSerializer(serializers.Serializer[Any]):
    """Who is on call; `unmatched` are names in imported calendars that fit nobody."""

    at = serializers.DateTimeField()
    users = UserOnCallSerializer(many=True)
    next = NextSerializer(allow_null=True)
    gap = serializers.BooleanField()
    unmatched = serializers.ListField(child=serializers.CharField())


class RenderedSerializer(serializers.Serializer[Any]):
    """All of a time, on one page."""

    vars()["from"] = serializers.DateTimeField()
    to = serializers.DateTimeField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class ShiftSerializer(serializers.Serializer[Any]):
    """Somebody's shift, cut at the ends of the time asked for."""

    vars()["from"] = serializers.DateTimeField()
    to = serializers.DateTimeField()
    user = serializers.DictField()
    because = BecauseSerializer()


class ShiftsSerializer(RenderedSerializer):
    """Shifts in order."""

    results = ShiftSerializer(many=True)


class GapSerializer(serializers.Serializer[Any]):
    """A time without anybody on call."""

    vars()["from"] = serializers.DateTimeField()
    to = serializers.DateTimeField()
    unmatched = serializers.ListField(child=serializers.CharField())


class GapsSerializer(RenderedSerializer):
    """Gaps in order."""

    results = GapSerializer(many=True)


class ShareSerializer(serializers.Serializer[Any]):
    """Somebody's part: hours, and how many nights (22:00 to 06:00), weekends and public holidays it touches."""

    user = serializers.DictField()
    hours = serializers.FloatField()
    night_hours = serializers.FloatField()
    weekend_hours = serializers.FloatField()
    holiday_hours = serializers.FloatField()
    shifts = serializers.IntegerField()
    nights = serializers.IntegerField()
    weekends = serializers.IntegerField()
    holidays = serializers.IntegerField()


class FairnessSerializer(RenderedSerializer):
    """Everybody's part, the largest first."""

    results = ShareSerializer(many=True)


class TokenSerializer(serializers.Serializer[Any]):
    """A calendar token, shown once, and the address that carries it."""

    token = serializers.CharField()
    url = serializers.URLField()


def utc(moment: dt.datetime | None) -> Any:
    return TypedTimeField().to_representation(moment)


def on_call_shown(at: dt.datetime, now: OnCall, following: OnCall) -> dict[str, Any]:
    return {
        "at": utc(at),
        "users": [_person_shown(person) for person in now.people],
        "next": {"at": utc(following.at), "users": [_person_shown(person) for person in following.people]}
        if following.at
        else None,
        "gap": now.gap,
        "unmatched": list(now.unmatched),
    }


def _person_shown(person: OnCallPerson) -> dict[str, Any]:
    shift = {"from": utc(person.starts_at), "to": utc(person.ends_at)}
    because = {**_because(person.layer, person.override_id), "shift": shift}
    return {"id": person.user_id, "name": person.name, "because": because}


def _because(layer: str, override: int | None) -> dict[str, Any]:
    return ({"layer": layer} if layer else {}) | ({"override": override} if override else {})


def shift_shown(shift: Shift, names: dict[int, str]) -> dict[str, Any]:
    return {
        "from": utc(shift.starts_at),
        "to": utc(shift.ends_at),
        "user": {"id": shift.user_id, "name": names.get(shift.user_id, "")},
        "because": _because(shift.layer, shift.override),
    }


def shares_shown(shares: dict[int, Share], names: dict[int, str]) -> list[dict[str, Any]]:
    rows = [
        {
            "user": {"id": user, "name": names.get(user, "")},
            "hours": round(share.seconds / HOUR, 2),
            "night_hours": round(share.night_seconds / HOUR, 2),
            "weekend_hours": round(share.weekend_seconds / HOUR, 2),
            "holiday_hours": round(share.holiday_seconds / HOUR, 2),
            "shifts": share.shifts,
            "nights": len(share.nights),
            "weekends": len(share.weekends),
            "holidays": len(share.holidays),
        }
        for user, share in shares.items()
    ]
    return sorted(rows, key=lambda row: (-row["hours"], row["user"]["id"]))
