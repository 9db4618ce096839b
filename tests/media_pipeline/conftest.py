from __future__ import annotations

from tests.media_pipeline.stores import s3, store

__all__ = ["s3", "store"]
