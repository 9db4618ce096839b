from __future__ import annotations

from django.urls import path

from orders.studio import csv_views, delivery_views, money_views, papers, sales_views, views

urlpatterns = [
    path("orders/", views.studio_orders, name="studio_orders"),
    path("orders/move/", views.studio_orders_move, name="studio_orders_move"),
    path("orders/slips/", papers.slips, name="studio_slips"),
    path("orders/pick-list/", papers.pick_list, name="studio_pick_list"),
    path("orders/orders.csv", csv_views.orders_csv, name="studio_orders_csv"),
    path("orders/tracking/", csv_views.tracking, name="studio_tracking"),
    path(
        "orders/tracking/<uuid:upload_id>/",
        csv_views.tracking_upload,
        name="studio_tracking_upload",
    ),
    path("orders/<uuid:order_id>/", views.studio_order, name="studio_order"),
    path("orders/<uuid:order_id>/move/", views.studio_order_move, name="studio_order_move"),
    path(
        "orders/<uuid:order_id>/claims/<uuid:claim_id>/",
        money_views.claim_answer,
        name="studio_claim_answer",
    ),
    path("orders/<uuid:order_id>/pay-back/", money_views.order_pay_back, name="studio_pay_back"),
    path(
        "orders/<uuid:order_id>/refunds/<uuid:refund_id>/again/",
        money_views.refund_again,
        name="studio_refund_again",
    ),
    path("delivery/", delivery_views.delivery, name="studio_delivery"),
    path("delivery/terms/", delivery_views.terms_change, name="studio_terms"),
    path("delivery/zones/new/", delivery_views.zone_new, name="studio_zone_new"),
    path("delivery/zones/<uuid:zone_id>/", delivery_views.zone_edit, name="studio_zone"),
    path(
        "delivery/zones/<uuid:zone_id>/remove/",
        delivery_views.zone_remove,
        name="studio_zone_remove",
    ),
    path("delivery/points/new/", delivery_views.point_new, name="studio_point_new"),
    path("delivery/points/<uuid:point_id>/", delivery_views.point_edit, name="studio_point"),
    path(
        "delivery/points/<uuid:point_id>/open/",
        delivery_views.point_open,
        name="studio_point_open",
    ),
    path(
        "delivery/points/<uuid:point_id>/remove/",
        delivery_views.point_remove,
        name="studio_point_remove",
    ),
    path("sales/", sales_views.sales_page, name="studio_sales"),
    path("sales/sales.csv", sales_views.sales_csv, name="studio_sales_csv"),
]
