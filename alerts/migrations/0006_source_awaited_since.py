from typing import Any

from django.db import migrations, models


def count_from_the_beginning(apps: Any, _editor: Any) -> None:
    """Those that are waited for already have been all along."""
    sources = apps.get_model("alerts", "Source").objects.filter(heartbeat_minutes__isnull=False)
    sources.update(awaited_since=models.F("created_at"))


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0005_quiet_index"),
    ]

    operations = [
        migrations.AddField(
            model_name="source",
            name="awaited_since",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.RunPython(count_from_the_beginning, migrations.RunPython.noop, elidable=True),
    ]
