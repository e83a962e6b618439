import datetime as dt

from axes.models import AccessFailureLog
from django.contrib.sessions.models import Session as CookieSession

from core.jobs import delete_in_batches
from core.server.jobs import Job
from users.models import BrowserSession, Session

BROWSERS_KEPT = dt.timedelta(hours=1)  # without a cookie that is good
FAILED_SIGN_INS_KEPT = dt.timedelta(days=90)


def prune_sign_ins(now: dt.datetime) -> int:
    """Delete and count expired sessions and old failed sign-ins."""
    expired = Session.objects.filter(expires_at__lte=now)
    cookies = CookieSession.objects.filter(expire_date__lte=now)
    browsers = BrowserSession.objects.filter(created_at__lte=now - BROWSERS_KEPT).exclude(
        session_key__in=CookieSession.objects.values("session_key")
    )
    failures = AccessFailureLog.objects.filter(attempt_time__lte=now - FAILED_SIGN_INS_KEPT)
    return sum(delete_in_batches(rows) for rows in (expired, failures, cookies, browsers))


JOBS = (Job("prune_sign_ins", prune_sign_ins, 3600),)
