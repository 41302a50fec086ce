"""Whether rendering works on this machine, and how fast: exits with an error where the pictures are wrong.

python -m longtake_training.data.self_test
"""

import time

import numpy as np

from .gl import configure_gl

# Mean colours of the quarters of frames 0, 50 and 99 of held-out maze 7, rendered with Mesa. Another GL differs by
# rounding and by its texture filter.
_EXPECTED = (
    (((80.4, 82.1, 116.2), (111.2, 54.2, 81.7)), ((39.6, 34.7, 46.0), (103.5, 43.2, 66.8))),
    (((65.3, 91.9, 139.4), (60.6, 86.1, 129.3)), ((43.0, 55.8, 72.8), (40.4, 52.9, 69.8))),
    (((67.9, 100.1, 109.9), (73.3, 107.4, 109.5)), ((44.2, 60.8, 59.8), (52.0, 71.4, 64.2))),
)
_TOLERANCE = 4.0


def main() -> None:
    """Run the command; see the module's description."""
    gl = configure_gl()
    from .produce import record

    start = time.monotonic()
    recording = record(7, walks=1, frames=4)
    ready = time.monotonic() - start
    start = time.monotonic()
    recording = record(7, walks=1, frames=100)
    frames = recording.frames[0]
    elapsed = time.monotonic() - start
    quarters = frames[[0, 50, 99]].astype(np.float64).reshape(3, 2, 32, 2, 32, 3).mean(axis=(2, 4))
    difference = np.abs(quarters - np.array(_EXPECTED)).max()
    if difference > _TOLERANCE:
        raise SystemExit(f"Pictures rendered through {gl} are off by {difference:.1f} of 255.")
    print(
        f"{gl}: first maze after {ready:.1f} s; one maze with 100 frames {elapsed * 1e3:.0f} ms; "
        f"pictures within {difference:.2f} of 255"
    )


if __name__ == "__main__":
    main()
