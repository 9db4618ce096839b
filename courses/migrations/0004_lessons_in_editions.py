import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("courses", "0003_first_editions")]

    operations = [
        migrations.AlterField(
            model_name="enrolment",
            name="edition",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="enrolments",
                to="courses.edition",
            ),
        ),
        migrations.RemoveConstraint(model_name="lesson", name="one_lesson_per_position"),
        migrations.RemoveConstraint(model_name="lesson", name="a_share_that_can_be_watched"),
        migrations.AlterModelOptions(name="lesson", options={"ordering": ["id"]}),
        migrations.RemoveField(model_name="lesson", name="position"),
        migrations.AddConstraint(
            model_name="lesson",
            constraint=models.CheckConstraint(
                condition=models.Q(("required_share__gte", 0), ("required_share__lte", 0.95)),
                name="a_share_that_can_be_watched",
            ),
        ),
    ]
