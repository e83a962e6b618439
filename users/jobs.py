import datetime as dt

from axes.models import AccessFailureLog

from core.jobs import delete_in_batches
from core.server.jobs import Job
from users.models import Session

FAILED_SIGN_INS_KEPT = dt.timedelta(days=90)


def prune_sign_ins(now: dt.datetime) -> int:
    """Delete and count expired sessions and old failed sign-ins."""
    expired = Session.objects.filter(expires_at__lte=now)
    failures = AccessFailureLog.objects.filter(attempt_time__lte=now - FAILED_SIGN_INS_KEPT)
    return delete_in_batches(expired) + delete_in_batches(failures)


JOBS = (Job("prune_sign_ins", prune_sign_ins, 3600),)
