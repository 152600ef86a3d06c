"""Trains the recipe in PyTorch that charnn's plain command is held against, and prints its losses.

    python bench/quality/torch_recipe.py [--epochs 5] [--threads 2] [--seed 1] TEXT

One layer of 512 GRU units, embedding 128, dropout 0.5 of the outputs and 0.1 of the characters'
vectors (one mask for each lane of a window), AdamW at 4e-3 with cosine decay and weight decay 0.05,
clipping at norm 1, averaged weights. Each line of JSON: seconds of training and evaluation so far, and
the validation loss of the averaged weights, nats per character.
"""

import argparse
import copy
import json
import math
import time
from pathlib import Path

import torch
from ideas import mean_loss, training_windows, validation_loss
from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import CosineAnnealingLR

RATE, DECAY, CLIP_NORM, AVERAGE_KEPT = 4e-3, 0.05, 1.0, 0.998
# Large enough for PyTorch to use two cores.
LANES, WINDOW = 64, 100
EVALUATIONS = 20


class CharRnn(nn.Module):
    def __init__(self, vocabulary, hidden=512, embedding=128):
        super().__init__()
        self.encoder = nn.Embedding(vocabulary, embedding)
        self.rnn = nn.GRU(embedding, hidden)
        self.decoder = nn.Linear(hidden, vocabulary)

    def forward(self, tokens, state=None):
        output, state = self.rnn(self.dropped(self.encoder(tokens), 0.1), state)
        return self.decoder(self.dropped(output, 0.5)), state

    def dropped(self, values, rate):
        """The same ones of a lane for a whole window (Gal and Ghahramani, 2016)."""
        if not self.training:
            return values
        return values * torch.bernoulli(torch.full_like(values[0], 1 - rate)) / (1 - rate)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("text", type=Path)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    text = options.text.read_text()
    vocabulary = sorted(set(text))
    tokens = torch.tensor([vocabulary.index(character) for character in text])
    cut = len(tokens) - round(len(tokens) / 10)
    steps = options.epochs * cut // (LANES * WINDOW)

    model = CharRnn(len(vocabulary))
    average = copy.deepcopy(model).eval()
    optimizer = AdamW(model.parameters(), RATE, (0.9, 0.99), weight_decay=DECAY)
    schedule = CosineAnnealingLR(optimizer, steps)
    windows, state, start = training_windows(tokens[:cut], LANES, WINDOW), None, time.perf_counter()
    for step in range(1, steps + 1):
        inputs, targets, starts_fresh = next(windows)
        logits, state = model(inputs, None if starts_fresh else state)
        state = state.detach()
        optimizer.zero_grad()
        mean_loss(logits, targets).backward()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
        optimizer.step()
        schedule.step()
        kept = min(AVERAGE_KEPT, step / (step + 9))
        for mean, parameter in zip(average.parameters(), model.parameters()):
            mean.data.lerp_(parameter.data, 1 - kept)
        if step % math.ceil(steps / EVALUATIONS) == 0 or step == steps:
            loss = validation_loss(average, tokens[cut:])
            seconds = time.perf_counter() - start
            print(json.dumps({"seconds": round(seconds, 1), "loss": round(loss, 4)}), flush=True)


if __name__ == "__main__":
    main()
