"""Jenkins: the Notification plugin, the Outbound WebHook plugin, and what a pipeline posts itself.

Sources: https://plugins.jenkins.io/notification/ and https://plugins.jenkins.io/outbound-webhook/. A job is one alert:
a build that fails raises it and the next that succeeds ends it; one that was aborted, or not built, says neither. A
build is told of twice, as COMPLETED and FINALIZED, with two times: messages count in the order of their arrival.
"""

import re
from collections.abc import Mapping
from urllib.parse import unquote

from alerts.reading.bodies import read_body
from alerts.reading.names import plain_texts, said_as
from alerts.reading.values import labels, links, moment, severity, state
from alerts.updates import Action, AlertUpdate
from intake.requests import IntakeError, IntakeRequest

TITLE = "Jenkins"
SNIPPET = """\
post { always { script { try {
    httpRequest httpMode: 'POST', contentType: 'APPLICATION_JSON', timeout: 20,
        url: '{url}/intake/{key}/',
        requestBody: groovy.json.JsonOutput.toJson([
            job: env.JOB_NAME, number: env.BUILD_NUMBER, url: env.BUILD_URL, result: currentBuild.currentResult,
            branch: env.GIT_BRANCH, commit: env.GIT_COMMIT])
} catch (error) { echo "Incident notification failed: ${error}" } } } }
"""
LONGEST_URL = 2_000  # characters that are looked at
_UNSET = r"\$\{?[\w.]+\}?|null"
_JOB = re.compile(r"(?:^|/)job/(.+?)/\d+/?$")
_CREDENTIALS = re.compile(r"(?<=://)[^/@]*@")
_RESULTS = dict.fromkeys(("unstable", "still unstable", "still failing", "regression"), Action.FIRE)
_SEVERITIES = {"still failing": "high", "regression": "high", "unstable": "medium", "still unstable": "medium"}
_UNDER_WAY = ("queued", "started", "start", "building", "inprogress", "in_progress", "pipeline")
_JOB_NAMES = ("jobname", "fulljobname", "projectname", "job", "name")
_NEITHER = ("aborted", "not_built", "not built")


def parse(request: IntakeRequest) -> list[AlertUpdate]:
    """Return the update of a build; none for one that goes on, or came to neither success nor failure."""
    said = plain_texts(read_body(request), _UNSET)
    url = said_as(said, "buildfullurl", "buildurl", "url")[:LONGEST_URL]
    path = _JOB.search(url)
    job = unquote(path[1].replace("/job/", "/")) if path else said_as(said, *_JOB_NAMES)
    phase = said_as(said, "buildphase", "phase", "eventtype").lower()
    word = said_as(said, "buildstatus", "buildresult", "result", "currentresult", "status", "event")
    if not job:
        raise IntakeError("The payload has no job: send job, name, JOB_NAME or the build's url.")
    if phase in _UNDER_WAY or word.lower() in (*_UNDER_WAY, *_NEITHER) or (phase and not word):
        return []
    if not word:
        raise IntakeError("The payload has no result: send build.status, result or event.")
    return [_update(said, job, word, url)]


def _update(said: Mapping[str, str], job: str, word: str, url: str) -> AlertUpdate:
    action, is_guess = state(word, _RESULTS)
    finished = moment(said_as(said, "buildtimestamp", "timestamp"))
    number = said_as(said, "buildnumber", "number", "buildid").lstrip("#")
    how_bad = (said_as(said, "severity") or word) if action == Action.FIRE else ""
    return AlertUpdate(
        title=f"{job} #{number}: {word.lower()}" if number else f"{job}: {word.lower()}",
        action=action,
        fingerprint=job,
        severity=severity(how_bad, _SEVERITIES),
        severity_word=how_bad,
        description=said_as(said, "buildnotes", "description", "message") or said_as(said, "buildlog")[-2_000:].strip(),
        labels=labels(
            job=job,
            branch=said_as(said, "buildscmbranch", "gitbranch", "branchname", "branch"),
            repository=_CREDENTIALS.sub("", said_as(said, "buildscmurl", "giturl")),
            node=said_as(said, "nodename", "node"),
        ),
        annotations=labels(
            build=number,
            commit=said_as(said, "buildscmcommit", "gitcommit", "commit"),
            culprits=said_as(said, "buildscmculprits"),
            failed_tests=said_as(said, "buildtestsummaryfailedtests"),
            finished=finished and finished.isoformat(timespec="seconds"),
        ),
        links=links(("Build", url), ("Console", f"{url.rstrip('/')}/console")),
        status_word=word,
        is_guess=is_guess,
    )
