from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("media_pipeline", "0004_a_take_can_be_asked_to_leave")]

    operations = [
        migrations.AddField(
            model_name="recording",
            name="edition",
            field=models.PositiveIntegerField(
                default=0,
                help_text="Rises when a passage is taken out, and again when its files are gone.",
            ),
        ),
    ]
