"""Tries ideas in PyTorch, to see what they are worth before a kernel is written for any of them.

    python bench/quality/ideas.py [--only REGEX] [--characters 3e6] [--threads 1] [--seed 1]
        [--results ideas.jsonl] TEXT

Each trial trains what `charnn train --preset small` does, but for one thing. A line of JSON tells
how it went: losses in nats per character, seconds of training. What is in the results is left out.
"""

import argparse
import copy
import json
import math
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import layer_norm
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR

sys.path.append(str(Path(__file__).resolve().parent.parent / "peers"))
from lanes import mean_loss, training_windows, validation_loss

LANES, WINDOW, CLIP_NORM, AVERAGE_KEPT = 32, 64, 1.0, 0.998
# The decay is of a step at the full learning rate, whatever that is.
RATE, BETAS, DECAY = 1e-2, (0.9, 0.99), 1e-3
WARM_UP_STEPS, EVALUATE_EVERY = 50, 500


class LoopGru(nn.Module):
    """PyTorch's GRU of one layer step by step, for what does not fit into `nn.GRU`.

    `normalized`: each gate's products W x and U h, each by itself (Ba, Kiros and Hinton, "Layer
    Normalization", 2016, section 3.1 and the supplement). A gain is 1 + what is learned, so that
    weight decay draws it to 1.

    `rounds`: input and state first scale each other in turn (Melis, Kocisky and Blunsom,
    "Mogrifier LSTM", 2020, equations 1 and 2). The scaled state goes into the gates; what the
    update gate keeps is the state before, as an LSTM keeps its cell state.
    """

    def __init__(self, input_size, hidden, normalized=False, rounds=0):
        super().__init__()
        self.weight_ih_l0 = nn.Parameter(torch.empty(3 * hidden, input_size))
        self.weight_hh_l0 = nn.Parameter(torch.empty(3 * hidden, hidden))
        self.bias_ih_l0 = nn.Parameter(torch.empty(3 * hidden))
        self.bias_hh_l0 = nn.Parameter(torch.empty(3 * hidden))
        self.gain_ih, self.gain_hh = (
            nn.Parameter(torch.zeros(3 * hidden)) if normalized else None for _ in range(2)
        )
        shapes = [(input_size, hidden), (hidden, input_size)]
        self.scalings = nn.ParameterList(torch.empty(shapes[turn % 2]) for turn in range(rounds))

    def forward(self, inputs, state=None):
        hidden_size = self.weight_hh_l0.shape[1]
        hidden = inputs.new_zeros(inputs.shape[1], hidden_size) if state is None else state[0]
        outputs = []
        for read in inputs:
            kept = hidden
            for turn, weight in enumerate(self.scalings):
                if turn % 2 == 0:
                    read = 2 * torch.sigmoid(hidden @ weight.t()) * read
                else:
                    hidden = 2 * torch.sigmoid(read @ weight.t()) * hidden
            xr, xz, xn = products(read, self.weight_ih_l0, self.bias_ih_l0, self.gain_ih)
            hr, hz, hn = products(hidden, self.weight_hh_l0, self.bias_hh_l0, self.gain_hh)
            candidate = torch.tanh(xn + torch.sigmoid(xr + hr) * hn)
            hidden = torch.lerp(candidate, kept, torch.sigmoid(xz + hz))
            outputs.append(hidden)
        return torch.stack(outputs), hidden[None]


def products(values, weight, bias, gain):
    """What goes from an input or a state into each of three gates."""
    result = (values @ weight.t()).unflatten(-1, (3, -1))
    if gain is not None:
        result = layer_norm(result, result.shape[-1:]) * (1 + gain).view(3, -1)
    return (result + bias.view(3, -1)).unbind(-2)


class CharRnn(nn.Module):
    """Embedding, recurrent layers, decoder.

    `tied`: the decoder's weights are the embeddings (Press and Wolf, "Using the Output Embedding to
    Improve Language Models", 2017), after a projection where sizes differ. They start small enough
    for a decoder, and are scaled where they are read (Vaswani et al., "Attention Is All You Need",
    2017, section 3.4).
    """

    def __init__(self, vocabulary, cell=nn.GRU, hidden=256, embedding=32, tied=False, **options):
        super().__init__()
        self.encoder = nn.Embedding(vocabulary, embedding)
        self.rnn = cell(embedding, hidden, **options)
        projects = tied and embedding != hidden
        self.projection = nn.Linear(hidden, embedding) if projects else nn.Identity()
        self.decoder = nn.Linear(embedding if tied else hidden, vocabulary)
        self.scale = math.sqrt(embedding) if tied else 1.0
        self.start(hidden)
        if tied:
            self.decoder.weight = self.encoder.weight
            nn.init.normal_(self.encoder.weight, std=1 / self.scale)

    def start(self, hidden):
        """As charnn: Glorot's uniform or orthogonal matrices; biases 0, a forget gate's 1."""
        for name, parameter in self.named_parameters():
            for gate in parameter.data.split(hidden):
                if re.search("bias|gain", name):
                    nn.init.zeros_(gate)
                elif "weight_hh" in name:
                    nn.init.orthogonal_(gate)
                elif "encoder" not in name:
                    nn.init.xavier_uniform_(gate)
        if isinstance(self.rnn, nn.LSTM):
            self.rnn.bias_ih_l0.data[hidden : 2 * hidden] = 1

    def forward(self, tokens, state=None):
        output, state = self.rnn(self.encoder(tokens) * self.scale, state)
        return self.decoder(self.projection(output)), state


