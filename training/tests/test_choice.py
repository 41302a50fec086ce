import json

import pytest

from longtake_training import choice
from longtake_training.pieces import Piece
from longtake_training.suite import Sizes


def figures(retrieval, reasoning, sharpness):
    values = {"retrieval": retrieval, "reasoning": reasoning}
    return {
        task: {"task": task, "name": task, "psnr": 30.0, "ssim": x, "sharpness": sharpness}
        for task, x in values.items()
    }


@pytest.mark.parametrize(
    "mixes, chosen",
    [
        # The sharpest of those that lose at most .002 and .004.
        ({0.0: (0.900, 0.850, 0.9), 0.6: (0.908, 0.860, 0.85), 1.0: (0.910, 0.864, 0.8)}, 0.6),
        # Both bounds count.
        ({0.6: (0.909, 0.859, 0.85), 1.0: (0.910, 0.864, 0.8)}, 1.0),
        ({0.6: (0.907, 0.864, 0.85), 1.0: (0.910, 0.864, 0.8)}, 1.0),
        # The best may be a mix.
        ({0.4: (0.911, 0.866, 0.87), 0.8: (0.912, 0.866, 0.83), 1.0: (0.909, 0.864, 0.9)}, 0.4),
        # None is near the best in both: the one that lacks least.
        ({0.0: (0.910, 0.850, 0.9), 1.0: (0.905, 0.864, 0.8)}, 1.0),
    ],
)
def test_the_sharpest_that_loses_little_is_chosen(mixes, chosen):
    assert choice.choose({share: figures(*x) for share, x in mixes.items()}) == chosen


def evaluating(pieces, until):
    """Piece.run that writes the figures of the first `until` mixes."""

    def run(piece, commands, environments, together):
        pieces.append(commands)
        for i, command in enumerate(commands[:until]):
            out = choice.Path(command[command.index("--out") + 1])
            lines = figures(0.9 + i / 100, 0.8, 0.8).values()
            (out / "figures-0.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines))
        return until == len(commands)

    return run


def test_choosing_goes_on_in_the_next_piece_and_does_not_wait_for_what_breaks(tmp_path, monkeypatch):
    run, folder, pieces, mixed = tmp_path / "run", tmp_path / "mixes", [], []
    run.mkdir()

    def chosen(seconds):
        mixes = choice.Mixes((0.4, 0.6, 1.0), clips=3)
        piece = Piece.of(seconds)
        return choice.chosen_weights(tmp_path / "config.json", run, tmp_path, folder, mixes, Sizes(), piece)

    assert chosen(100) == run / "ema.safetensors"  # no average was kept before the stage
    (run / choice.BEFORE_FEW_STEP).touch()
    monkeypatch.setattr(choice, "mix", lambda a, b, share, out: (mixed.append(share), out.touch()))
    monkeypatch.setattr(Piece, "run", evaluating(pieces, 2))
    assert chosen(0) is None and choice.chosen_share(folder) is None
    assert mixed == [0.4, 0.6, 1.0] and len(pieces[0]) == 3 and '"clips": 3' in " ".join(pieces[0][0])
    assert "chosen" not in choice.table(choice.compared(folder), None)
    assert chosen(100) == folder / "0.6" / "ema.safetensors" and len(mixed) == 3
    assert chosen(100) == folder / "0.6" / "ema.safetensors" and len(pieces) == 2
    assert choice.table(choice.compared(folder), 0.6).count("chosen |") == 1
