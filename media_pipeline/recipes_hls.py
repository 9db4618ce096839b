"""What players fetch by HLS: renditions of the picture, the sound, and small pictures to seek by.

Pure functions to ffmpeg's arguments, as in `recipes`. Sound is made once, in a file of its own, and
copied into each rendition.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ffmpeg as graph

from media_pipeline.recipes import (
    GOP_S,
    Look,
    Part,
    RenditionPlan,
    Size,
    aac,
    arguments,
    cap,
    end_of,
    frames,
    h264,
    seconds,
)
from media_pipeline.recipes import sound as sound_of

PLAYLIST, MEDIA = "video.m3u8", "video.m4s"
SOUND_PLAYLIST, SOUND_MEDIA = "audio.m3u8", "audio.m4s"
SOUND_SEGMENT_S = 6
# So that a loud moment of a quiet recording does not crack when all of it is made louder.
PEAK_DB = -1.0
COLUMNS, ROWS = 5, 5
# Found with `make bench-pipeline`: beside "medium" at crf 23, less than half of its time for the
# same look and a tenth more bytes. Trellis and a longer look ahead earn what finer motion search
# does not.
CRF = 22.75
# A small one is shown enlarged, its faults too; a better one costs few bytes.
SMALL_LINES, SMALL_CRF = 480, 22.0
FINE = {"profile:v": "high", "x264-params": "trellis=1:subme=1:rc-lookahead=20"}
# The scaler's names of matrices that every player knows -> what they are called in a file.
NAMES = {"bt709": "bt709", "bt601": "smpte170m"}


def renditions(
    source: Part,
    look: Look,
    plans: Sequence[RenditionPlan],
    folder: Path,
    *,
    sound: Path | None,
    table: Path | None = None,
    keys: Sequence[float] = (),
) -> list[str]:
    """HLS renditions (fMP4, one file each, read by byte range) out of one decode.

    `sound` is what `soundtrack` made, `None` for a source without any; `table` is needed for HDR.
    Where one rendition is a copy, the others get their keyframes at its `keys` (seconds), so that
    players can switch between them.
    """
    opened = graph.input(str(source.path))
    heard = graph.input(str(sound)).audio if sound else None
    encoded = [plan for plan in plans if not plan.is_copy]
    # Beside a copy the frames keep the times that they have there.
    is_beside_copy = bool(keys)
    made: dict[RenditionPlan, Any] = {}
    if encoded:
        picture = opened[source.video]
        if not is_beside_copy:
            picture = frames(opened, source, encoded[0].fps)
        made = dict(zip(encoded, pictures(picture, look, encoded, table), strict=True))
    outputs = []
    for plan in plans:
        picture = opened[source.video] if plan.is_copy else made[plan]
        coded = (
            {"c:v": "copy"} if plan.is_copy else encoding(plan, keys, is_beside_copy=is_beside_copy)
        )
        outputs.append(hls(picture, heard, coded, folder / plan.name))
    return arguments(graph.merge_outputs(*outputs))


def pictures(
    picture: Any, look: Look, plans: Sequence[RenditionPlan], table: Path | None
) -> list[Any]:
    """A stream for each plan: the largest is scaled from the source, the others from that."""
    picture = shown(picture, look, plans[0].size, table)
    if len(plans) == 1:
        return [picture]
    split = picture.filter_multi_output("split", len(plans))
    lower = [
        split[at].filter("scale", plan.size.width, plan.size.height).filter("setsar", 1)
        for at, plan in enumerate(plans[1:], start=1)
    ]
    return [split[0], *lower]


def shown(picture: Any, look: Look, size: Size, table: Path | None) -> Any:
    """A picture of any kind in 8 bits and square pixels, of this size, with its colours named.

    HDR and wide colours become BT.709; what is BT.601 stays so, since converting costs exactness.
    """
    matrix = look.matrix if look.matrix in NAMES else "bt709"
    if look.is_interlaced:
        picture = picture.filter("bwdif", mode="send_frame", deint="interlaced")
    if look.hdr:
        picture = picture.filter("scale", size.width, size.height, in_color_matrix=look.matrix)
        picture = picture.filter("format", "gbrp10le").filter("lut3d", file=str(table))
        picture = _named(picture).filter("scale", out_color_matrix=matrix, out_range="tv")
    else:
        to = {"in_color_matrix": look.matrix, "out_color_matrix": matrix, "out_range": "tv"}
        picture = picture.filter("scale", size.width, size.height, **to)
    return _named(picture.filter("format", "yuv420p"), colorspace=NAMES[matrix]).filter("setsar", 1)


def _named(picture: Any, **more: str) -> Any:
    """The picture with its colours called what they are by now."""
    return picture.filter("setparams", color_primaries="bt709", color_trc="bt709", **more)


def encoding(plan: RenditionPlan, keys: Sequence[float], *, is_beside_copy: bool) -> dict[str, Any]:
    """x264 for a rendition: a keyframe each two seconds, or where `keys` (seconds) say."""
    crf = CRF if min(plan.size.width, plan.size.height) > SMALL_LINES else SMALL_CRF
    options = h264(plan.fps, GOP_S, crf=crf) | cap(plan.max_bits_per_second) | FINE
    if not keys:
        return options
    # A little earlier than the frame itself, which rounding must not miss.
    times = ",".join(f"{max(0.0, key - 0.002):.3f}" for key in keys)
    as_copied = {"fps_mode": "passthrough", "enc_time_base": "demux"} if is_beside_copy else {}
    return options | as_copied | {"force_key_frames": times, "g": 100_000}


def hls(picture: Any, heard: Any | None, options: dict[str, Any], folder: Path) -> Any:
    """One rendition as `video.m3u8` and one `video.m4s` in its folder."""
    options = {**options, "map_metadata": -1, **_segments(GOP_S, folder / MEDIA)}
    streams = [picture]
    if heard is not None:
        streams.append(heard)
        options["c:a"] = "copy"
    return graph.output(*streams, str(folder / PLAYLIST), **options)


def _segments(lasting_s: int, media: Path) -> dict[str, Any]:
    return {
        "f": "hls",
        "hls_time": lasting_s,
        "hls_playlist_type": "vod",
        "hls_segment_type": "fmp4",
        "hls_flags": "single_file",
        "hls_segment_filename": str(media),
        # Else each rendition is late by its own frames of reordering, a copied one by others.
        "avoid_negative_ts": "disabled",
    }


def soundtrack(
    source: Part, folder: Path, *, gain_db: float, peak_db: float, is_copy: bool = False
) -> list[str]:
    """The sound alone, for players on the weakest lines and for the renditions to copy.

    `peak_db` is the source's, of full scale, before the gain.
    """
    opened = graph.input(str(source.path))
    options: dict[str, Any] = {"map_metadata": -1}
    options |= _segments(SOUND_SEGMENT_S, folder / SOUND_MEDIA)
    if is_copy:
        heard = opened[source.audio]
        options |= {"c:a": "copy", "t": seconds(end_of(source))}
    else:
        heard = sound_of(opened, source, is_mono=source.is_mono)
        if gain_db:
            heard = heard.filter("volume", f"{gain_db:.2f}dB")
        if gain_db > 0 and peak_db + gain_db > PEAK_DB:
            heard = heard.filter("alimiter", limit=f"{10 ** (PEAK_DB / 20):.4f}", level="false")
        options |= aac(is_mono=source.is_mono)
    return arguments(graph.output(heard, str(folder / SOUND_PLAYLIST), **options))


def small_pictures(media: Path, step_s: float, size: Size, folder: Path) -> list[str]:
    """Sheets of pictures, one in `step_s` seconds, from the keyframes of one of our renditions."""
    pictures = (
        # What it smooths cannot be seen in so small a picture.
        graph.input(str(media), skip_frame="nokey", skip_loop_filter="all")
        .video.filter("fps", fps=f"1/{step_s:g}", start_time=0, round="up")
        .filter("scale", size.width, size.height)
        .filter("tile", f"{COLUMNS}x{ROWS}")
    )
    return arguments(graph.output(pictures, str(folder / "sheet-%03d.jpg"), **{"q:v": 6}))
