"""Writes a text with an exported model; needs `pip install onnxruntime`.

    charnn export night --to onnx
    python write.py night.onnx "i love" 200
"""

import json
import sys

import numpy as np
import onnxruntime


def write(path, prompt, length, temperature=1.0):
    """The prompt and what comes after it; temperature 0 always takes the likeliest character."""
    session = onnxruntime.InferenceSession(path)
    metadata = session.get_modelmeta().custom_metadata_map
    characters, model, text = (json.loads(metadata[key]) for key in ("vocabulary", "model", "text"))
    # A document begins after the token that ends one.
    end = {None: [], "lines": ["\n"]}.get(text.get("documents"), [""])
    tokens = [characters.index(character) for character in [*end, *prompt]]
    zeros = np.zeros((model["layers"], 1, model["hiddenSize"]), np.float32)
    state = {value.name: zeros for value in session.get_inputs()[1:]}
    if "p0" in state:  # Nothing is before the first character.
        state["p0"] = np.zeros((model["ngramOrder"] - 1, 1), np.int64)
    for _ in range(length):
        logits, *after = session.run(None, {"tokens": np.array(tokens, np.int64)[:, None], **state})
        state = dict(zip(state, after))
        scores = [-np.inf if it is None else logits[-1, 0, k] for k, it in enumerate(characters)]
        if temperature > 0:  # Adding this noise draws from the softmax.
            scores = np.array(scores) / temperature + np.random.gumbel(size=len(scores))
        tokens = [int(np.argmax(scores))]
        if characters[tokens[0]] in end:
            break
        prompt += characters[tokens[0]]
    return prompt


if __name__ == "__main__":
    path, prompt, length = sys.argv[1:]
    print(write(path, prompt, int(length)))
