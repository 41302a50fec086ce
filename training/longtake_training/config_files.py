"""Config files: JSON objects, of which one may be another with changes."""

import json
from pathlib import Path


def read_config(path: Path) -> dict:
    """The content of a config file. With `base`, the path of another beside it, it is that one's content, in which the
    fields of `model`, `training` and so on that are named here are replaced."""
    own = json.loads(path.read_text())
    base = own.pop("base", None)
    if base is None:
        return own
    merged = read_config(path.parent / base)
    for name, value in own.items():
        both = isinstance(value, dict) and isinstance(merged.get(name), dict)
        merged[name] = {**merged[name], **value} if both else value
    return merged
