"""Shapes of a world model. `to_world_spec` gives the `world` object of model.json."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

from ..config_files import read_config

GRAPHS = {
    "denoise": "denoise.onnx",
    "commit": "commit.onnx",
    "int8": {"denoise": "denoise-int8.onnx", "commit": "commit-int8.onnx"},
}


@dataclass(frozen=True)
class LayerConfig:
    """One layer: scan rule, what its keys are made of, block size in tokens (rows, columns).

    For baselines only, no engine runs these: kind `attention` (causal, over whole frames) with `window`, the frames it
    sees, its own chunk included (None: all); `local` false leaves frame-local attention out.
    """

    kind: str
    key: str
    block: tuple[int, int]
    window: int | None = None
    local: bool = True

    def __post_init__(self):
        if self.kind not in ("ssd", "gated-delta", "attention"):
            raise ValueError(f"unknown layer kind {self.kind!r}")
        if self.key not in ("none", "ray", "point"):
            raise ValueError(f"unknown key kind {self.key!r}")
        object.__setattr__(self, "block", tuple(self.block))


@dataclass(frozen=True)
class CodecConfig:
    """Pixels to latents: square patches of `patch` pixels, three channels."""

    kind: str = "patch"
    patch: int = 8


@dataclass(frozen=True)
class WorldConfig:
    """Everything the network's shape depends on. Symbols of docs/model.md in brackets."""

    rows: int  # [h]
    columns: int  # [w]
    width: int  # [d]
    embed_width: int  # [e]
    level_width: int  # [m]
    scan_heads: int  # [H]
    key_length: int  # [N]
    value_length: int  # [P]
    attention_heads: int
    mlp_width: int
    ray_frequencies: int  # [R]
    point_frequencies: int  # [Q]
    depths: tuple[float, ...]  # [D]
    layers: tuple[LayerConfig, ...]
    rope_time: tuple[float, ...]
    rope_row: tuple[float, ...]
    rope_column: tuple[float, ...]
    codec: CodecConfig = field(default_factory=CodecConfig)
    frames_per_chunk: int = 5  # [F]
    vertical_fov: float = 80.0
    frequency_octaves: tuple[float, float] = (-1.5, 2.0)
    direction_weight: float = 2.5
    decay_frames: tuple[float, float] = (30.0, 20000.0)

    def __post_init__(self):
        object.__setattr__(
            self, "layers", tuple(x if isinstance(x, LayerConfig) else LayerConfig(**x) for x in self.layers)
        )
        for name in ("depths", "rope_time", "rope_row", "rope_column", "frequency_octaves", "decay_frames"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if isinstance(self.codec, dict):
            object.__setattr__(self, "codec", CodecConfig(**self.codec))
        pairs = len(self.rope_time) + len(self.rope_row) + len(self.rope_column)
        if self.width % self.attention_heads or 2 * pairs != self.width // self.attention_heads:
            raise ValueError(f"{pairs} rotary pairs do not fill attention heads of {self.width}/{self.attention_heads}")
        for layer in self.layers:
            if self.rows % layer.block[0] or self.columns % layer.block[1]:
                raise ValueError(f"block {layer.block} does not tile the {self.rows} x {self.columns} grid")
            if layer.window is not None and (layer.kind != "attention" or layer.window % self.frames_per_chunk):
                raise ValueError(f"a window of {layer.window} frames needs attention and whole chunks")

    @property
    def runs_in_engine(self) -> bool:
        """Whether every layer is one that the ONNX graphs and the kernels know."""
        return all(x.kind != "attention" and x.local for x in self.layers)

    @property
    def tokens(self) -> int:
        """Tokens a frame [S]."""
        return self.rows * self.columns

    @property
    def latent_channels(self) -> int:
        """Latent channels [c]."""
        return 3 * self.codec.patch**2

    @property
    def attention_head_length(self) -> int:
        """Length of one attention head [d_a]."""
        return self.width // self.attention_heads

    @property
    def frame_size(self) -> tuple[int, int]:
        """Height and width of the picture in pixels."""
        return self.rows * self.codec.patch, self.columns * self.codec.patch

    @staticmethod
    def load(path: str | Path) -> "WorldConfig":
        """Reads the `model` object of a config file (or a file that is that object)."""
        data = read_config(Path(path))
        return WorldConfig(**data.get("model", data))

    def to_dict(self) -> dict:
        """Plain data; `WorldConfig(**x.to_dict())` gives the same config."""
        return asdict(self)

    def to_world_spec(self) -> dict:
        """The `world` object of model.json (src/engine/package/model-json.ts)."""
        return {
            "grid": {"rows": self.rows, "columns": self.columns},
            "latentChannels": self.latent_channels,
            "framesPerChunk": self.frames_per_chunk,
            "width": self.width,
            "embedWidth": self.embed_width,
            "levelWidth": self.level_width,
            "scan": {
                "heads": self.scan_heads,
                "keyLength": self.key_length,
                "valueLength": self.value_length,
            },
            "attention": {
                "heads": self.attention_heads,
                "rope": {
                    "time": list(self.rope_time),
                    "row": list(self.rope_row),
                    "column": list(self.rope_column),
                },
            },
            "mlpWidth": self.mlp_width,
            "rayFrequencies": self.ray_frequencies,
            "pointFrequencies": self.point_frequencies,
            "depths": len(self.depths),
            "layers": [{"kind": x.kind, "key": x.key, "block": list(x.block)} for x in self.layers],
            "weights": "weights.safetensors",
            "graphs": GRAPHS,
        }
