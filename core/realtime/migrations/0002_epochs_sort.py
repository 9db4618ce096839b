from typing import Any

from django.db import migrations
from django.db.models import Value
from django.db.models.functions import Concat, Substr


def sort_before_new_ones(apps: Any, schema_editor: Any) -> None:
    """Epochs were random. Now they begin with the time, and the log is read in their order."""
    for model in ("Topic", "LogEntry"):
        rows = apps.get_model("realtime", model).objects.exclude(epoch__startswith="00")
        rows.update(epoch=Concat(Value("00"), Substr("epoch", 3)))


class Migration(migrations.Migration):
    dependencies = [("realtime", "0001_initial")]

    operations = [migrations.RunPython(sort_before_new_ones, migrations.RunPython.noop)]
