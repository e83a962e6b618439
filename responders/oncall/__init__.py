"""Who is on call, without database and clock."""

from responders.oncall.comparing import Difference, differences
from responders.oncall.continuing import first_turn_for, with_places_kept
from responders.oncall.feeds import FeedShift, FeedSpec
from responders.oncall.layers import LayerSpec, Restriction
from responders.oncall.rendering import (
    Gap,
    OverrideSpec,
    Reason,
    Rendered,
    ScheduleSpec,
    Segment,
    Shift,
    VersionSpec,
    gaps,
    hand_overs_after,
    next_people,
    people_at,
    rendered,
    segments,
    shift_of,
    shifts,
)

__all__ = [
    "Difference",
    "FeedShift",
    "FeedSpec",
    "Gap",
    "LayerSpec",
    "OverrideSpec",
    "Reason",
    "Rendered",
    "Restriction",
    "ScheduleSpec",
    "Segment",
    "Shift",
    "VersionSpec",
    "differences",
    "first_turn_for",
    "gaps",
    "hand_overs_after",
    "next_people",
    "people_at",
    "rendered",
    "segments",
    "shift_of",
    "shifts",
    "with_places_kept",
]
