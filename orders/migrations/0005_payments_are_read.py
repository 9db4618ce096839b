from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("orders", "0004_tracking_uploads"),
    ]

    operations = [
        migrations.AddField(
            model_name="payment",
            name="read_at",
            field=models.DateTimeField(help_text="When the provider was asked last.", null=True),
        ),
    ]
