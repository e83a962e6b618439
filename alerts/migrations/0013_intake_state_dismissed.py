from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("alerts", "0012_unknown_words")]

    operations = [
        migrations.AddIndex(
            model_name="intakeevent",
            index=models.Index(fields=["state", "dismissed_at"], name="intake_state_dismissed"),
        ),
    ]
