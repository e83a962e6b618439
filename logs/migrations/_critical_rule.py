"""The rule that comes with the system: a critical line is an alert at once."""


def add(apps, schema_editor):
    Source = apps.get_model("intake", "Source")
    DetectionRule = apps.get_model("logs", "DetectionRule")
    source, _is_new = Source.objects.get_or_create(name="Log rules", defaults={"kind": "logs"})
    if not DetectionRule.objects.filter(is_builtin=True).exists():
        DetectionRule.objects.create(
            name="Critical log line",
            mode="immediate",
            level=6,
            group_by=["service", "template"],
            severity="critical",
            window_seconds=900,
            source=source,
            is_builtin=True,
        )


def remove(apps, schema_editor):
    apps.get_model("logs", "DetectionRule").objects.filter(is_builtin=True).delete()
