"""Writes a package's graphs again, and model.json: python -m longtake_training.onnx_graphs PACKAGE_DIR"""

import json
import sys
from pathlib import Path

from ..model.config import GRAPHS
from ..package import file_entries, replace_model_json
from .write import export_onnx

folder = Path(sys.argv[1])
content = json.loads((folder / "model.json").read_text())
content["world"]["graphs"] = GRAPHS
replace_model_json(folder, content)
for path in export_onnx(folder):
    print(f"{path} {path.stat().st_size} bytes")
replace_model_json(folder, {**content, "files": file_entries(folder)})
