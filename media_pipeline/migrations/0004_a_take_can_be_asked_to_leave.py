from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("media_pipeline", "0003_passages")]

    operations = [
        migrations.AddField(
            model_name="take",
            name="leave_asked_at",
            field=models.DateTimeField(
                help_text="Another camera waits to go on with the show in its place.", null=True
            ),
        ),
    ]
