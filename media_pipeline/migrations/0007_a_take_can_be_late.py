from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("media_pipeline", "0006_the_clock_of_a_take_drifts")]

    operations = [
        migrations.AddField(
            model_name="take",
            name="late_since",
            field=models.DateTimeField(
                help_text=(
                    "Viewers see something newer; its phone sends what it kept, for the recording."
                ),
                null=True,
            ),
        ),
    ]
