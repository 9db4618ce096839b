"""Who gets in where. A page, an address of the API, a socket or a command without a line here, or
with another answer than here, fails `test_matrix` or `test_sockets`.

`+` gets in, also if what was sent is then found wrong; `?` is asked to sign in; `-` is refused, or
told that there is no such thing. Who they are: `tests.access.estate`. Of what belongs to somebody
the row is about one thing: the buyer's order, the farm's product. A stranger has a farm as well,
and so gets into the pages of a studio, which show the own farm alone.
"""

from __future__ import annotations

# Columns: nobody viewer buyer stranger removed packer host mentor operator
PAGES = """
GET  home                         + + + + + + + + +
POST home                         + + + + + + + + +
GET  favicon.ico                  + + + + + + + + +
POST favicon.ico                  + + + + + + + + +
GET  lan                          - - - - - - - - -
POST lan                          - - - - - - - - -
GET  first_run                    - - - - - - - - -
POST first_run                    - - - - - - - - -
GET  operator_site                ? - - - - - - - +
POST operator_site                ? - - - - - - - +
POST operator_sample              ? - - - - - - - +
POST demo_sign_in                 - - - - - - - - -
GET  account_login                + + + + + + + + +
POST account_login                + + + + + + + + +
GET  account_logout               + + + + + + + + +
POST account_logout               + + + + + + + + +
GET  account_signup               + + + + + + + + +
POST account_signup               + + + + + + + + +
GET  account_inactive             + + + + + + + + +
GET  account_phone                + + + + + + + + +
POST account_phone                + + + + + + + + +
GET  account_phone_code           + + + + + + + + +
POST account_phone_code           + + + + + + + + +
GET  account_phone_name           + + + + + + + + +
POST account_phone_name           + + + + + + + + +
POST account_passkey_options      + + + + + + + + +
POST account_passkey              + + + + + + + + +
GET  account_change_password      ? + + + + + + + +
POST account_change_password      ? + + + + + + + +
GET  account_set_password         ? + + + + + + + +
POST account_set_password         ? + + + + + + + +
GET  join                         + + + + + + + + +
POST join                         + + + + + + + + +
GET  way_back                     + + + + + + + + +
POST way_back                     + + + + + + + + +
GET  my_account                   ? + + + + + + + +
POST my_details                   ? + + + + + + + +
GET  my_devices                   ? + + + + + + + +
POST my_devices_end               ? + + + + + + + +
POST my_device_end                ? - + - - - - - -
GET  my_tokens                    ? + + + + + + + +
POST my_tokens                    ? + + + + + + + +
POST my_token_revoke              ? - + - - - - - -
GET  my_passkeys                  ? + + + + + + + +
POST my_passkey_options           ? + + + + + + + +
POST my_passkey_add               ? + + + + + + + +
POST my_passkey_rename            ? - + - - - - - -
POST my_passkey_remove            ? - + - - - - - -
GET  my_data                      ? + + + + + + + +
GET  my_leave                     ? + + + + + + + +
POST my_leave                     ? + + + + + + + +
GET  operator_people              ? - - - - - - - +
POST operator_invite              ? - - - - - - - +
POST operator_shop_add            ? - - - - - - - +
GET  operator_invitation_sheet    ? - - - - - - - +
POST operator_invitation_revoke   ? - - - - - - - +
POST operator_member              ? - - - - - - - +
POST operator_way_back_make       ? - - - - - - - +
GET  operator_way_back            ? - - - - - - - +
POST operator_way_back_revoke     ? - - - - - - - +
GET  orders                       ? + + + + + + + +
GET  order                        ? - + - - + + - +
GET  order_pay                    ? - + - - - - - -
GET  order_paid                   ? - + - - - - - -
POST order_cancel                 ? - + - - - + - +
POST order_move                   ? - + - - + + - +
POST order_again                  ? - + - - - - - -
POST order_claim                  ? - + - - - - - -
POST claim_withdraw               ? - + - - - - - -
GET  shop                         + + + + + + + + +
GET  addresses                    ? + + + + + + + +
GET  address_new                  ? + + + + + + + +
POST address_new                  ? + + + + + + + +
GET  address_edit                 ? - + - - - - - -
POST address_edit                 ? - + - - - - - -
POST address_delete               ? + + + + + + + +
GET  operator_money               ? - - - - - - - +
POST operator_refund_again        ? - - - - - - - +
POST operator_notice_looked_at    ? - - - - - - - +
GET  studio_orders                ? - - + - + + - +
POST studio_orders_move           ? - - + - + + - +
GET  studio_slips                 ? - - + - + + - +
GET  studio_pick_list             ? - - + - + + - +
GET  studio_orders_csv            ? - - + - + + - +
GET  studio_tracking              ? - - + - + + - +
POST studio_tracking              ? - - + - + + - +
GET  studio_tracking_upload       ? - - - - + - - -
POST studio_tracking_upload       ? - - - - + - - -
GET  studio_order                 ? - - - - + + - +
POST studio_order_move            ? - - - - - + - +
POST studio_claim_answer          ? - - - - - + - +
POST studio_pay_back              ? - - - - - + - +
POST studio_refund_again          ? - - - - - + - +
GET  studio_delivery              ? - - + - - + - +
POST studio_terms                 ? - - + - - + - +
GET  studio_zone_new              ? - - + - - + - +
POST studio_zone_new              ? - - + - - + - +
GET  studio_zone                  ? - - - - - + - +
POST studio_zone                  ? - - - - - + - +
POST studio_zone_remove           ? - - - - - + - +
GET  studio_point_new             ? - - + - - + - +
POST studio_point_new             ? - - + - - + - +
GET  studio_point                 ? - - - - - + - +
POST studio_point                 ? - - - - - + - +
POST studio_point_open            ? - - - - - + - +
POST studio_point_remove          ? - - - - - + - +
GET  studio_sales                 ? - - + - - + - +
GET  studio_sales_csv             ? - - + - - + - +
GET  studio_products              ? - - + - + + - +
GET  studio_product_new           ? - - + - - + - +
POST studio_product_new           ? - - + - - + - +
GET  studio_product               ? - - - - + + - +
POST studio_product               ? - - - - - + - +
POST studio_stock_count           ? - - - - + + - +
GET  studio_ledger                ? - - - - + + - +
GET  learn                        + + + + + + + + +
GET  courses                      + + + + + + + + +
GET  course_new                   ? - - + - - + + +
POST course_new                   ? - - + - - + + +
GET  course_import                ? - - + - - + + +
POST course_import                ? - - + - - + + +
GET  course_export                ? - - - - - - + +
POST course_export                ? - - - - - - + +
GET  certificates                 ? + + + + + + + +
GET  course                       + + + + + + + + +
POST course_enrol                 ? + + + + + + + +
GET  learn_offline                + + + + + + + + +
GET  learn_offline_feed           + + + + + + + + +
GET  learn_worker                 + + + + + + + + +
GET  course_edit                  ? - - - - - - + +
POST course_edit                  ? - - - - - - + +
GET  course_of_show               ? - - - - - + - +
POST course_of_show               ? - - - - - + - -
GET  course_preview               ? - - - - - - + +
POST course_move_on               ? + + + + + + + +
GET  lesson                       ? + + + + + + + +
GET  lesson_edit                  ? - - - - - - + +
POST lesson_edit                  ? - - - - - - + +
GET  lesson_quiz                  ? + + + + + + + +
POST lesson_quiz                  ? + + + + + + + +
GET  lesson_quiz_edit             ? - - - - - - + +
POST lesson_quiz_edit             ? - - - - - - + +
GET  quiz_question_new            ? - - - - - - + +
POST quiz_question_new            ? - - - - - - + +
GET  quiz_question_edit           ? - - - - - - + +
POST quiz_question_edit           ? - - - - - - + +
GET  lesson_quiz_figures          ? - - - - - - + +
POST lesson_quiz_figures          ? - - - - - - - -
GET  cohorts                      ? + + + + + + + +
GET  cohort_join                  + + + + + + + + +
POST cohort_join                  + + + + + + + + +
GET  cohort_new                   ? - - - - - - + +
POST cohort_new                   ? - - - - - - + +
GET  cohort                       ? - + - - - - + +
POST cohort_leave                 ? - + - - - - - -
GET  cohort_settings              ? - - - - - - + +
POST cohort_settings              ? - - - - - - + +
POST cohort_message               ? - - - - - - + +
GET  cohort_people                ? - - - - - - + +
POST cohort_people                ? - - - - - - + +
GET  cohort_codes                 ? - - - - - - + +
GET  cohort_roster                ? - - - - - - + -
POST cohort_roster                ? - - - - - - + -
GET  lesson_practice              ? + + + + + + + +
POST lesson_practice              ? + + + + + + + +
GET  lesson_practice_edit         ? - - - - - - + +
POST lesson_practice_edit         ? - - - - - - + +
GET  practice_attempt             ? - + - - - - + +
POST practice_attempt             ? - + - - - - - -
GET  practice_of_show             ? - + - - - - + +
GET  practice_join                ? + + + + + + + +
POST practice_join                ? + + + + + + + +
GET  review_queue                 ? - - - - - - + +
GET  review                       ? - + - - - - + +
POST review_claim                 ? - - - - - - + +
POST review_give_back             ? - - - - - - + +
GET  rubric_edit                  ? - - - - - - + +
POST rubric_edit                  ? - - - - - - + +
GET  course_badge                 ? - - - - - - + +
POST course_badge                 ? - - - - - - + +
GET  verify_any                   + + + + + + + + +
POST verify_any                   + + + + + + + + +
GET  verify                       + + + + + + + + +
POST verify_show                  ? - + - - - - - -
POST verify_revoke                ? - - - - - - + +
POST verify_restore               ? - - - - - - + +
GET  verify_practice              - - - - - - - - -
GET  verify_picture               + + + + + + + + +
GET  verify_token                 + + + + + + + + +
GET  badge_issuer                 + + + + + + + + +
GET  badge_jwks                   + + + + + + + + +
GET  badge_key                    + + + + + + + + +
GET  badge_status                 + + + + + + + + +
GET  badge                        + + + + + + + + +
GET  course_badge_picture         + + + + + + + + +
GET  show                         + + + + + + + + +
POST show                         + + + + + + + + +
GET  show_playback                + + + + + + + + +
POST show_playback                + + + + + + + + +
GET  studio                       ? + + + + + + + +
GET  studio_schedule              ? - - + - - + - +
POST studio_schedule              ? - - + - - + - +
GET  studio_show                  ? - - - - + + - +
GET  studio_captions              ? - - - - - + - +
GET  studio_show_offers           ? - - - - - + - +
GET  studio_offer_terms           ? - - - - - + - +
POST studio_offer_terms           ? - - - - - + - +
POST studio_offer_remove          ? - - - - - + - +
POST studio_offer_back            ? - - - - - + - +
GET  studio_rehearse              ? - - + - - + - +
POST studio_rehearse              ? - - + - - + - +
POST studio_rehearsal_ready       ? - - - - - + - -
POST studio_rehearsal_delete      ? - - - - - + - -
POST studio_tried                 ? - - - - - + - +
POST studio_first_show_list       ? - - - - - + - +
POST studio_first_show_delivery   ? - - - - - + - +
GET  studio_films                 ? - - + - - + - +
GET  studio_encoders              ? - - + - - + - +
POST studio_encoders              ? - - + - - + - +
POST studio_encoder_rotate        ? - - - - - + - -
POST studio_encoder_revoke        ? - - - - - + - -
GET  studio_jobs                  ? + + + + + + + +
GET  operator_jobs                ? - - - - - - - +
POST job_cancel                   ? - - - - - + - +
POST job_retry                    ? - - - - - + - +
GET  operator_shows               ? - - - - - - - +
POST operator_stop                ? - - - - - - - +
POST operator_release             ? - - - - - - - +
POST operator_approve             ? - - - - - - - +
POST operator_refuse              ? - - - - - - - +
GET  set_language                 + + + + + + + + +
POST set_language                 + + + + + + + + +
GET  jsi18n                       + + + + + + + + +
"""

