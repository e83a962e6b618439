"""What subscribers are told by mail, in their language; no database."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from notifications.audiences import Letter
from status_page.addresses import page_url
from status_page.links import confirm_token, manage_token
from status_page.models import Component, PublicUpdate, StatusPage, Subscriber
from status_page.rendering.editions import clock
from status_page.vocabulary import Impact, Kind, State


@dataclass(frozen=True)
class Writing:
    """The page that letters are from."""

    page: StatusPage

    def name(self, language: str) -> str:
        return said(self.page.name, self.page.translations, language, "name")

    def moment(self, at: dt.datetime) -> str:
        return clock(at, self.page.time_zone)


def said(own: str, translations: Mapping[str, Mapping[str, Any]], language: str, field: str) -> str:
    """Return a text in a language, or as it was written if nobody has translated it."""
    return str(translations.get(language, {}).get(field) or own)


def confirmation(reader: Subscriber, writing: Writing) -> Letter:
    """Ask whether the address belongs to who asked."""
    language = str(reader.asked.get("language") or reader.language)
    asked_at = reader.asked_at or reader.created_at
    with translation.override(language):
        return Letter(
            address=reader.email,
            title=_("Confirm your subscription to %(page)s") % {"page": writing.name(language)},
            body=_(
                "Somebody, probably you, asked for updates of this status page by email. Open the link and confirm; "
                "without that, you get none. If it was not you, ignore this message."
            ),
            url=page_url(f"confirm/{confirm_token(reader.pk, asked_at)}/"),
            origin=page_url(),
            language=language,
            time_zone=writing.page.time_zone,
        )


def news(reader: Subscriber, update: PublicUpdate, writing: Writing) -> Letter:
    """Tell of an update."""
    language, announced = reader.language, update.public_incident
    with translation.override(language):
        state = State(update.state).label
        title = said(announced.title, announced.translations, language, "title")
        return Letter(
            address=reader.email,
            title=_("%(page)s: %(title)s (%(state)s)")
            % {"page": writing.name(language), "title": title, "state": state},
            body=said(update.message, update.translations, language, "message"),
            lines=tuple(_facts(update, writing, language)),
            url=page_url(f"{language}/incidents/{announced.uid}.html"),
            origin=page_url(f"{language}/"),
            leave_url=page_url(f"unsubscribe/{manage_token(reader.pk)}/"),
            manage_url=page_url(f"manage/{manage_token(reader.pk)}/"),
            language=language,
            time_zone=writing.page.time_zone,
        )


def _facts(update: PublicUpdate, writing: Writing, language: str) -> list[str]:
    announced = update.public_incident
    facts = [_("Time: %(time)s") % {"time": writing.moment(update.at)}]
    if announced.kind == Kind.MAINTENANCE and announced.ends_at is not None:
        facts.append(
            _("Planned: %(start)s to %(end)s")
            % {"start": writing.moment(announced.starts_at), "end": writing.moment(announced.ends_at)}
        )
    elif update.impact != Impact.OPERATIONAL:
        facts.append(_("Impact: %(impact)s") % {"impact": Impact(update.impact).label})
    if names := [_named(component, language) for component in announced.components.all()]:
        facts.append(_("Affected: %(components)s") % {"components": ", ".join(names)})
    return facts


def _named(component: Component, language: str) -> str:
    return said(component.name, component.translations, language, "name")
