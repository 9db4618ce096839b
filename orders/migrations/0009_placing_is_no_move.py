"""An order itself says who placed it, when, and how it was to be paid: no row repeats it."""

from django.db import migrations
from django.db.models import Case, F, Value, When

FIRST = ["held", "placed"]


def forget(apps, schema_editor):
    moves = apps.get_model("orders", "OrderMove").objects
    moves.filter(state__in=FIRST, at=F("order__placed_at"), actor=F("order__buyer")).delete()


def write_again(apps, schema_editor):
    move = apps.get_model("orders", "OrderMove")
    began = Case(When(payment_method="online", then=Value("held")), default=Value("placed"))
    rows = (
        apps.get_model("orders", "Order")
        .objects.annotate(began=began)
        .values_list("pk", "began", "buyer_id", "placed_at")
        .iterator(2000)
    )
    move.objects.bulk_create(
        (move(order_id=pk, state=state, actor_id=buyer, at=at) for pk, state, buyer, at in rows),
        batch_size=500,
    )


class Migration(migrations.Migration):
    dependencies = [("orders", "0008_fewer_indexes")]
    operations = [migrations.RunPython(forget, write_again)]
