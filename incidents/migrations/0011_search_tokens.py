"""Documents of texts that are folded in another way now: scripts without spaces, vowel points, strokes, dotless i."""

from django.db import migrations

from incidents.search.rebuilding import rebuild


def rewrite(apps, schema_editor):
    models = (apps.get_model("incidents", name) for name in ("Incident", "IncidentEvent"))
    list(rebuild(*models, only_beyond_ascii=True))


class Migration(migrations.Migration):
    atomic = False  # each batch is a transaction, so that it may be run again wherever it was stopped
    dependencies = [("incidents", "0010_retired")]
    operations = [migrations.RunPython(rewrite, migrations.RunPython.noop)]
