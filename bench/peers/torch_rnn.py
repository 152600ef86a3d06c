"""Trains a character model in PyTorch, or samples from it, and prints how fast.

    python torch_rnn.py train '{"cell": "gru", "layers": 2, ...}'      prints: N chars/s
    python torch_rnn.py sample '{"cell": "gru", "layers": 2, ...}'

The keys are those of the cases that call it: cell, layers, hiddenSize, embeddingSize (0: one-hot),
batchSize, seqLength, threads, and steps or characters. The text is random: the speed does not depend
on it. A training step is what charnn's is: forward, cross-entropy, backward through the window,
clipping by the global norm, Adam. There is no dropout.
"""

import json
import statistics
import sys
import time

import torch
from torch import nn
from torch.nn import functional

VOCABULARY = 65
WARM_UP = 2
TEMPERATURE = 0.8


class OneHot(nn.Module):
    def forward(self, tokens):
        return functional.one_hot(tokens, VOCABULARY).float()


class CharModel(nn.Module):
    def __init__(self, cell, layers, hiddenSize, embeddingSize=0, **_):
        super().__init__()
        width = embeddingSize or VOCABULARY
        self.encoder = nn.Embedding(VOCABULARY, width) if embeddingSize else OneHot()
        self.rnn = getattr(nn, cell.upper())(width, hiddenSize, layers)
        self.decoder = nn.Linear(hiddenSize, VOCABULARY)

    def forward(self, tokens, state=None):
        outputs, state = self.rnn(self.encoder(tokens), state)
        return self.decoder(outputs), state


def detached(state):
    return tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()


def train(model, seqLength, batchSize, steps, **_):
    """chars/s, by the median step"""
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, fused=True)
    state, seconds = None, []
    for _ in range(WARM_UP + steps):
        window = torch.randint(VOCABULARY, (seqLength + 1, batchSize))
        start = time.perf_counter()
        optimizer.zero_grad()
        logits, state = model(window[:-1], state)
        functional.cross_entropy(logits.flatten(0, 1), window[1:].flatten()).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5)
        optimizer.step()
        state = detached(state)
        seconds.append(time.perf_counter() - start)
    return seqLength * batchSize / statistics.median(seconds[WARM_UP:])


@torch.inference_mode()
def sample(model, characters, **_):
    """chars/s of one text"""
    token, state = torch.zeros(1, 1, dtype=torch.long), None
    for count in (characters // 20, characters):
        start = time.perf_counter()
        for _ in range(count):
            logits, state = model(token, state)
            token = torch.softmax(logits[0] / TEMPERATURE, dim=-1).multinomial(1)
        speed = count / (time.perf_counter() - start)
    return speed


work, settings = sys.argv[1], json.loads(sys.argv[2])
torch.set_num_threads(settings["threads"])
speed = {"train": train, "sample": sample}[work](CharModel(**settings), **settings)
print(f"{speed:.0f} chars/s")
