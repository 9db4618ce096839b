from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('sellers', '0002_terms_units_zones'),
    ]

    operations = [
        migrations.AddField(
            model_name='stockmovement',
            name='key',
            field=models.UUIDField(editable=False, help_text='Of the form that made it: once.', null=True, unique=True),
        ),
    ]
