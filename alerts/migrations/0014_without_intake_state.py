from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("alerts", "0013_intake_state_dismissed")]

    operations = [
        migrations.RemoveIndex(model_name="intakeevent", name="intake_state"),
    ]
