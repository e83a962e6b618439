from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("logs", "0003_labels")]

    operations = [migrations.RenameField("detectionrule", "source_kind", "store")]
