"""Tries ideas in PyTorch, to see what they are worth before a kernel is written for any of them.

    python bench/quality/ideas.py [--only REGEX] [--characters 3e6] [--threads 1] [--seed 1]
        [--results ideas.jsonl] TEXT

Each trial trains what `charnn train --preset small` does, but for one thing. A line of JSON tells how
it went: losses in nats per character, and seconds of training. Trials already in the results are
left out.
"""

import argparse
import copy
import json
import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import cross_entropy, layer_norm
from torch.optim import AdamW, NAdam, Optimizer
from torch.optim.lr_scheduler import LambdaLR

LANES, WINDOW = 32, 64
RATE, BETAS = 1e-2, (0.9, 0.99)
# The share of the weights that is taken away at each step, at the full learning rate.
DECAY = 1e-3
WARM_UP_STEPS, EVALUATE_EVERY = 50, 500
CLIP_NORM, AVERAGE_KEPT = 1.0, 0.998


# The text


def training_windows(tokens):
    """Inputs and targets, window after window without end, and whether the state starts at zero.

    As charnn's lanes: contiguous stretches side by side, at another offset in each epoch.
    """
    lane_length = (len(tokens) - WINDOW) // LANES
    while True:
        start = int(torch.randint(WINDOW, ()))
        inputs, targets = (
            tokens[start + ahead :][: LANES * lane_length].view(LANES, lane_length).t()
            for ahead in (0, 1)
        )
        pairs = zip(inputs.split(WINDOW), targets.split(WINDOW))
        for index, (window, following) in enumerate(pairs):
            yield window, following, index == 0


