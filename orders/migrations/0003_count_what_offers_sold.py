"""Orders of before know their show and variant; from now on a line names its offer."""

from django.db import migrations
from django.db.models import OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce


def count(apps, schema_editor):
    line_model, offer_model, order_model = (
        apps.get_model("orders", name) for name in ("OrderLine", "Offer", "Order")
    )
    show = order_model.objects.filter(pk=OuterRef(OuterRef("order"))).values("show_id")
    offer = offer_model.objects.filter(show_id=Subquery(show), variant=OuterRef("variant"))
    line_model.objects.filter(offer=None).exclude(order__show_id=None).update(
        offer=Subquery(offer.values("pk")[:1])
    )
    holding = line_model.objects.filter(offer=OuterRef("pk")).exclude(order__state="cancelled")
    sums = holding.order_by().values("offer").annotate(total=Sum("quantity")).values("total")
    offer_model.objects.update(sold=Coalesce(Subquery(sums), 0))


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_holds_money_offers")]

    operations = [migrations.RunPython(count, migrations.RunPython.noop)]
