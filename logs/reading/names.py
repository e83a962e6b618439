"""Names that loggers give to fields, plain and in order; a slash leads into an object. Pure data."""


def _names(*parts: str) -> tuple[str, ...]:
    return tuple(" ".join(parts).split())


TIME = _names(
    "timestamp time @timestamp @t ts datetime date eventtime eventtimestamp asctime created timemillis",
    "timestampmillis epochmillis instant t @time logtime logtimestamp loggedat writtenat timegenerated timecreated",
    "timelocal timeiso8601 timeutc timestamputc msec startutc starttime startlocal sourcerealtimetimestamp",
    "realtimetimestamp receivetimestamp observedtimestamp ingestiontime createdat record/time",
)
LEVEL = _names(
    "level severity @l @level levelname loglevel lvl severitytext levelno log/level severitynumber errorseverity",
    "record/level levelstr level/levelstr syslog/severity syslogseverity severitylevel levelvalue levelint",
    "levelindex sev winlog/level log/syslog/severity/name log/syslog/severity/code data/level",
)
# a level only where its value is one
LEVEL_PERHAPS = _names(
    "priority s label status l prio type stream",
)
MESSAGE = _names(
    "message msg @m @message log shortmessage event text body renderedmessage formattedmessage fields/message",
    "record/message textpayload jsonpayload/message jsonpayload/msg line content fullmessage rendered @mt",
    "messagetemplate log/original event/original data/message winlog/message error/message exception/message",
    "description",
)
SERVICE = _names(
    "service servicename app application appname applicationname containername kubernetes/containername",
    "syslogidentifier program systemdunit unit logger loggername name channel category sourcecontext",
    "properties/sourcecontext target module @module record/name component subsystem jsonpayload/service",
    "resource/labels/containername dd/service c winlog/providername providername sourcename",
)
HOST = _names(
    "host hostname node instance machinename computername computer nodename kubernetes/host logsource podname",
    "kubernetes/podname agent/hostname beat/hostname record/extra/host winlog/computername properties/machinename",
)
TRACE = _names(
    "traceid @tr oteltraceid trace/id trace traceparent logginggoogleapiscomtrace xraytraceid xamzntraceid",
    "ddtraceid xb3traceid dd/traceid mdc/traceid contextmap/traceid context/traceid extra/traceid",
    "properties/traceid jsonpayload/traceid fields/traceid span/traceid spancontext/traceid attributes/traceid",
    "record/extra/traceid",
)
NAMES = {
    "time": TIME,
    "level": LEVEL,
    "perhaps": LEVEL_PERHAPS,
    "service": SERVICE,
    "host": HOST,
    "trace": TRACE,
    "message": MESSAGE,
}


def _leads() -> dict[str, list[tuple[str, int, str]]]:
    found: dict[str, list[tuple[str, int, str]]] = {}
    for what, paths in NAMES.items():
        for rank, path in enumerate(paths):
            found.setdefault(path.partition("/")[0], []).append((what, rank, path))
    return found


# by name: what it may be, its rank, and the path
LEADS = _leads()