@torch.no_grad()
def validation_loss(model, tokens, unscored=1000):
    """The loss over the whole text, in lanes; each first reads what makes its state fit."""
    lanes = min(max(len(tokens) // 10_000, 1), 64)
    length = math.ceil((len(tokens) - 1 + (lanes - 1) * unscored) / lanes)
    places = torch.arange(length)[:, None] + torch.arange(lanes) * (length - unscored)
    padded = torch.cat([tokens, torch.full((length,), -1)])
    inputs, targets = padded[places].clamp(min=0), padded[places + 1]
    targets[:unscored, 1:] = -1
    total, state = 0.0, None
    for window, following in zip(inputs.split(256), targets.split(256)):
        logits, state = model(window, state)
        total += mean_loss(logits, following, ignore_index=-1, reduction="sum").item()
    return total / (targets >= 0).sum().item()


def mean_loss(logits, targets, **options):
    return cross_entropy(logits.flatten(0, 1), targets.flatten(), **options)


# Models


class LoopGru(nn.Module):
    """PyTorch's GRU of one layer step by step, for what does not fit into `nn.GRU`.

    `normalized`: each gate's products W x and U h are normalized by themselves (Ba, Kiros and
    Hinton, "Layer Normalization", 2016, section 3.1 and supplement). The biases are those of the
    GRU; gains are 1 + `gain`, so that weight decay draws them to 1.

    `rounds`: input and state first scale each other in turn (Melis, Kocisky and Blunsom,
    "Mogrifier LSTM", 2020, equations 1 and 2). The scaled state goes into the gates; what the update
    gate keeps is the unscaled one, as an LSTM's cell state would be.
    """

    def __init__(self, input_size, hidden_size, normalized=False, rounds=0):
        super().__init__()
        self.hidden_size, self.normalized = hidden_size, normalized
        rows = 3 * hidden_size
        self.weight_ih_l0 = nn.Parameter(torch.empty(rows, input_size))
        self.weight_hh_l0 = nn.Parameter(torch.empty(rows, hidden_size))
        self.bias_ih_l0 = nn.Parameter(torch.empty(rows))
        self.bias_hh_l0 = nn.Parameter(torch.empty(rows))
        if normalized:
            self.gain_ih, self.gain_hh = (nn.Parameter(torch.zeros(rows)) for _ in range(2))
        sizes = input_size, hidden_size
        self.scalings = nn.ParameterList(
            torch.empty(sizes if turn % 2 == 0 else sizes[::-1]) for turn in range(rounds)
        )

    def forward(self, inputs, state=None):
        hidden = inputs.new_zeros(inputs.shape[1], self.hidden_size) if state is None else state[0]
        from_input = None if self.scalings else self.of_input(inputs)
        outputs = []
        for place, read in enumerate(inputs):
            scaled_read, scaled = self.scale(read, hidden)
            a = from_input[place] if from_input is not None else self.of_input(scaled_read)
            b = self.of_state(scaled)
            ar, az, an = a.chunk(3, -1)
            br, bz, bn = b.chunk(3, -1)
            candidate = torch.tanh(an + torch.sigmoid(ar + br) * bn)
            hidden = torch.lerp(candidate, hidden, torch.sigmoid(az + bz))
            outputs.append(hidden)
        return torch.stack(outputs), hidden[None]

    def scale(self, read, hidden):
        for turn, weight in enumerate(self.scalings):
            if turn % 2 == 0:
                read = 2 * torch.sigmoid(hidden @ weight.t()) * read
            else:
                hidden = 2 * torch.sigmoid(read @ weight.t()) * hidden
        return read, hidden

    def of_input(self, read):
        product = read @ self.weight_ih_l0.t()
        return (self.normalize(product, self.gain_ih) if self.normalized else product) + (
            self.bias_ih_l0
        )

    def of_state(self, hidden):
        product = hidden @ self.weight_hh_l0.t()
        return (self.normalize(product, self.gain_hh) if self.normalized else product) + (
            self.bias_hh_l0
        )

    def normalize(self, product, gain):
        gates = product.unflatten(-1, (3, self.hidden_size))
        return layer_norm(gates, (self.hidden_size,)).flatten(-2) * (1 + gain)


class CharRnn(nn.Module):
    """Embedding, recurrent layers, decoder. Weights start as those of charnn do.

    `tied`: the decoder's weights are the embeddings (Press and Wolf, "Using the Output Embedding to
    Improve Language Models", 2017), after a projection where sizes differ. They start small enough
    for a decoder, and are scaled up where they are read (Vaswani et al., 2017, section 3.4).
    """

    def __init__(self, vocabulary, cell=nn.GRU, hidden=256, embedding=32, tied=False, **options):
        super().__init__()
        self.encoder = nn.Embedding(vocabulary, embedding)
        self.rnn = cell(embedding, hidden, **options)
        projects = tied and embedding != hidden
        self.projection = nn.Linear(hidden, embedding) if projects else nn.Identity()
        self.decoder = nn.Linear(embedding if tied else hidden, vocabulary)
        self.start(hidden)
        self.scale = 1.0
        if tied:
            self.decoder.weight = self.encoder.weight
            self.scale = math.sqrt(embedding)
            nn.init.normal_(self.encoder.weight, std=1 / self.scale)

    def start(self, hidden):
        """Glorot's uniform and orthogonal matrices for each gate; biases 0, a forget gate's 1."""
        for name, parameter in self.named_parameters():
            if "bias" in name:
                nn.init.zeros_(parameter)
            elif "weight_hh" in name:
                for gate in parameter.data.split(hidden):
                    nn.init.orthogonal_(gate)
            elif "weight_ih" in name:
                for gate in parameter.data.split(hidden):
                    nn.init.xavier_uniform_(gate)
            elif "scalings" in name or name in ("decoder.weight", "projection.weight"):
                nn.init.xavier_uniform_(parameter)
        if isinstance(self.rnn, nn.LSTM):
            self.rnn.bias_ih_l0.data[hidden : 2 * hidden] = 1

    def forward(self, tokens, state=None):
        output, state = self.rnn(self.encoder(tokens) * self.scale, state)
        return self.decoder(self.projection(output)), state


# Optimizers


class Muon(Optimizer):
    """Momentum made orthogonal (Jordan et al., "Muon: An optimizer for hidden layers in neural
    networks", 2024), by five Newton-Schulz iterations, of each of `blocks` blocks of rows by itself.

    Scaled to the size of Adam's steps (Liu et al., "Muon is Scalable for LLM Training", 2025,
    section 2.2), so that rates can be compared.
    """

    def __init__(self, parameters, lr, blocks=1, momentum=0.95):
        super().__init__(parameters, {"lr": lr, "decay": DECAY / lr, "blocks": blocks})
        self.momentum = momentum

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for weight in group["params"]:
                mean = self.state[weight].setdefault("mean", torch.zeros_like(weight))
                mean.lerp_(weight.grad, 1 - self.momentum)
                ahead = torch.lerp(weight.grad, mean, self.momentum)
                update = self.orthogonal(ahead.unflatten(0, (group["blocks"], -1)))
                size = 0.2 * math.sqrt(max(update.shape[1:]))
                weight.mul_(1 - group["lr"] * group["decay"])
                weight.sub_(update.flatten(0, 1), alpha=group["lr"] * size)

    @staticmethod
    def orthogonal(x):
        tall = x.shape[-2] > x.shape[-1]
        x = x.mT if tall else x
        x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
        for _ in range(5):
            square = x @ x.mT
            x = 3.4445 * x + (-4.775 * square + 2.0315 * square @ square) @ x
        return x.mT if tall else x


class Soap(Optimizer):
    """Adam in the eigenbasis of Shampoo's preconditioners (Vyas et al., "SOAP: Improving and
    Stabilizing Shampoo using Adam", 2024, algorithms 3 and 4), for blocks of rows by themselves.
    """

    def __init__(self, groups, lr, betas=(0.95, 0.95), every=10):
        super().__init__(groups, {"lr": lr, "decay": DECAY / lr})
        self.betas, self.every = betas, every

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for weight in group["params"]:
                gradient = weight.grad.unflatten(0, (group["blocks"], -1))
                state = self.state[weight]
                if state:
                    update = self.update(state, gradient).flatten(0, 1)
                    weight.mul_(1 - group["lr"] * group["decay"])
                    weight.sub_(update, alpha=group["lr"])
                else:
                    # The first step only finds the bases.
                    left, right = gradient @ gradient.mT, gradient.mT @ gradient
                    bases = [torch.linalg.eigh(side).eigenvectors for side in (left, right)]
                    zeros = [torch.zeros_like(gradient) for _ in range(2)]
                    state.update(sides=[left, right], bases=bases, moments=zeros, step=0)

    def update(self, state, gradient):
        """The change at a rate of 1; new bases, by a power iteration, every so many steps."""
        state["step"] += 1
        (beta1, beta2), (mean, square) = self.betas, state["moments"]
        left, right = state["bases"]
        mean.lerp_(gradient, 1 - beta1)
        square.lerp_((left.mT @ gradient @ right).square(), 1 - beta2)
        corrected = square / (1 - beta2 ** state["step"])
        turned = (left.mT @ mean @ right) / (1 - beta1 ** state["step"])
        change = left @ (turned / (corrected.sqrt() + 1e-8)) @ right.mT
        for side, product in zip(state["sides"], (gradient @ gradient.mT, gradient.mT @ gradient)):
            side.lerp_(product, 1 - beta2)
        if state["step"] % self.every == 0:
            pairs = zip(state["sides"], state["bases"])
            state["bases"] = [torch.linalg.qr(side @ basis).Q for side, basis in pairs]
        return change


def adamw(model, rate=RATE, betas=BETAS):
    return [AdamW(model.parameters(), rate, betas, weight_decay=DECAY / rate)]


def nadam(model):
    options = {"betas": BETAS, "weight_decay": DECAY / RATE, "decoupled_weight_decay": True}
    return [NAdam(model.parameters(), RATE, **options)]


def adamw_decaying(pattern, model):
    """Weight decay for those parameters only whose names match."""
    groups = [
        {"params": those, "weight_decay": decay}
        for those, decay in zip(divided(model, pattern), (DECAY / RATE, 0))
    ]
    return [AdamW(groups, RATE, BETAS)]


def muon(model, rate, blocks=1):
    """Muon for the recurrent layers' matrices, AdamW for the rest."""
    matrices, rest = divided(model, "rnn.weight")
    return [Muon(matrices, rate, blocks), AdamW(rest, RATE, BETAS, weight_decay=DECAY / RATE)]


def soap(model, rate, blocks=1):
    """SOAP for all matrices, AdamW for the biases."""
    biases, matrices = divided(model, "bias")
    gates, others = [[p for p in matrices if (p.shape[0] == 768) == are] for are in (True, False)]
    groups = [{"params": gates, "blocks": blocks}, {"params": others, "blocks": 1}]
    return [Soap(groups, rate), AdamW(biases, RATE, BETAS, weight_decay=DECAY / RATE)]


def divided(model, pattern):
    """The parameters whose names match, and the others."""
    named = list(model.named_parameters())
    return [[p for name, p in named if bool(re.search(pattern, name)) == are] for are in (1, 0)]


# Trials


def cosine(done):
    return (1 + math.cos(math.pi * done)) / 2


@dataclass
class Trial:
    """What is different: the model's shape, its optimizers, the schedule, the smoothed labels.

    `schedule` is the factor on the learning rate by the share of the run, after its warm-up, that is
    over.
    """

    model: dict = field(default_factory=dict)
    optimizers: Callable[[nn.Module], list[Optimizer]] = adamw
    schedule: Callable[[float], float] = cosine
    warm_up: float | None = None
    smoothing: float = 0.0


def trials():
    yield "baseline", Trial()
    for rate in (1e-2, 5e-3, 2e-2):
        yield f"muon-{rate:g}", Trial(optimizers=partial(muon, rate=rate))
        yield f"muon-gates-{rate:g}", Trial(optimizers=partial(muon, rate=rate, blocks=3))
    for rate in (3e-3, 1e-2, 5e-3):
        yield f"soap-{rate:g}", Trial(optimizers=partial(soap, rate=rate))
        yield f"soap-gates-{rate:g}", Trial(optimizers=partial(soap, rate=rate, blocks=3))
    yield "layer-norm", Trial({"cell": LoopGru, "normalized": True})
    yield "gru-2x154", Trial({"num_layers": 2, "hidden": 154})
    yield "gru-2x256", Trial({"num_layers": 2})
    yield "lstm-1x220", Trial({"cell": nn.LSTM, "hidden": 220})
    for rounds in (4, 5):
        yield f"mogrifier-{rounds}", Trial({"cell": LoopGru, "rounds": rounds})
    for share in (0.02, 0.05, 0.1):
        yield f"smoothing-{share}", Trial(smoothing=share)
    for size in (32, 256):
        yield f"tied-{size}", Trial({"tied": True, "embedding": size})
    for betas in ((0.9, 0.95), (0.9, 0.999), (0.8, 0.99), (0.95, 0.99)):
        yield "betas-{}-{}".format(*betas), Trial(optimizers=partial(adamw, betas=betas))
    yield "nadam", Trial(optimizers=nadam)
    yield "linear-warm-up-0.1", Trial(schedule=lambda done: 1 - done, warm_up=0.1)
    yield "decay-recurrent", Trial(optimizers=partial(adamw_decaying, "weight_hh"))
    yield "decay-matrices", Trial(optimizers=partial(adamw_decaying, "weight"))


def run(trial, tokens, vocabulary, characters, seed):
    """Trains, with the loss of the averaged weights on the last tenth of the text on the way."""
    torch.manual_seed(seed)
    cut = len(tokens) - round(len(tokens) / 10)
    training, validation = tokens[:cut], tokens[cut:]
    model = CharRnn(vocabulary, **trial.model)
    average = copy.deepcopy(model)
    optimizers = trial.optimizers(model)
    steps = math.ceil(characters / (LANES * WINDOW))
    warm_up = WARM_UP_STEPS if trial.warm_up is None else round(trial.warm_up * steps)

    def factor(step):
        if step < warm_up:
            return (step + 1) / (warm_up + 1)
        return trial.schedule(min((step - warm_up) / (steps - warm_up), 1))

    schedules = [LambdaLR(optimizer, factor) for optimizer in optimizers]
    seconds, state, losses, validation_losses = 0.0, None, [], []
    windows = training_windows(training)
    for step in range(1, steps + 1):
        start = time.perf_counter()
        inputs, targets, starts_fresh = next(windows)
        logits, state = model(inputs, None if starts_fresh else state)
        state = tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()
        model.zero_grad()
        mean_loss(logits, targets, label_smoothing=trial.smoothing).backward()
        losses.append(mean_loss(logits.detach(), targets).item())
        nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
        for optimizer, schedule in zip(optimizers, schedules):
            optimizer.step()
            schedule.step()
        kept = min(AVERAGE_KEPT, step / (step + 9))
        for mean, parameter in zip(average.parameters(), model.parameters()):
            mean.data.lerp_(parameter.data, 1 - kept)
        seconds += time.perf_counter() - start
        if step % EVALUATE_EVERY == 0 or step == steps:
            validation_losses.append(validation_loss(average, validation))
            training_loss, losses = sum(losses) / len(losses), []
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "characters": characters,
        "validation": round(validation_losses[-1], 4),
        "best": round(min(validation_losses), 4),
        "training": round(training_loss, 4),
        "seconds": round(seconds, 1),
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("text", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--characters", type=float, default=3e6)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--results", type=Path, default=Path("ideas.jsonl"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    text = options.text.read_text()
    vocabulary = sorted(set(text))
    tokens = torch.tensor([vocabulary.index(character) for character in text])
    options.results.touch()
    done = [json.loads(line) for line in options.results.read_text().splitlines()]
    done = {(line["name"], line["seed"], line["characters"]) for line in done}
    for name, trial in trials():
        key = (name, options.seed, options.characters)
        if not re.search(options.only, name) or key in done:
            continue
        result = run(trial, tokens, len(vocabulary), options.characters, options.seed)
        line = json.dumps({"name": name, "seed": options.seed, **result})
        print(line, flush=True)
        with options.results.open("a") as file:
            print(line, file=file)


main()
