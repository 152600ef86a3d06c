#!/usr/bin/env bash
# Makes a Python with the libraries that charnn is compared with. Does nothing where it is there.
set -euo pipefail

folder="${CHARNN_PEERS:-$HOME/.cache/charnn-peers}"
python="$folder/bin/python"

has_all() {
  "$python" - matplotlib numpy safetensors tensorboard torch <<'PYTHON' 2>/dev/null
import sys
from importlib.util import find_spec
sys.exit(any(find_spec(name) is None for name in sys.argv[1:]))
PYTHON
}

if ! has_all; then
  "${PYTHON:-python3}" -m venv "$folder"
  "$python" -m pip install --quiet matplotlib numpy safetensors tensorboard torch
  has_all
fi
echo "The peers are in $folder; CHARNN_PYTHON=$python makes the tests use them from any folder."

# tfjs-node with its JavaScript, on the TensorFlow that charnn installs, for the benchmark.
tfjs="$folder/node_modules/@tensorflow/tfjs-node"
tensorflow="${XDG_DATA_HOME:-$HOME/.local/share}/charnn/tensorflow"
if [ -d "$tensorflow" ] && ! [ -e "$tfjs/lib" ]; then
  npm install --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel=error \
    @tensorflow/tfjs-node@4.22.0
  ln -sfn "$tensorflow/lib" "$tensorflow/deps" "$tfjs/"
fi
