"""One SLA policy for each severity, so that clocks run from the first incident on."""

POLICIES = [
    # name, severity, minutes to acknowledge, minutes to resolve
    ("Critical", 4, 15, 4 * 60),
    ("High", 3, 30, 8 * 60),
    ("Medium", 2, 4 * 60, 3 * 24 * 60),
    ("Low", 1, 24 * 60, 7 * 24 * 60),
]


def create(apps, schema_editor):
    policy = apps.get_model("incidents", "SlaPolicy")
    for name, severity, ack_minutes, resolve_minutes in POLICIES:
        times = {"ack_minutes": ack_minutes, "resolve_minutes": resolve_minutes}
        policy.objects.get_or_create(name=name, defaults={"severity": severity, **times})
