from __future__ import annotations

from django.urls import path

from orders.studio import views

urlpatterns = [
    path("orders/", views.studio_orders, name="studio_orders"),
    path("orders/<uuid:order_id>/move/", views.studio_order_move, name="studio_order_move"),
]
