"""What the recipes beside this file share: options, the text and its split, and the lines they print.

    python RECIPE.py TEXT [--steps N | --time SECONDS] [--validation 0.1] [--threads 2] [--seed 1]

Each line of JSON says how a training goes, the last one how it went: steps taken; seconds of training and
evaluation so far, without loading; characters learned from in a second, by the median step; and the loss on
the held-out end of the text, nats per character.
"""

import argparse
import json
import statistics
import time
from pathlib import Path


def parse_options(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("text", type=Path)
    limit = parser.add_mutually_exclusive_group()
    limit.add_argument("--steps", type=int, help="in place of the recipe's own number")
    limit.add_argument("--time", type=float, metavar="SECONDS", help="in place of a number of steps")
    parser.add_argument("--validation", type=float, default=0.1, help="this fraction of the text is held out")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def read_text(options):
    """The numbers of the characters: of what is trained on, and of the end that is held out; and how many there are."""
    text = options.text.read_text(encoding="utf-8")
    index_of = {character: index for index, character in enumerate(sorted(set(text)))}
    tokens = [index_of[character] for character in text]
    cut = len(tokens) - round(len(tokens) * options.validation)
    return tokens[:cut], tokens[cut:], len(index_of)


def prepare_torch(description):
    """For recipes in PyTorch: the options, and what `read_text` gives, with the tokens as tensors."""
    import torch  # The recipe in Keras does without it.

    options = parse_options(description)
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    training_tokens, held_out, vocabulary = read_text(options)
    return options, torch.tensor(training_tokens), torch.tensor(held_out), vocabulary


class Training:
    """Measures a training, says when to evaluate it, and when its steps or its time are over."""

    def __init__(self, options, steps, evaluations):
        """`steps`: those of the recipe, where no other limit is given."""
        self.limit = None if options.time else options.steps or steps
        self.time = options.time
        self.evaluations = evaluations
        self.evaluated = 0
        self.steps = 0
        self.step_seconds = []
        self.start = self.mark = time.perf_counter()

    @property
    def share(self):
        """How much of it is done, from 0 to 1."""
        if self.limit:
            return min(self.steps / self.limit, 1)
        return min((time.perf_counter() - self.start) / self.time, 1)

    def is_over(self):
        return self.share >= 1

    def took_step(self, characters):
        now = time.perf_counter()
        self.step_seconds.append(now - self.mark)
        self.mark = now
        self.steps += 1
        self.characters = characters

    def evaluate(self, loss):
        """Prints the loss that a function gives, where it is time for that."""
        if self.share * self.evaluations < self.evaluated + 1:
            return
        self.evaluated = int(self.share * self.evaluations)
        line = {"steps": self.steps, "loss": round(loss(), 4)}
        line["seconds"] = round(time.perf_counter() - self.start, 1)
        line["charsPerSecond"] = round(self.characters / statistics.median(self.step_seconds))
        print(json.dumps(line), flush=True)
        self.mark = time.perf_counter()
