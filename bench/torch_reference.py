"""PyTorch doing the work that `longtake bench` measures: one chunk is all denoise passes and the commit, from a state.

    PYTHONPATH=training python3 bench/torch_reference.py models/maze-64 --out figures.json

bfloat16 activations and matrices, float32 scan states. Three ways: eager, eager captured in one CUDA graph a chunk, and
torch.compile captured likewise; each for one rollout and for several at once. As in the WebGPU engine the rotary tables
come from outside and camera features are made once a chunk. The latents come to the processor after every chunk.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import torch
from longtake_training.model import WorldConfig, WorldModel, recurrence
from longtake_training.model.attention import rotary_angles
from longtake_training.model.poses import point_features, ray_features
from longtake_training.package import read_weights
from longtake_training.record import wandering_clip

LEVELS = (1.0, 0.75, 0.5, 0.25, 0.0)
KEPT_FLOAT = ("level.", "modulation", "embed.row", "embed.column", "frequencies")


class ChunkMaker:
    """Makes one chunk of `batch` rollouts at a time; all tensors are allocated once."""

    def __init__(self, model: WorldModel, batch: int, device: torch.device, dtype: torch.dtype):
        self.model, self.batch, self.dtype = model, batch, dtype
        config = model.config
        size = config.frames_per_chunk
        clip = wandering_clip(config, 3 * size)
        latents, rays, known = (
            x[:, : 3 * size].expand(batch, *x.shape[1:]).to(device) for x in (clip.latents, clip.rays, clip.known)
        )
        self.rays, self.known = (x[:, 2 * size :].flatten(0, 1).contiguous() for x in (rays, known))
        angles = rotary_angles(config, clip.times[0, 2 * size :].repeat(batch)).to(device)
        self.cos, self.sin = angles.cos(), angles.sin()
        self.noised = torch.ones(batch * size, config.tokens, dtype=torch.bool, device=device)
        self.clean = torch.zeros_like(self.noised)
        self.levels = [torch.full((batch * size,), level, device=device) for level in LEVELS]
        zeros = torch.zeros(batch, 2 * size, device=device)
        mask = torch.zeros(batch, 2 * size, config.tokens, dtype=torch.bool, device=device)
        times = clip.times[:, : 2 * size].expand(batch, -1).to(device)
        _, self.state = model(
            latents[:, : 2 * size], zeros, mask, rays[:, : 2 * size], known[:, : 2 * size], times, dtype=dtype
        )
        shape = (batch * size, config.tokens, config.latent_channels)
        self.noise = torch.randn(shape, device=device, generator=torch.Generator(device).manual_seed(1))
        self.out = torch.empty_like(self.noise)
        self.step, self.commit = self.plain_step, self.plain_commit

    def features(self):
        """Camera features of the chunk, by key kind."""
        model = self.model
        found = {"none": None, "ray": ray_features(self.rays, self.known, model.ray.frequencies).to(self.dtype)}
        if any(x.key == "point" for x in model.config.layers):
            found["point"] = point_features(self.rays, self.known, model.point.frequencies, model.point.depths).to(
                self.dtype
            )
        return found

    def layers(self, z, level, mask, features):
        """Tokens after all layers and the layers' states."""
        model = self.model
        embedding, clean = model.level(level), model.level(torch.zeros_like(level[:1]))
        x = model.embed(z.to(self.dtype), features["ray"], self.known)
        states = []
        for layer, state in zip(model.layers, self.state.layers, strict=True):
            x, new = layer(
                x, mask, embedding, clean, features[layer.scan.layer.key], self.cos, self.sin, self.batch, state
            )
            states.append(new)
        return x, states, embedding, clean

    def plain_step(self, z, level, following, features):
        """One denoise pass and the sampler step."""
        x, _, embedding, clean = self.layers(z, level, self.noised, features)
        predicted = self.model.final(x, self.noised, embedding, clean)
        return predicted + (following / level)[:, None, None] * (z - predicted)

    def plain_commit(self, z, features):
        """The states after the finished chunk."""
        states = self.layers(z, self.levels[-1], self.clean, features)[1]
        return [(state.scan, state.keys, state.values) for state in states]

    def run(self):
        """One chunk: `noise` becomes `out` and the state moves on."""
        features = self.features()
        z = self.noise
        for level, following in zip(self.levels[:-1], self.levels[1:], strict=True):
            z = self.step(z, level, following, features)
        self.out.copy_(z)
        new = self.commit(z, features)
        for state, (scan, keys, values) in zip(self.state.layers, new, strict=True):
            state.scan.copy_(scan)
            state.keys.copy_(keys)
            state.values.copy_(values)

    def compile(self, backend: str):
        """Compiles a pass and the commit."""
        self.step = torch.compile(self.plain_step, dynamic=False, backend=backend)
        self.commit = torch.compile(self.plain_commit, dynamic=False, backend=backend)


