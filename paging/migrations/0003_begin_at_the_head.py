from django.db import migrations


def begin_at_the_head(apps, schema_editor):
    """What happened before escalation was there is history: it pages nobody."""
    cursors = apps.get_model("incidents", "FeedCursor").objects
    head = cursors.filter(name="head").first()
    if head is not None:
        cursors.get_or_create(name="escalation", defaults={"position": head.position})


class Migration(migrations.Migration):
    dependencies = [("incidents", "0001_initial"), ("paging", "0002_audit")]

    operations = [migrations.RunPython(begin_at_the_head, migrations.RunPython.noop)]
