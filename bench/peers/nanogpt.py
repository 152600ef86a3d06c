"""Trains a small GPT by nanoGPT's recipe for computers without a GPU. Options and output: recipe.py.

What its README recommends for "a macbook (or other cheap computer)": 4 layers of 4 heads, 128 wide, that see
64 characters; batches of 12 windows drawn at random; AdamW at 1e-3 with cosine decay to 1e-4, no dropout;
2,000 steps. The rest are its defaults: no biases, layers normalized before they are used, the characters'
vectors also the weights of the output, weight decay 0.1 of matrices, clipping at norm 1. The model and its
training are written anew here, in float32 and without torch.compile, as the recipe says.

Each window of 64 characters of the held-out part is scored by itself, from its first character, as in
nanoGPT's own estimate, but all of them once.
"""

import math

import torch
from recipe import Training, prepare_torch
from torch import nn
from torch.nn import functional

LAYERS, HEADS, WIDTH, CONTEXT = 4, 4, 128, 64
BATCH, STEPS, EVALUATIONS = 12, 2000, 8
RATE, LEAST_RATE, WARM_UP_STEPS = 1e-3, 1e-4, 100
BETAS, DECAY, CLIP_NORM = (0.9, 0.99), 0.1, 1.0
DEVIATION = 0.02
WINDOWS_AT_ONCE = 64


class Norm(nn.Module):
    """Layer normalization without a bias."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(WIDTH))

    def forward(self, x):
        return functional.layer_norm(x, (WIDTH,), self.gain)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.inputs = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.output = nn.Linear(WIDTH, WIDTH, bias=False)

    def forward(self, x):
        batch, length, _ = x.shape
        # [batch, head, time, width of a head] each
        query, key, value = (
            part.view(batch, length, HEADS, -1).transpose(1, 2) for part in self.inputs(x).chunk(3, -1)
        )
        y = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        return self.output(y.transpose(1, 2).reshape(batch, length, WIDTH))


class Perceptron(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(WIDTH, 4 * WIDTH, bias=False)
        self.output = nn.Linear(4 * WIDTH, WIDTH, bias=False)

    def forward(self, x):
        return self.output(functional.gelu(self.inner(x)))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norms = nn.ModuleList([Norm(), Norm()])
        self.attention, self.perceptron = Attention(), Perceptron()

    def forward(self, x):
        x = x + self.attention(self.norms[0](x))
        return x + self.perceptron(self.norms[1](x))


class Gpt(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.characters = nn.Embedding(vocabulary, WIDTH)
        self.places = nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.Sequential(*(Block() for _ in range(LAYERS)), Norm())
        for name, parameter in self.named_parameters():
            if parameter.dim() > 1:
                # What is added to the sum that runs through all blocks begins smaller.
                scale = 1 / math.sqrt(2 * LAYERS) if name.endswith("output.weight") else 1
                nn.init.normal_(parameter, std=DEVIATION * scale)

    def forward(self, tokens):
        """The logits of the next characters [batch, time, vocabulary]."""
        x = self.characters(tokens) + self.places.weight[: tokens.shape[1]]
        return functional.linear(self.blocks(x), self.characters.weight)


def optimizer_of(model):
    parameters = list(model.parameters())
    groups = [
        {"params": [it for it in parameters if it.dim() > 1], "weight_decay": DECAY},
        {"params": [it for it in parameters if it.dim() == 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, RATE, BETAS)


def rate_at(step, share):
    if step < WARM_UP_STEPS:
        return RATE * (step + 1) / (WARM_UP_STEPS + 1)
    return LEAST_RATE + (RATE - LEAST_RATE) * (1 + math.cos(math.pi * share)) / 2


def loss_of(model, inputs, targets, **options):
    return functional.cross_entropy(model(inputs).flatten(0, 1), targets.flatten(), **options)


def draw_batch(tokens):
    starts = torch.randint(len(tokens) - CONTEXT, (BATCH, 1))
    windows = tokens[starts + torch.arange(CONTEXT + 1)]
    return windows[:, :-1], windows[:, 1:]


@torch.no_grad()
def held_out_loss(model, tokens):
    """Nats/character over all windows; what is left at the end is a shorter one."""
    scored = len(tokens) - 1
    whole = scored // CONTEXT * CONTEXT
    pairs = [
        [part.view(-1, CONTEXT).split(WINDOWS_AT_ONCE) for part in (tokens[:whole], tokens[1 : whole + 1])],
        [[part[None]] for part in (tokens[whole:scored], tokens[whole + 1 :])],
    ]
    losses = [
        loss_of(model, inputs, targets, reduction="sum").item()
        for batches in pairs
        for inputs, targets in zip(*batches)
        if inputs.numel() > 0
    ]
    return sum(losses) / scored


def main():
    options, training_tokens, held_out, vocabulary = prepare_torch(__doc__)
    model = Gpt(vocabulary)
    optimizer = optimizer_of(model)
    training = Training(options, STEPS, EVALUATIONS)
    while not training.is_over():
        for group in optimizer.param_groups:
            group["lr"] = rate_at(training.steps, training.share)
        loss_of(model, *draw_batch(training_tokens)).backward()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
        optimizer.step()
        optimizer.zero_grad()
        training.took_step(BATCH * CONTEXT)
        training.evaluate(lambda: held_out_loss(model, held_out))


if __name__ == "__main__":
    main()
