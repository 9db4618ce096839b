from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('media_pipeline', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='recording',
            name='end_asked_at',
            field=models.DateTimeField(help_text='The process that receives its camera should let it go and seal it.', null=True),
        ),
        migrations.AddField(
            model_name='take',
            name='kept_until',
            field=models.DateTimeField(help_text='Renewed by the process that receives it; later anybody may seal it.', null=True),
        ),
    ]
