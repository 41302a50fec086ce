"""Checkpoint to world-model package. `python -m longtake_training.export --help`."""

import argparse
import json
from pathlib import Path

import torch

from .config_files import read_config
from .evaluate import load_weights
from .model import WorldConfig, WorldModel
from .onnx_graphs import export_onnx
from .package import package_tensors, write_model_json, write_safetensors
from .sampler import LEVELS

TASKS = ["extend", "backward", "cold-start", "gap", "region"]
SAMPLER = {"defaultSteps": 4, "levels": {str(steps): levels for steps, levels in LEVELS.items()}}


def export_package(model: WorldModel, folder: Path, about: dict, card: str, sampler: dict = SAMPLER) -> None:
    """Writes a whole package folder: weights, graphs, card, model.json.

    about: name, title, licence, rate {num, den}, unit. Raises OSError where the folder cannot be written and
    ValueError for a baseline that no engine runs.
    """
    if not model.config.runs_in_engine:
        raise ValueError(f"{about['name']} is a baseline with layers that no engine runs")
    folder.mkdir(parents=True, exist_ok=True)
    write_safetensors(folder / "weights.safetensors", package_tensors(model.state_dict()))
    (folder / "training.json").write_text(json.dumps({**about, "model": model.config.to_dict()}, indent=2) + "\n")
    (folder / "MODEL_CARD.md").write_text(card)
    write_model_json(folder, model, about, sampler, TASKS)
    export_onnx(folder)
    write_model_json(folder, model, about, sampler, TASKS)


def condition(model: WorldModel, seed: int = 11) -> WorldModel:
    """Random weights under which every part of the network matters: for fixtures and tests, not for use."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith(("modulation", "modulation_bias", "_bias", "_gain")):
                spread = 0.6 / parameter.shape[1] ** 0.5 if parameter.ndim == 2 else 0.2
                parameter.add_(torch.randn(parameter.shape, generator=generator) * spread)
        model.final.proj.mul_(4)
    return model


def main(argv: list[str] | None = None) -> None:
    """Exports a checkpoint, or random weights for a test fixture."""
    parser = argparse.ArgumentParser(description="Write a world-model package from a checkpoint.")
    parser.add_argument("--config", type=Path, required=True, help="config file (JSON)")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--weights", type=Path, help="ema.safetensors of a training run")
    source.add_argument("--random", action="store_true", help="random weights: a test fixture")
    parser.add_argument("--card", type=Path, help="MODEL_CARD.md to put in")
    parser.add_argument("--out", type=Path, required=True, help="package folder")
    arguments = parser.parse_args(argv)
    config = read_config(arguments.config)
    model = WorldModel(WorldConfig.load(arguments.config))
    if arguments.random:
        condition(model)
    else:
        model.load_state_dict(load_weights(arguments.weights))
    card = arguments.card.read_text() if arguments.card else f"# {config['title']}\n"
    about = {
        "name": config["name"],
        "title": config["title"],
        "licence": config.get("licence", "Apache-2.0"),
        "rate": config.get("rate", {"num": 4, "den": 1}),
        "unit": config.get("unit", "one maze cell"),
    }
    export_package(model, arguments.out, about, card)


if __name__ == "__main__":
    main()