# The same columns, and the scope with which a token gets in as its owner does, if one helps.
API = """
POST   orders                                      ? + + + + + + + + write:orders
GET    orders                                      ? + + + + + + + + read:orders
POST   orders/quote                                + + + + + + + + +
GET    orders/{order_id}                           ? - + - - + + - + read:orders
POST   orders/{order_id}/moves                     ? - + - - - + - + write:orders
GET    checkout                                    + + + + + + + + +
POST   orders/{order_id}/payments                  ? - + - - - - - - write:orders
GET    orders/{order_id}/payments                  ? - + - - + + - + read:orders
POST   orders/{order_id}/refunds                   ? - - - - - + - + write:orders
POST   orders/{order_id}/claims                    ? - + - - - - - - write:orders
GET    orders/{order_id}/claims                    ? - + - - + + - + read:orders
POST   claims/{claim_id}/answer                    ? - - - - - + - + write:orders
POST   claims/{claim_id}/withdraw                  ? - + - - - - - - write:orders
POST   payments/{provider}/webhook                 + + + + + + + + +
GET    me/courses                                  ? + + + + + + + + read:courses
POST   courses                                     ? - - + - - + + + write:courses
POST   courses/{course_id}/lessons                 ? - - - - - - + + write:courses
POST   courses/{course_id}/publish                 ? - - - - - - + + write:courses
POST   courses/{course_id}/enrol                   ? + + + + + + + + write:courses
GET    lessons/{lesson_id}                         ? + + + + + + + + read:courses
GET    lessons/{lesson_id}/cues                    ? + + + + + + + + read:courses
GET    lessons/{lesson_id}/keep                    ? + + + + + + + + read:courses
GET    me/kept                                     ? + + + + + + + + read:courses
GET    lessons/{lesson_id}/captions                ? + + + + + + + + read:courses
GET    lessons/{lesson_id}/captions/{language}.vtt ? + + + + + + + + read:courses
POST   lessons/{lesson_id}/watched                 ? + + + + + + + + write:courses
GET    lessons/{lesson_id}/quiz                    ? + + + + + + + + read:courses
POST   lessons/{lesson_id}/quiz/answers            ? + + + + + + + + write:courses
GET    reviews/{attempt_id}/film                   ? - + - - - - + +
GET    reviews/{attempt_id}/draft                  ? - - - - - - + -
PUT    reviews/{attempt_id}/draft                  ? - - - - - - + +
POST   reviews/{attempt_id}/send                   ? - - - - - - + +
POST   reviews/{attempt_id}/answers                ? - - - - - - + +
POST   shows/{show_id}/end                         ? - - - - - + - + write:shows
GET    shows/{show_id}/studio                      ? - - - - - + - + read:shows
GET    shows/{show_id}/figures                     ? - - - - + + - + read:shows
GET    shows/{show_id}/blocked-words               ? - - - - - + - + read:shows
POST   shows/{show_id}/blocked-words               ? - - - - - + - + write:shows
DELETE shows/{show_id}/blocked-words/{word_id}     ? - - - - - + - + write:shows
POST   recordings/{recording_id}/clips             ? - - - - - + - + write:shows
GET    shows/{show_id}/clips                       ? - - - - - + - + read:shows
GET    clips/{clip_id}/cues                        ? - - - - - + - + read:shows
PATCH  clips/{clip_id}                             ? - - - - - + - + write:shows
DELETE clips/{clip_id}                             ? - - - - - + - + write:shows
GET    clips/{clip_id}/consent                     ? - - - - - + - + read:shows
PUT    clips/{clip_id}/consent                     ? - - - - - + - - write:shows
DELETE clips/{clip_id}/consent                     ? - - - - - + - + write:shows
GET    clips/{clip_id}/copy                        ? - - - - - + - + read:shows
POST   clips/{clip_id}/copy                        ? - - - - - + - + write:shows
GET    shows/{show_id}/replay                      + + + + + + + + +
GET    shows/{show_id}/chapters.vtt                + + + + + + + + +
PUT    shows/{show_id}/audience                    ? - - - - - + - + write:shows
POST   shows/{show_id}/removed-passages            ? - - - - - + - + write:shows
GET    shows/{show_id}/removed-passages            ? - - - - - + - + read:shows
GET    shows/{show_id}/captions                    ? - - - - - + - + read:shows
POST   shows/{show_id}/captions                    ? - - - - - + - + write:shows
POST   shows/{show_id}/captions/read               ? - - - - - + - + write:shows
GET    shows/{show_id}/captions/{track_id}         ? - - - - - + - + read:shows
PUT    shows/{show_id}/captions/{track_id}         ? - - - - - + - + write:shows
DELETE shows/{show_id}/captions/{track_id}         ? - - - - - + - + write:shows
GET    shows/{show_id}/captions/{track_id}.{kind}  + + + + + + + + +
GET    shows/{show_id}/download                    ? - - - - - + - + read:shows
GET    shows/{show_id}/highlights                  ? - - - - - + - + read:shows
POST   realtime/tickets                            ? + + + + + + + +
GET    jobs/{job_id}                               ? - - - + - - - + read:shows
POST   uploads                                     ? - - - - - + - + write:shows
GET    uploads/{upload_id}                         ? - - - - - + - + read:shows
DELETE uploads/{upload_id}                         ? - - - - - + - + write:shows
POST   uploads/{upload_id}/parts                   ? - - - - - + - + write:shows
POST   uploads/{upload_id}/complete                ? - - - - - + - + write:shows
"""

