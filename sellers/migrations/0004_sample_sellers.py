from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sellers", "0003_movements_once"),
    ]

    operations = [
        migrations.AddField(
            model_name="seller",
            name="is_sample",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Made to look around, and removed again as a whole.",
            ),
        ),
    ]
