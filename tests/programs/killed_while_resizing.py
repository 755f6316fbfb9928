"""Makes smaller copies, `PHOTOS CACHE`, and dies at that of wide.png."""

import os
import sys
from pathlib import Path

from kerasdl.data import resize_cache

make = resize_cache._smaller


def smaller(data, path, *rest):
    if path.name == "wide.png":
        os.kill(os.getpid(), 9)
    return make(data, path, *rest)


resize_cache._smaller = smaller
names = ["tall.jpg", "wide.png", "small.jpg"]
resize_cache.resize_photos(
    [Path(sys.argv[1]) / name for name in names], 25, cache_dir=sys.argv[2], workers=1
)
