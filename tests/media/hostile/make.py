"""Files that somebody might send to do harm, made byte by byte."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from media_pipeline import ffmpeg

SECONDS = 2


def film(path: Path, *options: str) -> Path:
    """An honest film of two seconds."""
    picture = ["-f", "lavfi", "-i", "testsrc2=size=160x96:rate=10", "-f", "lavfi", "-i", "sine"]
    encoder = ["-t", str(SECONDS), "-pix_fmt", "yuv420p", "-movflags", "+faststart"]
    ffmpeg.run([*picture, *encoder, *options, str(path)], timeout_s=30)
    return path


def lists(port: int) -> dict[str, str]:
    """Texts that make a careless reader open another file, or ask a server on `port`."""
    there = f"http://127.0.0.1:{port}/secret"
    return {
        "hls": f"#EXTM3U\n#EXTINF:1,\n{there}.ts\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        "concat": f"ffconcat version 1.0\nfile '/etc/passwd'\nfile '{there}.mp4'\n",
        "sdp": f"v=0\ns=x\nc=IN IP4 127.0.0.1\nm=video {port} RTP/AVP 96\n",
        "dash": f"<MPD xmlns='urn:mpeg:dash:schema:mpd:2011'><BaseURL>{there}</BaseURL></MPD>",
        "svg": f"<svg xmlns='http://www.w3.org/2000/svg'><image href='{there}.png'/></svg>",
        "ram": f"{there}.mp4\n",
        "xbin": "XBIN" + "\0" * 40,
    }


def element(code: int, body: bytes) -> bytes:
    """An EBML element (RFC 8794) with a size of eight bytes."""
    name = code.to_bytes((code.bit_length() + 7) // 8, "big")
    return name + (len(body) | 1 << 56).to_bytes(8, "big") + body


def number(code: int, value: int) -> bytes:
    return element(code, value.to_bytes(4, "big"))


def matroska(tracks: Iterator[bytes], *clusters: bytes) -> bytes:
    header = element(0x1A45DFA3, element(0x4282, b"matroska"))
    info = element(0x1549A966, number(0x2AD7B1, 1_000_000))
    body = info + element(0x1654AE6B, b"".join(tracks)) + b"".join(clusters)
    return header + element(0x18538067, body)


def track(at: int, size: tuple[int, int] = (160, 96), *, packed: bool = False) -> bytes:
    """A track of raw VP8 that may say that its packets are packed with zlib."""
    width, height = size
    shape = element(0xE0, number(0xB0, width) + number(0xBA, height))
    return _track(at, 1, b"V_VP8", shape, packed=packed)


def _track(at: int, kind: int, codec: bytes, about: bytes = b"", *, packed: bool = False) -> bytes:
    about += number(0xD7, at) + number(0x73C5, at) + number(0x83, kind) + element(0x86, codec)
    if packed:
        how = number(0x5031, 0) + number(0x5033, 0) + element(0x5034, number(0x4254, 0))
        about += element(0x6D80, element(0x6240, how))
    return element(0xAE, about)


def many_streams(count: int) -> bytes:
    return matroska(track(at) for at in range(1, count + 1))


def huge_picture() -> bytes:
    return matroska(iter([track(1, (16384, 8640))]), _cluster(b"\x10\0\0\x9d\x01\x2a" + b"\0" * 99))


def bomb() -> bytes:
    """Each of two packets is 640 MB of nothing, packed into less than one."""
    return matroska(iter([track(1, packed=True)]), *[_cluster(_packed(b"\0"))] * 2)


def with_subtitle_bomb(frames: list[bytes]) -> bytes:
    """A film of these VP8 frames, and beside it a subtitle of 640 MB, packed into less than one."""
    subtitles = _track(2, 17, b"S_TEXT/UTF8", packed=True)
    clusters = [_cluster(frame, at_ms=100 * n) for n, frame in enumerate(frames)]
    clusters.insert(1, _cluster(_packed(b"9"), 2))
    return matroska(iter([track(1), subtitles]), *clusters)


def frames_of(path: Path) -> list[bytes]:
    """The frames of an IVF file: each has a head of twelve bytes that begins with its length."""
    data, at, found = path.read_bytes(), 32, list[bytes]()
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "little")
        found.append(data[at + 12 : at + 12 + size])
        at += 12 + size
    return found


def with_cover(frames: list[bytes], picture: bytes) -> bytes:
    """A film of these VP8 frames with a PNG for its cover."""
    about = element(0x466E, b"cover.png") + element(0x4660, b"image/png") + number(0x46AE, 7)
    cover = element(0x1941A469, element(0x61A7, about + element(0x465C, picture)))
    clusters = [_cluster(frame, at_ms=100 * n) for n, frame in enumerate(frames)]
    return matroska(iter([track(1)]), cover, *clusters)


def png_bomb(side: int = 15_000) -> bytes:
    """A picture of nothing: 225 MB unpacked, a quarter of one as it is. ffmpeg reads no larger."""
    packer = zlib.compressobj(9)
    row = b"\0" * (side + 1)
    packed = b"".join(packer.compress(row) for _row in range(side)) + packer.flush()
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", packed), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts
    )


def _packed(what: bytes) -> bytes:
    packer = zlib.compressobj(9)
    parts = (packer.compress(what * 2**24) for _part in range(40))
    return b"".join(parts) + packer.flush()


def _cluster(packet: bytes, track: int = 1, *, at_ms: int = 0) -> bytes:
    block = bytes([0x80 | track]) + struct.pack(">hB", 0, 0x80) + packet
    return element(0x1F43B675, number(0xE7, at_ms) + element(0xA3, block))


def long_lie(honest: bytes) -> bytes:
    """The same film, whose header says that it lasts for weeks."""
    at = honest.index(b"mvhd") + 4
    return honest[: at + 16] + struct.pack(">I", 0x7FFFFFFF) + honest[at + 20 :]


def mutated(honest: bytes, seed: int) -> bytes:
    """Some bytes changed, a piece taken out, or a piece there twice."""
    chance = random.Random(seed)
    data = bytearray(honest)
    for _change in range(chance.choice([1, 3, 10, 60])):
        at = chance.randrange(len(data))
        match chance.randrange(4):
            case 0 | 1:
                data[at] = chance.choice([0, 0xFF, chance.randrange(256)])
            case 2:
                del data[at : at + chance.randrange(1, 200)]
            case _:
                data[at:at] = data[at : at + chance.randrange(1, 200)]
    return bytes(data)
