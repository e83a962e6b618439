from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("users", "0002_transaction_marker")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="access_epoch",
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name="user",
            name="invited_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
