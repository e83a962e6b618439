"""Addresses are compared by their characters on MySQL, too: there the column gets a binary collation."""

from django.db import migrations, models

import users.addresses


class Migration(migrations.Migration):
    dependencies = [("users", "0003_invitations_and_access")]

    operations = [
        migrations.AlterField(
            model_name="user",
            name="email",
            field=users.addresses.AddressField(max_length=254, unique=True),
        ),
        migrations.AlterField(
            model_name="user",
            name="language",
            field=models.CharField(
                default="en",
                help_text="Kept for translations to come; so far, everything is in English.",
                max_length=16,
            ),
        ),
    ]
