"""Who hears what: the one table of facts and their handlers, and the periodic work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core import outbox
from core.accounts import changes, codes, devices, limits
from core.accounts.models import PasskeyChallenge
from core.outbox import Fact, Handler
from core.schedule import Periodic
from courses import handlers as courses_handlers
from courses.badges import rights
from courses.cohorts import messages as cohort_messages
from courses.cohorts import newcomers, places
from courses.cohorts.events import CohortMessageSent
from courses.practice import handlers as practice_handlers
from courses.practice import services as practice_services
from courses.practice.copying import copy_task
from courses.practice.events import AttemptDecided, AttemptSubmitted
from courses.quizzes.copying import copy_quiz
from courses.reviews import handlers as review_handlers
from courses.reviews.events import ReviewAnswered
from courses.services import cloning, learning
from livecommerce import disk
from livecommerce.people import invitations
from livecommerce.people.cohort_door import CohortDoor
from media_pipeline import carriers
from media_pipeline import handlers as media_handlers
from media_pipeline.events import (
    ClipReady,
    ClipWithdrawn,
    FilmImported,
    PassageRemoved,
    RecordingProcessed,
    RecordingSealed,
    TakeResumed,
    TakeStarted,
    TakeStopped,
)
from media_pipeline.services import archiving, clip_light, clips, orphans, settling, uploads
from media_pipeline.storage import storage
from orders import access as orders_access
from orders import handlers as orders_handlers
from orders import photos as orders_photos
from orders import shows as orders_shows
from orders.events import (
    ClaimChanged,
    OfferChanged,
    OfferRemoved,
    OrderMoved,
    OrderPlaced,
    PaymentSettled,
    RefundSettled,
)
from orders.services.holds import expire_holds
from orders.services.open_payments import look_after_open_payments
from orders.services.refunds import carry_out_refunds
from sellers import photos as sellers_photos
from sellers.events import StockChanged
from streams import access as streams_access
from streams import camera_handlers, handlers, imported, me_handlers, moderation_handlers
from streams.events import (
    ProductPinned,
    ProductUnpinned,
    RoomModerated,
    ShowEnded,
    ShowInterrupted,
    ShowResumed,
    ShowReviewed,
    ShowStarted,
)
from streams.services import approvals, encoders, moderation, rehearsals, shows
from streams.studio import handlers as studio_handlers
from streams.studio import selectors as studio_selectors

HANDLERS: Mapping[type[Fact], Sequence[Handler]] = {
    StockChanged: (handlers.tell_stock, studio_handlers.tell_low_stock),
    OfferChanged: (handlers.tell_offer,),
    OfferRemoved: (handlers.tell_offer_removed,),
    OrderPlaced: (
        handlers.tell_order,
        studio_handlers.tell_order,
        orders_handlers.remember_addresses,
    ),
    OrderMoved: (studio_handlers.tell_move, me_handlers.tell_moved),
    PaymentSettled: (me_handlers.tell_money,),
    RefundSettled: (me_handlers.tell_money,),
    ClaimChanged: (me_handlers.tell_money, studio_handlers.tell_claim),
    TakeStarted: (camera_handlers.camera_on,),
    TakeResumed: (camera_handlers.camera_on,),
    TakeStopped: (camera_handlers.camera_off,),
    RecordingSealed: (
        camera_handlers.hide_withheld,
        handlers.tell_replay_ready,
        camera_handlers.process_recording,
    ),
    FilmImported: (imported.make_show,),
    RecordingProcessed: (media_handlers.archive_processed_recording,),
    PassageRemoved: (handlers.tell_replay_changed,),
    ClipReady: (courses_handlers.lesson_ready,),
    ClipWithdrawn: (media_handlers.delete_withdrawn_clip, courses_handlers.lesson_taken_back),
    ShowStarted: (
        handlers.tell_show_changed,
        camera_handlers.note_rehearsed,
        practice_handlers.begin,
    ),
    ShowInterrupted: (handlers.tell_show_changed,),
    ShowResumed: (handlers.tell_show_changed,),
    ShowEnded: (
        handlers.tell_ended,
        camera_handlers.close_recording,
        practice_handlers.end,
    ),
    ShowReviewed: (studio_handlers.tell_reviewed,),
    ProductPinned: (handlers.tell_pinned,),
    ProductUnpinned: (handlers.tell_show_changed,),
    RoomModerated: (moderation_handlers.tell_moderated,),
    CohortMessageSent: (cohort_messages.tell,),
    AttemptSubmitted: (),
    AttemptDecided: (review_handlers.tell_decided,),
    ReviewAnswered: (review_handlers.tell_answered,),
}

PERIODIC: Sequence[Periodic] = (
    Periodic("warn of little disk space", every_s=300, run=disk.warn),
    Periodic("end abandoned shows", every_s=30, run=shows.end_abandoned),
    Periodic("end shows that last too long", every_s=30, run=shows.end_too_long),
    Periodic("look after rehearsals", every_s=30, run=rehearsals.look_after),
    Periodic("look after practices", every_s=30, run=practice_services.look_after),
    Periodic("end holds that were not paid", every_s=5, run=expire_holds),
    Periodic("look after open payments", every_s=10, run=look_after_open_payments),
    Periodic("pay back what is due", every_s=5, run=carry_out_refunds),
    Periodic("lift what was for a while", every_s=5, run=moderation.lift_expired),
    Periodic("send jobs again that nobody runs", every_s=5, run=carriers.send_again),
    Periodic("carry out what failed before", every_s=300, run=settling.try_again),
    Periodic("forget uploads that nobody goes on with", every_s=3600, run=uploads.sweep),
    Periodic("delete media of nothing", every_s=86_400, run=orphans.sweep),
    Periodic("hide films of clips", every_s=3600, run=clips.hide_public),
    Periodic("make clips for weak networks", every_s=60, run=clip_light.make_missing),
    Periodic("move to the bucket what is left", every_s=300, run=archiving.archive_left),
    Periodic("forget old reports", every_s=86_400, run=learning.forget_batches),
    Periodic("forget old codes", every_s=600, run=codes.forget_old),
    Periodic("forget old challenges", every_s=600, run=PasskeyChallenge.forget_old),
    Periodic("forget old allowances", every_s=600, run=limits.forget_old),
    Periodic("forget old changes", every_s=60, run=changes.forget_old),
    Periodic("forget devices that are gone", every_s=86_400, run=devices.forget_old),
    Periodic("forget old encoders", every_s=86_400, run=encoders.sweep),
)


def connect() -> None:
    orders_photos.keepers[:] = [storage]
    sellers_photos.keepers[:] = [storage]
    carriers.connect()
    outbox.wiring.connect(HANDLERS)
    shows.limits[:] = [practice_services.longest_of]
    cloning.copiers[:] = [copy_quiz, copy_task]
    orders_access.guards[:] = [streams_access.may_order]
    orders_access.doors[:] = [streams_access.require_to_know_of]
    approvals.vouchers[:] = [rights.people]
    orders_shows.namers[:] = [studio_selectors.show_names]
    newcomers.doors[:] = [CohortDoor()]
    invitations.listeners[:] = [places.invitation_used]
