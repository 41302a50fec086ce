import math

import numpy as np
import pytest

from longtake_training.data.walk import (
    ACTIONS,
    FORWARD,
    RADIUS,
    TURN,
    is_free,
    random_walk,
    reachable_cells,
    shortest_path,
    step,
)

PLAN = np.array(
    [
        [1, 1, 1, 0, 1],
        [1, 0, 1, 0, 1],
        [1, 1, 1, 1, 1],
        [0, 0, 1, 0, 0],
        [1, 0, 1, 1, 1],
    ],
    dtype=np.uint8,
)


def test_walks_keep_their_distance_from_walls():
    for seed in range(5):
        walk = random_walk(PLAN, 400, np.random.default_rng(seed))
        assert walk.shape == (400, 3)
        for x, y, _ in walk:
            for dx, dy in ((RADIUS, 0), (-RADIUS, 0), (0, RADIUS), (0, -RADIUS)):
                cx, cy = x + dx * 0.999, y + dy * 0.999
                assert 0 <= cx < 5 and 0 <= cy < 5
                assert PLAN[int(cy), int(cx)] == 1


def test_walks_move_by_native_steps():
    walk = random_walk(PLAN, 1000, np.random.default_rng(3))
    moved = np.hypot(*np.diff(walk[:, :2], axis=0).T)
    turned = (np.diff(walk[:, 2]) + math.pi) % (2 * math.pi) - math.pi
    assert moved.max() <= FORWARD + 1e-9
    assert (moved > FORWARD - 1e-9).mean() > 0.4
    assert (np.isclose(np.abs(turned), TURN) | np.isclose(turned, 0)).all()
    both = (moved > 0.1) & (np.abs(turned) > 0.1)
    assert both.any()


def test_long_walks_visit_every_reachable_cell():
    walk = random_walk(PLAN, 3000, np.random.default_rng(4))
    visited = {(int(x), int(y)) for x, y, _ in walk}
    start = (int(walk[0, 0]), int(walk[0, 1]))
    assert visited == set(reachable_cells(PLAN, start))


def test_same_seed_same_walk():
    first = random_walk(PLAN, 50, np.random.default_rng([9, 0]))
    np.testing.assert_array_equal(first, random_walk(PLAN, 50, np.random.default_rng([9, 0])))
    assert not np.array_equal(first, random_walk(PLAN, 50, np.random.default_rng([9, 1])))


def test_a_shorter_walk_is_the_beginning_of_a_longer_one():
    long = random_walk(PLAN, 80, np.random.default_rng(2))
    np.testing.assert_array_equal(random_walk(PLAN, 30, np.random.default_rng(2)), long[:30])


def test_the_walker_stops_at_a_wall_and_slides_along_it():
    forward = ACTIONS.index((1, 0))
    # Row y=4 has its wall at x=1; heading 0 looks along +x.
    stopped = step(PLAN, np.array([0.8, 4.5, 0.0]), forward)
    np.testing.assert_allclose(stopped, [0.9, 4.5, 0.0])
    slid = step(PLAN, np.array([0.9, 4.5, 0.5]), forward)
    np.testing.assert_allclose(slid, [0.9, 4.5 + FORWARD * math.sin(0.5), 0.5])
    outside = step(PLAN, np.array([0.2, 4.5, math.pi - 1e-9]), forward)
    assert outside[0] == pytest.approx(RADIUS)


def test_shortest_path_has_steps_of_one_cell_and_no_detour():
    path = shortest_path(PLAN, (0, 0), (4, 0))
    assert path[-1] == (4, 0)
    assert len(path) == 8
    cells = [(0, 0), *path]
    assert all(abs(a[0] - b[0]) + abs(a[1] - b[1]) == 1 for a, b in zip(cells, path, strict=False))
    with pytest.raises(KeyError):
        shortest_path(PLAN, (0, 0), (0, 4))


def test_a_plan_without_way_is_refused():
    with pytest.raises(ValueError, match="connected"):
        random_walk(np.eye(3, dtype=np.uint8), 5, np.random.default_rng(0))


def test_free_means_the_whole_walker_fits():
    assert is_free(PLAN, 0.5, 0.5)
    assert not is_free(PLAN, 0.95, 1.5)
    assert not is_free(PLAN, 0.05, 0.5)
