"""The whole network: embedding, layers, output, and the state that a rollout carries."""

import torch
from torch import nn
from torch.nn.functional import gelu
from torch.utils.checkpoint import checkpoint

from .attention import FrameLocalAttention, rotary_angles
from .block_scan import BlockScan
from .causal_attention import CausalAttention
from .config import LayerConfig, WorldConfig
from .levels import LevelEmbedding, cast_linear, matrix, modulate, pick
from .poses import log_spaced_frequencies, point_features, ray_features
from .state import LayerState, WorldState


class Mlp(nn.Module):
    """Two matrices with a tanh-approximated GELU between them."""

    def __init__(self, config: WorldConfig):
        super().__init__()
        self.up = matrix(config.mlp_width, config.width)
        self.up_bias = nn.Parameter(torch.zeros(config.mlp_width))
        self.down = matrix(config.width, config.mlp_width, (2 * len(config.layers)) ** -0.5)
        self.down_bias = nn.Parameter(torch.zeros(config.width))

    def forward(self, a: torch.Tensor) -> torch.Tensor:
        """[..., d] to [..., d]."""
        return cast_linear(gelu(cast_linear(a, self.up, self.up_bias), approximate="tanh"), self.down, self.down_bias)


class Layer(nn.Module):
    """Scan, frame-local attention and MLP, each behind a modulated norm and a gate."""

    def __init__(self, config: WorldConfig, layer: LayerConfig, index: int):
        super().__init__()
        self.config = config
        self.modulation = nn.Parameter(torch.zeros(9 * config.width, config.level_width))
        bias = torch.zeros(3, 3, config.width)
        bias[:, 2] = 1.0
        self.modulation_bias = nn.Parameter(bias.flatten())
        attends = layer.kind == "attention"
        self.scan = CausalAttention(config, layer) if attends else BlockScan(config, layer, index)
        self.attention = FrameLocalAttention(config) if layer.local else None
        self.mlp = Mlp(config)

    def vectors(self, embedding: torch.Tensor) -> torch.Tensor:
        """[M, m] to [M, 9, d]: shift, scale, gate for scan, attention, MLP."""
        return nn.functional.linear(embedding, self.modulation, self.modulation_bias).unflatten(-1, (9, -1))

    def before_scan(self, x, mask, embedding, clean_embedding, features):
        """Training path: modulated norm and first half of the scan."""
        noised, clean = self.vectors(embedding), self.vectors(clean_embedding)[0]
        a = modulate(x, pick(noised[:, 0], clean[0], mask), pick(noised[:, 1], clean[1], mask))
        return self.scan.prepare(a, features)

    def after_scan(self, x, mask, embedding, clean_embedding, prepared, carried):
        """Training path: last half of the scan, gated into the residual."""
        gate = pick(self.vectors(embedding)[:, 2], self.vectors(clean_embedding)[0, 2], mask)
        return (x + gate * self.scan.read(prepared, carried)).to(x.dtype)

    def local(self, x, mask, embedding, clean_embedding, cos, sin, first):
        """Training path: frame-local attention and MLP. first [n_chunks]: true where a clip begins."""
        noised, clean = self.vectors(embedding), self.vectors(clean_embedding)[0]
        mod = [pick(noised[:, i], clean[i], mask) for i in range(3, 9)]
        if self.attention is not None:
            q, k, v = self.attention.project(modulate(x, mod[0], mod[1]), cos, sin)
            first = first[:, None, None]
            k_before, v_before = (torch.where(first, y, y.roll(1, 0)) for y in (k, v))
            x = (x + mod[2] * self.attention.attend(q, k, v, k_before, v_before).view_as(x)).to(x.dtype)
        return (x + mod[5] * self.mlp(modulate(x, mod[3], mod[4]))).to(x.dtype)

    def train_forward(self, x, mask, embedding, clean_embedding, features, cos, sin, first, clips: int):
        """Training path: no state in, none out; M frames of `clips` equal clips."""
        prepared = self.before_scan(x, mask, embedding, clean_embedding, features)
        carried = self.scan.carry(prepared, clips)
        x = self.after_scan(x, mask, embedding, clean_embedding, prepared, carried)
        return self.local(x, mask, embedding, clean_embedding, cos, sin, first)

    def forward(
        self,
        x,
        mask,
        embedding,
        clean_embedding,
        features,
        cos,
        sin,
        clips: int,
        state: LayerState | None,
        trace=None,
    ):
        """Any clip length from any state; returns x and the new state. trace: a dict that receives intermediates."""
        noised, clean = self.vectors(embedding), self.vectors(clean_embedding)[0]
        mod = [pick(noised[:, i], clean[i], mask) for i in range(9)]
        update, scan, inside = self.scan.run(
            modulate(x, mod[0], mod[1]), features, clips, None if state is None else state.scan
        )
        x = (x + mod[2] * update).to(x.dtype)
        after_scan = x
        last_keys = last_values = None
        if self.attention is not None:
            q, k, v = self.attention.project(modulate(x, mod[3], mod[4]), cos, sin)
            k_before, v_before = (
                self._before(y, clips, None if state is None else cached)
                for y, cached in ((k, state and state.keys), (v, state and state.values))
            )
            x = (x + mod[5] * self.attention.attend(q, k, v, k_before, v_before).view_as(x)).to(x.dtype)
            last_keys, last_values = (y.unflatten(0, (clips, -1))[:, -1] for y in (k, v))
            inside.update(keys=k, values=v)
        after_attention = x
        x = (x + mod[8] * self.mlp(modulate(x, mod[6], mod[7]))).to(x.dtype)
        if trace is not None:
            trace.update(inside, after_scan=after_scan, after_attention=after_attention, after_mlp=x)
        return x, LayerState(scan, last_keys, last_values)

    @staticmethod
    def _before(y: torch.Tensor, clips: int, cached: torch.Tensor | None) -> torch.Tensor:
        by_clip = y.unflatten(0, (clips, -1))
        head = by_clip[:, :1] if cached is None else cached[:, None].to(y.dtype)
        return torch.cat([head, by_clip[:, :-1]], 1).flatten(0, 1)


