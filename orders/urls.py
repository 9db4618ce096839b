from __future__ import annotations

from django.urls import include, path

from orders import payment_views, views

urlpatterns = [
    path("orders/", views.order_list, name="orders"),
    path("orders/<uuid:order_id>/", views.order_detail, name="order"),
    path("orders/<uuid:order_id>/pay/", payment_views.order_pay, name="order_pay"),
    path("orders/<uuid:order_id>/paid/", payment_views.order_paid, name="order_paid"),
    path("orders/<uuid:order_id>/cancel/", views.order_cancel, name="order_cancel"),
    path("studio/", include("orders.studio.urls")),
]
