"""Which of Apprise's services are offered: those that open no file or program, and have no channel of their own."""

# The host may be inside our network.
SELF_HOSTED = {
    "mmost": "Mattermost",
    "mmosts": "Mattermost",
    "ntfy": "ntfy",
    "ntfys": "ntfy",
    "matrix": "Matrix",
    "matrixs": "Matrix",
    "rocket": "Rocket.Chat",
    "rockets": "Rocket.Chat",
    "gotify": "Gotify",
    "gotifys": "Gotify",
    "mqtt": "MQTT",
    "mqtts": "MQTT",
    "signal": "Signal API",
    "signals": "Signal API",
    "synology": "Synology Chat",
    "synologys": "Synology Chat",
    "nctalk": "Nextcloud Talk",
    "nctalks": "Nextcloud Talk",
    "mastodon": "Mastodon",
    "mastodons": "Mastodon",
    "misskey": "Misskey",
    "misskeys": "Misskey",
    "bark": "Bark",
    "barks": "Bark",
    "irc": "IRC",
    "ircs": "IRC",
    "json": "JSON",
    "jsons": "JSON",
    "xml": "XML",
    "xmls": "XML",
    "form": "Form",
    "forms": "Form",
}
# The host is the vendor's.
HOSTED = {
    "discord": "Discord",
    "zulip": "Zulip",
    "gchat": "Google Chat",
    "webex": "Webex",
    "wxteams": "Webex",
    "pover": "Pushover",
    "pbul": "Pushbullet",
    "lark": "Lark",
    "feishu": "Feishu",
    "dingtalk": "DingTalk",
    "wecombot": "WeCom",
    "cliq": "Zoho Cliq",
    "zoom": "Zoom",
    "revolt": "Revolt",
    "ryver": "Ryver",
    "twist": "Twist",
    "flock": "Flock",
    "line": "LINE",
    "kook": "KOOK",
}
NAMES = {**SELF_HOSTED, **HOSTED}

# Parameters that read a file or an address, or lift our limits.
REFUSED_PARAMETERS = frozenset({"template", "attach", "keyfile", "redirect", "verify", "cto", "rto", "retry", "wait"})


def scheme_of(address: str) -> str:
    return address.partition("://")[0].lower()


def mask(address: str) -> str:
    """Return service and host; a host without a dot may be a topic."""
    scheme = scheme_of(address)
    host = address.partition("://")[2].partition("/")[0].rpartition("@")[2].partition("?")[0]
    return f"{scheme}://{host}/…" if scheme in SELF_HOSTED and "." in host else f"{scheme}://…"