class MatrixOptimizer(Optimizer):
    """Changes a matrix as a whole, or each of `blocks` blocks of rows, a gate's, by itself."""

    def __init__(self, weights, rate, blocks):
        super().__init__(weights, {"lr": rate, "weight_decay": DECAY / rate})
        self.blocks = blocks

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for weight in group["params"]:
                gradient = weight.grad.unflatten(0, (self.blocks, -1))
                change = self.change(self.state[weight], gradient).flatten(0, 1)
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.sub_(change, alpha=group["lr"])


class Muon(MatrixOptimizer):
    """Momentum made orthogonal (Jordan et al., "Muon: An optimizer for hidden layers in neural
    networks", 2024), with changes as large as Adam's, so that rates compare (Liu et al., "Muon is
    Scalable for LLM Training", 2025, section 2.2).
    """

    MOMENTUM = 0.95

    def change(self, state, gradient):
        mean = state.setdefault("mean", torch.zeros_like(gradient))
        mean.lerp_(gradient, 1 - self.MOMENTUM)
        direction = orthogonal(torch.lerp(gradient, mean, self.MOMENTUM))
        return 0.2 * math.sqrt(max(gradient.shape[1:])) * direction


def orthogonal(x):
    """The nearest orthogonal matrices, roughly, by five Newton-Schulz iterations."""
    if x.shape[-2] > x.shape[-1]:
        return orthogonal(x.mT).mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(5):
        square = x @ x.mT
        x = 3.4445 * x + (-4.775 * square + 2.0315 * square @ square) @ x
    return x


class Soap(MatrixOptimizer):
    """Adam in the eigenbasis of Shampoo's preconditioners (Vyas et al., "SOAP: Improving and
    Stabilizing Shampoo using Adam", 2024, algorithms 3 and 4).
    """

    BETA1, BETA2, NEW_BASES_EVERY = 0.95, 0.95, 10

    def change(self, state, gradient):
        sides = gradient @ gradient.mT, gradient.mT @ gradient
        if not state:
            # The first step only finds the bases.
            bases = [torch.linalg.eigh(side).eigenvectors for side in sides]
            mean, square = torch.zeros_like(gradient), torch.zeros_like(gradient)
            state.update(sides=sides, bases=bases, mean=mean, square=square, step=0)
            return mean
        state["step"] += 1
        mean, square, (left, right) = state["mean"], state["square"], state["bases"]
        mean.lerp_(gradient, 1 - self.BETA1)
        square.lerp_((left.mT @ gradient @ right).square(), 1 - self.BETA2)
        mean_there = (left.mT @ mean @ right) / (1 - self.BETA1 ** state["step"])
        spread = (square / (1 - self.BETA2 ** state["step"])).sqrt()
        for average, side in zip(state["sides"], sides):
            average.lerp_(side, 1 - self.BETA2)
        if state["step"] % self.NEW_BASES_EVERY == 0:
            turns = map(torch.matmul, state["sides"], state["bases"])
            state["bases"] = [torch.linalg.qr(turned).Q for turned in turns]
        return left @ (mean_there / (spread + 1e-8)) @ right.mT


def adamw(model, betas=BETAS, decaying=""):
    """AdamW that decays those weights whose names match."""
    matching, rest = divided(model, decaying)
    groups = [{"params": matching}, {"params": rest, "weight_decay": 0}]
    return [AdamW(groups, RATE, betas, weight_decay=DECAY / RATE)]


def with_adamw(optimizer, rate, blocks, model):
    """Another optimizer for the matrices of the recurrent layers, AdamW for the rest."""
    matrices, rest = divided(model, "rnn.weight")
    adam = AdamW(rest, RATE, BETAS, weight_decay=DECAY / RATE)
    return [optimizer(matrices, rate, blocks), adam]


def divided(model, pattern):
    """The parameters whose names match, and the others."""
    named = list(model.named_parameters())
    return [[p for name, p in named if bool(re.search(pattern, name)) == are] for are in (1, 0)]


def cosine(done):
    return (1 + math.cos(math.pi * done)) / 2


@dataclass
class Trial:
    """What is different. Where the learning rate rises in the first share `warm_up` of the run, or
    in 50 steps if they are more, `schedule` is the factor on it by the share of the rest.
    """

    model: dict = field(default_factory=dict)
    optimizers: Callable[[nn.Module], list[Optimizer]] = adamw
    schedule: Callable[[float], float] = cosine
    warm_up: float = 0.0
    label_smoothing: float = 0.0


