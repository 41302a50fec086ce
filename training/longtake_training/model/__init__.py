"""The world model in PyTorch, exactly as docs/model.md states it."""

from .config import CodecConfig, LayerConfig, WorldConfig
from .state import LayerState, WorldState
from .world import WorldModel

__all__ = ["CodecConfig", "LayerConfig", "LayerState", "WorldConfig", "WorldModel", "WorldState"]
