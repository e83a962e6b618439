"""Rooms of teams that are told of incidents."""

from django.utils.translation import gettext as _

from core.errors import DomainError
from incidents.kinds import all_kinds
from notifications.channels.port import Channel, all_channels, channel_of


def room_channel(kind: str) -> Channel:
    """Return the channel that serves rooms of this kind. Raises DomainError, naming those that do."""
    channel = channel_of(kind)
    if channel is None or not channel.is_room:
        known = ", ".join(one.kind for one in all_channels() if one.is_room)
        raise DomainError(_("%(kind)s is not one of %(known)s.") % {"kind": kind, "known": known}, field="kind")
    return channel


def check_events(events: list[str]) -> list[str]:
    """Return the kinds of events, once each. Raises DomainError for an unknown one."""
    known = {word for word, _label in all_kinds()}
    if unknown := sorted(set(events) - known):
        message = _("Unknown kinds of events: %(unknown)s. Known: %(known)s.")
        raise DomainError(message % {"unknown": ", ".join(unknown), "known": ", ".join(sorted(known))}, field="events")
    return list(dict.fromkeys(events))


def check_address(kind: str, address: str) -> str:
    """Return the canonical address of a room. Raises DomainError."""
    channel = room_channel(kind)
    if why := channel.why_unusable():
        raise DomainError(why, field="kind", code="channel_unusable")
    return channel.validate(address)