class Embed(nn.Module):
    """Latents, grid position and camera ray to tokens."""

    def __init__(self, config: WorldConfig):
        super().__init__()
        self.in_proj = matrix(config.embed_width, config.latent_channels)
        self.up = matrix(config.width, config.embed_width)
        self.up_bias = nn.Parameter(torch.zeros(config.width))
        self.row = nn.Parameter(torch.randn(config.rows, config.width) * 0.3)
        self.column = nn.Parameter(torch.randn(config.columns, config.width) * 0.3)
        self.ray = matrix(config.width, 2 * config.ray_frequencies, 0.7)
        self.camera_unknown = nn.Parameter(torch.randn(config.width) * 0.3)

    def forward(self, z: torch.Tensor, features: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """z [M, S, c], features [M, S, 2R], known [M] to tokens [M, S, d] in the precision of z."""
        u = cast_linear(cast_linear(z, self.in_proj), self.up, self.up_bias)
        place = (self.row[:, None] + self.column[None]).flatten(0, 1)
        camera = torch.where(
            known[:, None, None], cast_linear(features.to(z.dtype), self.ray).float(), self.camera_unknown
        )
        return (u + place + camera).to(z.dtype)


class Final(nn.Module):
    """Tokens to predicted clean latents."""

    def __init__(self, config: WorldConfig):
        super().__init__()
        self.modulation = nn.Parameter(torch.zeros(2 * config.width, config.level_width))
        self.modulation_bias = nn.Parameter(torch.zeros(2 * config.width))
        self.proj = matrix(config.latent_channels, config.width, 0.1)
        self.proj_bias = nn.Parameter(torch.zeros(config.latent_channels))

    def forward(self, x, mask, embedding, clean_embedding):
        """[M, S, d] to [M, S, c] float32."""
        noised, clean = (
            nn.functional.linear(e, self.modulation, self.modulation_bias).unflatten(-1, (2, -1))
            for e in (embedding, clean_embedding)
        )
        a = modulate(x, pick(noised[:, 0], clean[0, 0], mask), pick(noised[:, 1], clean[0, 1], mask))
        return cast_linear(a, self.proj, self.proj_bias).float()


class Constants(nn.Module):
    """Named tensors that are stored but not trained, unless `learn` is asked to."""

    def __init__(self, **tensors: torch.Tensor):
        super().__init__()
        for name, tensor in tensors.items():
            self.register_buffer(name, tensor)

    def learn(self, name: str) -> None:
        """Makes a tensor a parameter, under the same name."""
        tensor = getattr(self, name)
        delattr(self, name)
        self.register_parameter(name, nn.Parameter(tensor))


class WorldModel(nn.Module):
    """Predicts clean latents of frames whose tokens are partly noised, given everything before them.

    The names of parameters and buffers are the tensor names of the package (docs/model.md, Package).
    """

    def __init__(self, config: WorldConfig, seed: int = 0):
        super().__init__()
        self.config = config
        self.recomputed = 0
        generator = torch.Generator().manual_seed(seed)
        frequencies = log_spaced_frequencies(config.ray_frequencies, 6, config.frequency_octaves, generator)
        weight = torch.tensor([1.0] * 3 + [config.direction_weight] * 3)
        points = log_spaced_frequencies(config.point_frequencies, 3, config.frequency_octaves, generator)
        self.ray = Constants(frequencies=frequencies * weight)
        self.point = Constants(frequencies=points, depths=torch.tensor(config.depths))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed = Embed(config)
            self.level = LevelEmbedding(config.level_width)
            self.layers = nn.ModuleList(Layer(config, x, i) for i, x in enumerate(config.layers))
            self.final = Final(config)

    def _inputs(self, z, level, mask, rays, known, times, dtype):
        """Tokens, masks, modulation inputs, pose features and rotary tables of frames [M, ...]."""
        rays = rays.float()
        features = {"none": None, "ray": ray_features(rays, known, self.ray.frequencies).to(dtype)}
        if any(x.key == "point" for x in self.config.layers):
            features["point"] = point_features(rays, known, self.point.frequencies, self.point.depths).to(dtype)
        angles = rotary_angles(self.config, times)
        embedding = self.level(level)
        clean_embedding = self.level(torch.zeros(1, device=z.device))
        x = self.embed(z.to(dtype), features["ray"], known)
        return x, mask, embedding, clean_embedding, features, angles.cos(), angles.sin()

    def predict(self, z, level, mask, rays, known, times, dtype=torch.bfloat16) -> torch.Tensor:
        """Training path: clean latents [B, T, S, c] predicted for whole clips. T: a multiple of
        160, so that clips divide into whole pieces. Arguments as in `forward`."""
        clips, frames = z.shape[:2]
        flat = [v.flatten(0, 1) for v in (z, level, mask, rays, known, times)]
        x, mask, embedding, clean_embedding, features, cos, sin = self._inputs(*flat, dtype)
        first = torch.zeros(x.shape[0] // self.config.frames_per_chunk, dtype=torch.bool, device=z.device)
        first[:: frames // self.config.frames_per_chunk] = True
        for i, layer in enumerate(self.layers):
            inputs = (x, mask, embedding, clean_embedding, features[layer.scan.layer.key], cos, sin, first, clips)
            if i < self.recomputed and torch.is_grad_enabled():
                x = checkpoint(layer.train_forward, *inputs, use_reentrant=False, preserve_rng_state=False)
            else:
                x = layer.train_forward(*inputs)
        return self.final(x, mask, embedding, clean_embedding).unflatten(0, (clips, frames))

    def forward(
        self,
        z,
        level,
        mask,
        rays,
        known,
        times,
        state: WorldState | None = None,
        dtype=torch.float32,
        trace=None,
    ):
        """Predicts clean latents and gives the state after the frames.

        z [B, T, S, c]: clean latents where mask is false, noised ones at the frame's level where it is true; level
        [B, T] in 0...1; mask [B, T, S] bool; rays [B, T, S, 6]; known [B, T] bool; times [B, T] integer; T a multiple
        of F. trace: a list that receives one dict of intermediates a layer. Returns [B, T, S, c] and a WorldState.
        """
        clips, frames = z.shape[:2]
        if frames % self.config.frames_per_chunk:
            raise ValueError(f"{frames} frames are no whole number of chunks of {self.config.frames_per_chunk}")
        flat = [v.flatten(0, 1) for v in (z, level, mask, rays, known, times)]
        x, mask, embedding, clean_embedding, features, cos, sin = self._inputs(*flat, dtype)
        states = []
        for i, layer in enumerate(self.layers):
            inside = None if trace is None else {}
            x, layer_state = layer(
                x, mask, embedding, clean_embedding, features[layer.scan.layer.key], cos, sin, clips,
                None if state is None else state.layers[i], inside,
            )  # fmt: skip
            states.append(layer_state)
            if trace is not None:
                trace.append(inside)
        committed = (0 if state is None else state.committed) + frames // self.config.frames_per_chunk
        x = self.final(x, mask, embedding, clean_embedding).unflatten(0, (clips, frames))
        return x, WorldState(states, committed)

    def recompute_more(self) -> bool:
        """Lets two more layers compute their intermediates again in the backward pass instead of keeping them: less
        memory, more time. Returns whether there were any left that did not."""
        before = self.recomputed
        self.recomputed = min(len(self.layers), before + 2)
        return self.recomputed > before

    def compile_layers(self) -> None:
        """Compiles the parts of the training path that all layers or all layers of one shape share."""
        torch._dynamo.config.recompile_limit = 64
        torch._dynamo.config.automatic_dynamic_shapes = False
        self._inputs = torch.compile(self._inputs, dynamic=False)
        self.final.compile(dynamic=False)
        for layer in self.layers:
            for name in ("before_scan", "after_scan", "local"):
                setattr(layer, name, torch.compile(getattr(layer, name), dynamic=False))
