"""Which maze seeds belong to which split.

One seed is one maze (layout, wall textures, target places). The splits are disjoint by construction: a command is
given a split and a number inside it, never a bare seed.
"""

SPLITS = {
    # Mazes that no training run may see: every figure we publish is measured on these.
    "heldout": range(0, 1_000_000),
    "train": range(1_000_000, 1_000_000_000),
}


def maze_seed(split: str, number: int) -> int:
    """Seed of maze `number` (0, 1, 2, …) of `split` ('train' or 'heldout').

    Raises ValueError for an unknown split or a number outside it.
    """
    if split not in SPLITS:
        raise ValueError(f"Unknown split {split!r}: use one of {', '.join(SPLITS)}.")
    seeds = SPLITS[split]
    if not 0 <= number < len(seeds):
        raise ValueError(f"Maze number {number} is outside split {split!r} (0 to {len(seeds) - 1}).")
    return seeds[number]