# Signed by who pays out, and a sum that changes nothing.
WITHOUT_CSRF = {"POST payments/{provider}/webhook", "POST orders/quote"}

IN_ROOMS = ("nobody", "viewer", "stranger", "removed", "packer", "host", "operator")
SHOW = "<uuid:show_id>/"
SOCKETS = (f"shows/{SHOW}", f"studio/{SHOW}", "me/", f"live/{SHOW}", f"ingest/{SHOW}")
# 0: let in; else the code with which the socket is closed (docs/protocol.md).
WHO_COMES_IN = """
shows  public  0    0    0    0    0    0 0
shows  invited 4401 4403 4403 4403 0    0 0
studio public  4401 4403 4403 4403 0    0 0
studio invited 4401 4403 4403 4403 0    0 0
me     public  4401 0    0    0    0    0 0
me     invited 4401 0    0    0    0    0 0
live   public  0    0    0    0    0    0 0
live   invited 4401 4403 4403 4403 0    0 0
ingest public  4401 4403 4403 4403 4403 0 0
ingest invited 4401 4403 4403 4403 4403 0 0
"""

COMMANDS = """
chat.send      ? + + + + + +
chat.remove    ? - - - + + +
chat.restore   ? - - - + + +
chat.pin       ? - - - + + +
chat.unpin     ? - - - + + +
chat.answer    ? - - - + + +
chat.unanswer  ? - - - + + +
viewer.mute    ? - - - + + +
viewer.unmute  ? - - - + + +
viewer.ban     ? - - - + + +
viewer.unban   ? - - - + + +
room.slow_mode ? - - - + + +
product.pin    ? - - - - + +
product.unpin  ? - - - - + +
react          + + + + + + +
offer.open     ? - - - - + +
offer.close    ? - - - - + +
order.place    ? + + + + + +
host.voice     ? - - - - - -
ping           + + + + + + +
"""


def pages() -> dict[tuple[str, str], str]:
    return {(method, name): row for method, name, row in _rows(PAGES)}


def api() -> dict[tuple[str, str], str]:
    return {(method, path): row for method, path, row in _rows(API)}


def who_comes_in() -> dict[tuple[str, str], list[str]]:
    return {(name, audience): row.split() for name, audience, row in _rows(WHO_COMES_IN)}


def commands() -> dict[str, list[str]]:
    lines = (line.split() for line in COMMANDS.strip().splitlines())
    return {do: row for do, *row in lines}


def _rows(text: str) -> list[tuple[str, str, str]]:
    """The first two columns, and the others with one space between."""
    lines = (line.split() for line in text.strip().splitlines())
    return [(first, second, " ".join(rest)) for first, second, *rest in lines]
