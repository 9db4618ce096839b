from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('streams', '0003_moderation'),
    ]

    operations = [
        migrations.AddField(
            model_name='show',
            name='likes',
            field=models.PositiveIntegerField(default=0, help_text='Written every few seconds.'),
        ),
    ]
