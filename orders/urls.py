from __future__ import annotations

from django.urls import path

from orders import views

urlpatterns = [
    path("orders/", views.order_list, name="orders"),
    path("orders/<uuid:order_id>/", views.order_detail, name="order"),
    path("orders/<uuid:order_id>/cancel/", views.order_cancel, name="order_cancel"),
    path("studio/orders/", views.studio_orders, name="studio_orders"),
    path("studio/orders/<uuid:order_id>/move/", views.studio_order_move, name="studio_order_move"),
]