def captured(maker: ChunkMaker):
    """A call that replays one chunk from a CUDA graph."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(3):
            maker.run()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        maker.run()
    return graph.replay


def milliseconds(call, maker: ChunkMaker, repeats: int) -> float:
    """Median wall time of a chunk, its latents on the processor."""
    times = []
    for i in range(repeats + 3):
        start = time.perf_counter()
        call()
        maker.out.cpu()
        if i >= 3:
            times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def load(folder: Path, device: torch.device, dtype: torch.dtype) -> WorldModel:
    """The package's model with its matrices in `dtype`."""
    model = WorldModel(WorldConfig.load(folder / "training.json"))
    model.load_state_dict(read_weights(folder / "weights.safetensors"))
    model = model.eval().requires_grad_(False).to(device)
    for name, parameter in model.named_parameters():
        if parameter.ndim == 2 and not any(part in name for part in KEPT_FLOAT):
            parameter.data = parameter.data.to(dtype)
    return model


def main() -> None:
    """Measures and prints a table; writes JSON with --out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("package", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--batches", default="1,8", help="rollouts at once")
    parser.add_argument("--repeats", type=int, default=50)
    parser.add_argument("--no-compile", action="store_true")
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    gpu = device.type == "cuda"
    rows = []

    def measure(way: str, batch: int, call, maker: ChunkMaker) -> None:
        ms = milliseconds(call, maker, arguments.repeats)
        frames = batch * maker.model.config.frames_per_chunk
        rows.append({"way": way, "rollouts": batch, "msAChunk": ms, "framesASecond": 1000 * frames / ms})
        print(f"{way:34} {batch:3} at once {ms:10.3f} ms/chunk {1000 * frames / ms:10.1f} frames/s", flush=True)

    with torch.no_grad():
        exact = ChunkMaker(load(arguments.package, device, torch.float32), 1, device, torch.float32)
        torch.backends.cuda.matmul.allow_tf32 = False
        exact.run()
        model = load(arguments.package, device, torch.bfloat16)
        for batch in [int(x) for x in arguments.batches.split(",")]:
            maker = ChunkMaker(model, batch, device, torch.bfloat16)
            if batch == 1:
                maker.run()
                error = (maker.out - exact.out).float().square().mean().sqrt().item()
                print(f"bf16 against float32: root mean square difference of a chunk's latents {error:.1e}")
            measure("eager bf16", batch, maker.run, maker)
            if gpu:
                measure("eager bf16, CUDA graph", batch, captured(maker), maker)
        if not arguments.no_compile:
            # The plain loop over pieces, for the compiler to fuse.
            recurrence.use_kernels = False
            for batch in [int(x) for x in arguments.batches.split(",")]:
                maker = ChunkMaker(model, batch, device, torch.bfloat16)
                start = time.perf_counter()
                maker.compile("inductor" if gpu else "aot_eager")
                maker.run()
                print(f"compiled in {time.perf_counter() - start:.0f} s", flush=True)
                way = "torch.compile bf16"
                measure(f"{way}, CUDA graph" if gpu else way, batch, captured(maker) if gpu else maker.run, maker)
    if arguments.out:
        name = torch.cuda.get_device_name() if gpu else "processor"
        temporary = arguments.out.with_suffix(".part")
        temporary.write_text(json.dumps({"device": name, "torch": torch.__version__, "rows": rows}) + "\n")
        temporary.rename(arguments.out)


if __name__ == "__main__":
    main()
