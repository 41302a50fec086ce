"""Walks through a maze plan: no MuJoCo needed.

A walker goes to random reachable cells by the shortest way, with some random actions in between; a random agent
would stare at walls. Steps are Memory Maze's own at 4 Hz: a quarter cell forward, 0.32 rad of turn, both at once
when wanted.
"""

import math
from collections import deque

import numpy as np

FORWARD = 0.25  # cells a step
TURN = 0.32  # radians a step
RADIUS = 0.1  # the walker keeps this far from walls, in cells
RANDOM_ACTIONS = 0.08

# Memory Maze's six actions as (steps forward, turns anticlockwise).
ACTIONS = ((0, 0), (1, 0), (0, 1), (0, -1), (1, 1), (1, -1))


def is_free(layout: np.ndarray, x: float, y: float) -> bool:
    """Whether a walker standing at plan position (x, y) keeps its distance from every wall.

    layout: [rows, columns], 1 = free, indexed [y][x]; everything outside is wall.
    """
    rows, columns = layout.shape
    reach = RADIUS - 1e-9
    for cy in range(math.floor(y - reach), math.floor(y + reach) + 1):
        for cx in range(math.floor(x - reach), math.floor(x + reach) + 1):
            if not (0 <= cx < columns and 0 <= cy < rows) or not layout[cy, cx]:
                return False
    return True


def reachable_cells(layout: np.ndarray, start: tuple[int, int]) -> dict[tuple[int, int], tuple[int, int]]:
    """Every cell (x, y) that can be walked to from `start`, mapped to its neighbour on the shortest way back."""
    parents = {start: start}
    queue = deque([start])
    while queue:
        cell = queue.popleft()
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            x, y = cell[0] + dx, cell[1] + dy
            inside = 0 <= x < layout.shape[1] and 0 <= y < layout.shape[0]
            if inside and layout[y, x] and (x, y) not in parents:
                parents[(x, y)] = cell
                queue.append((x, y))
    return parents


def shortest_path(layout: np.ndarray, start: tuple[int, int], goal: tuple[int, int]) -> list[tuple[int, int]]:
    """Cells from `start` (left out) to `goal` (included). Raises KeyError where the goal can't be reached."""
    parents = reachable_cells(layout, start)
    path = []
    cell = goal
    while cell != start:
        path.append(cell)
        cell = parents[cell]
    return path[::-1]


def step(layout: np.ndarray, walker: np.ndarray, action: int) -> np.ndarray:
    """The walker ([3]: x, y in cells, heading in radians) after one of ACTIONS; it slides along walls."""
    forward, turn = ACTIONS[action]
    x, y, heading = walker
    middle = heading + turn * TURN / 2
    if forward:
        x = _slide(layout, x, y, FORWARD * math.cos(middle), 0)
        y = _slide(layout, x, y, FORWARD * math.sin(middle), 1)
    heading = (heading + turn * TURN + math.pi) % (2 * math.pi) - math.pi
    return np.array([x, y, heading])


def _slide(layout: np.ndarray, x: float, y: float, distance: float, axis: int) -> float:
    """The coordinate after moving along one axis, stopping RADIUS before the next wall."""
    start = (x, y)[axis]
    target = start + distance
    if is_free(layout, target if axis == 0 else x, target if axis == 1 else y):
        return target
    if distance > 0:
        stop = math.floor(target + RADIUS - 1e-9) - RADIUS
        return max(start, stop)
    stop = math.floor(target - RADIUS + 1e-9) + 1 + RADIUS
    return min(start, stop)


class Navigator:
    """Chooses actions that lead along cells: shortest ways to one random goal after the other."""

    def __init__(self, layout: np.ndarray, rng: np.random.Generator, random_actions: float = RANDOM_ACTIONS):
        self._layout = layout
        self._rng = rng
        self._random_actions = random_actions
        self._path: list[tuple[int, int]] = []

    def action(self, walker: np.ndarray) -> int:
        """Index into ACTIONS for a walker ([3]: x, y in cells, heading in radians)."""
        while self._path and self._near(walker, self._path[0]):
            self._path.pop(0)
        cell = (int(walker[0]), int(walker[1]))
        if not self._path or abs(self._path[0][0] - cell[0]) + abs(self._path[0][1] - cell[1]) > 1:
            self._path = self._new_path(cell)
        if self._rng.random() < self._random_actions:
            return int(self._rng.integers(len(ACTIONS)))
        x, y = self._path[0]
        wanted = math.atan2(y + 0.5 - walker[1], x + 0.5 - walker[0])
        error = (wanted - walker[2] + math.pi) % (2 * math.pi) - math.pi
        turn = 0 if abs(error) <= TURN / 2 else int(math.copysign(1, error))
        forward = 1 if abs(error) < math.pi / 4 else 0
        return ACTIONS.index((forward, turn))

    def _near(self, walker: np.ndarray, cell: tuple[int, int]) -> bool:
        return math.hypot(cell[0] + 0.5 - walker[0], cell[1] + 0.5 - walker[1]) < 0.3

    def _new_path(self, cell: tuple[int, int]) -> list[tuple[int, int]]:
        # Keep going to a goal after a random action pushed the walker off the way; choose a new one at its end.
        goals = [goal for goal in reachable_cells(self._layout, cell) if goal != cell]
        goal = self._path[-1] if self._path and self._path[-1] != cell else None
        if goal is None:
            goal = goals[self._rng.integers(len(goals))]
        return shortest_path(self._layout, cell, goal)


def random_walk(
    layout: np.ndarray, frames: int, rng: np.random.Generator, random_actions: float = RANDOM_ACTIONS
) -> np.ndarray:
    """A walk of `frames` walker states, float64 [frames, 3]: x, y in cells, heading in radians.

    layout: [rows, columns], 1 = free; random_actions: their share. Raises ValueError where the plan has no two
    connected free cells.
    """
    cells = [(x, y) for y, x in np.argwhere(layout)]
    cells = [cell for cell in cells if len(reachable_cells(layout, cell)) > 1]
    if not cells:
        raise ValueError("The maze has no two connected free cells to walk between.")
    x, y = cells[rng.integers(len(cells))]
    walker = np.array([x + 0.5, y + 0.5, rng.uniform(-math.pi, math.pi)])
    navigator = Navigator(layout, rng, random_actions)
    walk = [walker]
    while len(walk) < frames:
        walker = step(layout, walker, navigator.action(walker))
        walk.append(walker)
    return np.stack(walk[:frames])
