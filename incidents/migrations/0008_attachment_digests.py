from django.db import migrations, models


class Migration(migrations.Migration):
    """Room for the digests of what is served; those of files that are there already are not known."""

    dependencies = [("incidents", "0007_grants")]

    operations = [
        migrations.AddField(
            model_name="attachment",
            name="served_digest",
            field=models.CharField(blank=True, default="", max_length=64),
        ),
        migrations.AddField(
            model_name="attachment",
            name="thumbnail_digest",
            field=models.CharField(blank=True, default="", max_length=64),
        ),
    ]
