"""What every course has so far is its first edition. Alone: PostgreSQL alters no table whose rows
were changed in the same transaction."""

from django.db import migrations


def begin(apps, schema_editor):
    Course, Edition, EditionLesson, Enrolment, Lesson = (
        apps.get_model("courses", name)
        for name in ("Course", "Edition", "EditionLesson", "Enrolment", "Lesson")
    )
    for course in Course.objects.all():
        edition = Edition.objects.create(
            course=course, number=1, state=course.state, published_at=course.published_at
        )
        EditionLesson.objects.bulk_create(
            EditionLesson(
                edition=edition, lesson=lesson, position=lesson.position, title=lesson.title
            )
            for lesson in Lesson.objects.filter(course=course).order_by("position")
        )
        Enrolment.objects.filter(course=course).update(edition=edition)


class Migration(migrations.Migration):
    dependencies = [("courses", "0002_editions")]

    operations = [migrations.RunPython(begin, migrations.RunPython.noop)]
