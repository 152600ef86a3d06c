"""A text read in lanes, stretches side by side, by a recurrent network in PyTorch, its state carried along."""

import math

import torch
from torch.nn.functional import cross_entropy


def training_windows(tokens, lanes, size):
    """Inputs and targets, window after window without end, and whether the state starts at zero.

    As charnn's lanes: stretches side by side, which begin at another offset in each epoch.
    """
    length = (len(tokens) - size) // lanes
    while True:
        start = int(torch.randint(size, ()))
        inputs, targets = (
            tokens[first : first + lanes * length].view(lanes, length).t().split(size)
            for first in (start, start + 1)
        )
        for index, window in enumerate(inputs):
            yield window, targets[index], index == 0


@torch.no_grad()
def validation_loss(model, tokens, unscored=1000):
    """The loss over the whole text, in lanes; all but the first read before they are scored."""
    lanes = min(max(len(tokens) // 10_000, 1), 64)
    length = math.ceil((len(tokens) - 1 + (lanes - 1) * unscored) / lanes)
    places = torch.arange(length)[:, None] + torch.arange(lanes) * (length - unscored)
    padded = torch.cat([tokens, torch.full((lanes,), -1)])
    inputs, targets = padded[places].clamp(min=0), padded[places + 1]
    targets[:unscored, 1:] = -1
    total, state = 0.0, None
    for window, following in zip(inputs.split(256), targets.split(256)):
        logits, state = model(window, state)
        total += mean_loss(logits, following, ignore_index=-1, reduction="sum").item()
    return total / (len(tokens) - 1)


def mean_loss(logits, targets, **options):
    return cross_entropy(logits.flatten(0, 1), targets.flatten(), **options)
