#!/bin/sh
# A hook of MediaMTX: tells the web process that a stream is there (`ready`, every second until it
# is ended) or is over (`gone`). MediaMTX sets MTX_PATH, MTX_SOURCE_TYPE and MTX_SOURCE_ID.
# LIVECOMMERCE_HOOKS is the web process's address, LIVECOMMERCE_ENCODERS_SECRET the secret.
tell() {
    wget -q -T 5 -O /dev/null \
        --post-data "path=$MTX_PATH&source_type=$MTX_SOURCE_TYPE&source_id=$MTX_SOURCE_ID" \
        "$LIVECOMMERCE_HOOKS/hooks/mediamtx/$1?secret=$LIVECOMMERCE_ENCODERS_SECRET"
}

tell "$1"
while [ "$1" = ready ]; do
    sleep 1
    tell ready
done
