from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.clock import iso_ms
from media_pipeline.clock import Drift
from media_pipeline.playlists import (
    Segment,
    TakeSegments,
    Timeline,
    live_playlist,
    parse_segments,
    replay_playlist,
)

NINE = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def take(folder: str, count: int, *, starts_s: float = 0, each_s: float = 1.0) -> TakeSegments:
    segments = tuple(Segment(f"{number:05d}.m4s", each_s) for number in range(count))
    return TakeSegments(folder, NINE + timedelta(seconds=starts_s), segments)


def tags(playlist: str, name: str) -> list[str]:
    return [
        line.partition(":")[2]
        for line in playlist.splitlines()
        if line == f"#{name}" or line.startswith(f"#{name}:")
    ]


def addresses(playlist: str) -> list[str]:
    return [line for line in playlist.splitlines() if not line.startswith("#")]


def numbered(playlist: str) -> dict[str, tuple[int, int]]:
    """Each segment's media sequence and discontinuity sequence, as RFC 8216 counts them."""
    number = int(tags(playlist, "EXT-X-MEDIA-SEQUENCE")[0])
    breaks = int((tags(playlist, "EXT-X-DISCONTINUITY-SEQUENCE") or ["0"])[0])
    found = {}
    for line in playlist.splitlines():
        if line == "#EXT-X-DISCONTINUITY":
            breaks += 1
        elif not line.startswith("#"):
            found[line] = (number, breaks)
            number += 1
    return found


def test_ffmpegs_playlist_is_read() -> None:
    text = (
        '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MAP:URI="init.mp4"\n'
        "#EXTINF:1.000000,\n00000.m4s\n#EXTINF:0.966667,\n00001.m4s\n#EXT-X-ENDLIST\n"
    )
    assert parse_segments(text) == (Segment("00000.m4s", 1.0), Segment("00001.m4s", 0.966667))


def test_what_is_known_better_of_a_take_by_now_is_true_for_all_that_is_listed() -> None:
    timeline = Timeline([take("a", 1), take("b", 3, starts_s=9)])
    timeline.grow(take("b", 4, starts_s=9))
    drift = Drift(((0.0, 0.1), (2.0, 0.3)))
    timeline.grow(replace(take("b", 5, starts_s=9.5), drift=drift))
    seconds = [0, 9.5, 10.6, 11.7, 12.7, 13.7]
    walls = [iso_ms(NINE + timedelta(seconds=second)) for second in seconds]
    assert tags(timeline.live(), "EXT-X-PROGRAM-DATE-TIME") == walls


@pytest.mark.parametrize("torn", ["#EXTINF:1.0,", "#EXTINF:1.0,\n", "#EXTINF:nonsense,\n1.m4s\n"])
def test_a_segment_that_is_only_half_listed_is_left_out(torn: str) -> None:
    assert parse_segments(f"#EXTM3U\n#EXTINF:1.0,\n0.m4s\n{torn}") == (Segment("0.m4s", 1.0),)


def test_the_live_window_slides() -> None:
    playlist = live_playlist([take("a", 25)])
    assert addresses(playlist) == [f"a/{number:05d}.m4s" for number in range(15, 25)]
    assert tags(playlist, "EXT-X-MEDIA-SEQUENCE") == ["15"]
    assert not tags(playlist, "EXT-X-ENDLIST")


def test_each_segment_says_when_it_was_filmed() -> None:
    playlist = live_playlist([take("a", 3, starts_s=2)])
    assert tags(playlist, "EXT-X-PROGRAM-DATE-TIME") == [
        "2026-11-21T09:00:02.000Z",
        "2026-11-21T09:00:03.000Z",
        "2026-11-21T09:00:04.000Z",
    ]


def test_a_new_take_is_a_discontinuity_with_its_own_header() -> None:
    lines = live_playlist([take("a", 2), take("b", 1, starts_s=60)]).splitlines()
    at = lines.index("#EXT-X-DISCONTINUITY")
    assert lines[at + 1 : at + 4] == [
        '#EXT-X-MAP:URI="b/init.mp4"',
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-21T09:01:00.000Z",
        "#EXTINF:1.000000,",
    ]


def test_a_segment_keeps_its_numbers_while_the_window_slides_over_takes() -> None:
    """A player follows a live playlist by these numbers: they must never change."""
    whole = numbered(replay_playlist([take("a", 4), take("b", 12), take("c", 9)], ended=True))
    for shown in range(1, 25):
        sizes = [min(4, shown), min(12, max(0, shown - 4)), max(0, shown - 16)]
        takes = [take(name, size) for name, size in zip("abc", sizes, strict=True)]
        for address, numbers in numbered(live_playlist(takes)).items():
            assert numbers == whole[address]


def test_a_take_without_a_segment_leaves_no_trace() -> None:
    assert live_playlist([take("a", 2), take("b", 0)]) == live_playlist([take("a", 2)])


def test_the_replay_has_everything_and_is_open_until_it_ends() -> None:
    takes = [take("a", 15), take("b", 15)]
    growing, final = replay_playlist(takes, ended=False), replay_playlist(takes, ended=True)
    assert len(addresses(growing)) == 30
    assert tags(growing, "EXT-X-PLAYLIST-TYPE") == ["EVENT"]
    assert not tags(growing, "EXT-X-ENDLIST")
    assert tags(final, "EXT-X-PLAYLIST-TYPE") == ["VOD"]
    assert final.endswith("#EXT-X-ENDLIST\n")


@pytest.mark.parametrize(("each_s", "target"), [(0.4, "1"), (1.033, "1"), (1.5, "2"), (4.2, "4")])
def test_no_segment_rounds_to_more_than_the_target_duration(each_s: float, target: str) -> None:
    assert tags(live_playlist([take("a", 2, each_s=each_s)]), "EXT-X-TARGETDURATION") == [target]


def test_the_target_duration_does_not_fall_when_a_long_segment_leaves_the_window() -> None:
    takes = [take("a", 1, each_s=3), take("b", 20)]
    assert tags(live_playlist(takes), "EXT-X-TARGETDURATION") == ["3"]


def test_a_playlist_of_nothing_is_still_one() -> None:
    assert live_playlist([]).startswith("#EXTM3U\n")
    assert addresses(live_playlist([])) == []
