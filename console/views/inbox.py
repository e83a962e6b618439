from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from console.pages import back_to, page, person, query, say, show
from core.db.clock import database_now
from core.errors import DomainError
from notifications.filters import INBOX
from notifications.models import Notification
from notifications.serializers.inbox import MOST_AT_ONCE, serialize_notification
from notifications.services import inbox


@page
def entries(request: HttpRequest) -> HttpResponse:
    me = person(request)
    pages = INBOX.page(query(request), lambda: Notification.objects.filter(user=me), asker=me.pk)
    visible = inbox.visible_incidents(me, pages.rows)
    shown = [serialize_notification(row, is_visible=row.incident_id in visible) for row in pages.rows]
    links = pages.get_paginated_response([]).data
    context = {"entries": shown, "pages": links, "only_unread": request.GET.get("unread") == "true"}
    return show(request, "console/inbox/list.html", context)


@page
@require_POST
def mark_read(request: HttpRequest) -> HttpResponse:
    ids = request.POST.getlist("ids")
    if not all(text.isascii() and text.isdigit() and len(text) < 19 for text in ids) or len(ids) > MOST_AT_ONCE:
        raise DomainError(_("These are not entries of your inbox."))
    count = inbox.mark_read(person(request), database_now(), [int(text) for text in ids] if ids else None)
    if count:
        say(request, _("Marked as read."))
    return back_to(request, reverse("console:inbox"))


urlpatterns = [path("inbox/", entries, name="inbox"), path("inbox/read/", mark_read, name="inbox-read")]