def trials():
    yield "baseline", Trial()
    for optimizer, rate in product((Muon, Soap), (3e-3, 5e-3, 1e-2, 2e-2)):
        for blocks, of_what in (1, ""), (3, "-gates"):
            name = f"{optimizer.__name__.lower()}{of_what}-{rate}"
            yield name, Trial(optimizers=partial(with_adamw, optimizer, rate, blocks))
    yield "layer-norm", Trial({"cell": LoopGru, "normalized": True})
    yield "gru-2x154", Trial({"num_layers": 2, "hidden": 154})
    yield "gru-2x256", Trial({"num_layers": 2})
    yield "lstm-1x220", Trial({"cell": nn.LSTM, "hidden": 220})
    for rounds in (4, 5):
        yield f"mogrifier-{rounds}", Trial({"cell": LoopGru, "rounds": rounds})
    for share in (0.02, 0.05, 0.1):
        yield f"label-smoothing-{share}", Trial(label_smoothing=share)
    for size in (32, 256):
        yield f"tied-{size}", Trial({"tied": True, "embedding": size})
    yield "embedding-256", Trial({"embedding": 256})
    for betas in ((0.9, 0.95), (0.9, 0.999), (0.8, 0.99), (0.95, 0.99)):
        yield "betas-{}-{}".format(*betas), Trial(optimizers=partial(adamw, betas=betas))
    yield "linear", Trial(schedule=lambda done: 1 - done, warm_up=0.1)
    yield "decay-recurrent", Trial(optimizers=partial(adamw, decaying="weight_hh"))
    yield "decay-matrices", Trial(optimizers=partial(adamw, decaying="weight"))


def run(trial, tokens, characters):
    """Trains, and scores the averaged weights on the last tenth of the text on the way."""
    cut = len(tokens) - round(len(tokens) / 10)
    model = CharRnn(int(tokens.max()) + 1, **trial.model)
    # As charnn's: the logarithms of the characters' frequencies.
    counts = torch.bincount(tokens[:cut], minlength=int(tokens.max()) + 1) + 1
    model.decoder.bias.data = (counts / counts.sum()).log()
    average = copy.deepcopy(model)
    optimizers = trial.optimizers(model)
    steps = math.ceil(characters / (LANES * WINDOW))
    warm_up = max(WARM_UP_STEPS, round(trial.warm_up * steps))

    def factor(step):
        if step < warm_up:
            return (step + 1) / (warm_up + 1)
        return trial.schedule((step - warm_up) / (steps - warm_up))

    schedules = [LambdaLR(optimizer, factor) for optimizer in optimizers]
    state, losses, validation_losses, seconds = None, [], [], 0.0
    windows = training_windows(tokens[:cut], LANES, WINDOW)
    for step in range(1, steps + 1):
        start = time.perf_counter()
        inputs, targets, starts_fresh = next(windows)
        logits, state = model(inputs, None if starts_fresh else state)
        state = tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()
        losses.append(mean_loss(logits.detach(), targets).item())
        model.zero_grad()
        mean_loss(logits, targets, label_smoothing=trial.label_smoothing).backward()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
        for optimizer, schedule in zip(optimizers, schedules):
            optimizer.step()
            schedule.step()
        kept = min(AVERAGE_KEPT, step / (step + 9))
        for mean, parameter in zip(average.parameters(), model.parameters()):
            mean.data.lerp_(parameter.data, 1 - kept)
        seconds += time.perf_counter() - start
        if step % EVALUATE_EVERY == 0 or step == steps:
            validation_losses.append(validation_loss(average, tokens[cut:]))
            training_loss, losses = sum(losses) / len(losses), []
    return {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "validation": round(validation_losses[-1], 4),
        "best": round(min(validation_losses), 4),
        "training": round(training_loss, 4),
        "seconds": round(seconds, 1),
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("text", type=Path)
    defaults = {"only": "", "characters": 3e6, "threads": 1, "seed": 1, "results": "ideas.jsonl"}
    for name, default in defaults.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    text = options.text.read_text(encoding="utf-8")
    index_of = {character: index for index, character in enumerate(sorted(set(text)))}
    tokens = torch.tensor([index_of[character] for character in text])
    with open(options.results, "a+", encoding="utf-8") as results:
        results.seek(0)
        done = [json.loads(line) for line in results]
        for name, trial in trials():
            key = {"name": name, "seed": options.seed, "characters": options.characters}
            if not re.search(options.only, name) or any(key.items() <= it.items() for it in done):
                continue
            torch.manual_seed(options.seed)
            line = json.dumps(key | run(trial, tokens, options.characters))
            print(line, flush=True)
            print(line, file=results, flush=True)


if __name__ == "__main__":
    main()
