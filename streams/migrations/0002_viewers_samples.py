import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("streams", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="ViewersSample",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("minute", models.DateTimeField(help_text="The minute's begin.")),
                ("viewers", models.PositiveIntegerField()),
                (
                    "show",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="viewers_samples",
                        to="streams.show",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("show", "minute"), name="one_sample_per_minute")
                ],
            },
        ),
    ]
