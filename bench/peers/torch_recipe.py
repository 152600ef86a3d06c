"""Trains the recipe in PyTorch that charnn's plain command is held against. Options and output: recipe.py.

One layer of 512 GRU units, embedding 128, dropout 0.5 of the outputs and 0.1 of the characters'
vectors (one mask for each lane of a window), AdamW at 4e-3 with cosine decay and weight decay 0.05,
clipping at norm 1, averaged weights, which are scored. Five passes over the text.
"""

import copy
import math

import torch
from lanes import mean_loss, training_windows, validation_loss
from recipe import Training, prepare_torch
from torch import nn
from torch.optim import AdamW

RATE, DECAY, CLIP_NORM, AVERAGE_KEPT = 4e-3, 0.05, 1.0, 0.998
# Large enough for PyTorch to use two cores.
LANES, WINDOW = 64, 100
PASSES, EVALUATIONS = 5, 20


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
    options, training_tokens, held_out, vocabulary = prepare_torch(__doc__)
    model = CharRnn(vocabulary)
    average = copy.deepcopy(model).eval()
    optimizer = AdamW(model.parameters(), RATE, (0.9, 0.99), weight_decay=DECAY)
    windows, state = training_windows(training_tokens, LANES, WINDOW), None
    steps = PASSES * len(training_tokens) // (LANES * WINDOW)
    training = Training(options, steps, EVALUATIONS)
    while not training.is_over():
        for group in optimizer.param_groups:
            group["lr"] = RATE * (1 + math.cos(math.pi * training.share)) / 2
        inputs, targets, starts_fresh = next(windows)
        logits, state = model(inputs, None if starts_fresh else state)
        state = state.detach()
        optimizer.zero_grad()
        mean_loss(logits, targets).backward()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
        optimizer.step()
        kept = min(AVERAGE_KEPT, (training.steps + 1) / (training.steps + 10))
        for mean, parameter in zip(average.parameters(), model.parameters()):
            mean.data.lerp_(parameter.data, 1 - kept)
        training.took_step(LANES * WINDOW)
        training.evaluate(lambda: validation_loss(average, held_out))


if __name__ == "__main__":
    main()
