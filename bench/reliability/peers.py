"""How charnn's, PyTorch Lightning's and Keras's own checkpointing take kills, a full disk and a flipped bit.

    python -m pip install lightning keras h5py torch numpy safetensors
    for peer in charnn lightning keras keras-double; do
      python bench/reliability/peers.py $peer --kills 200 --fills 60 --flips 1000
    done

All train the same small GRU on the same text, on one thread. They save after every step, so that a
good part of the time goes into saves, or with `--every epoch` after each of three epochs. Each uses the
callback that its documentation has for this; `keras-double` is Keras's with `double_checkpoint=True`, which
keeps the backup before the last. One JSON object on standard output has the counts. The full disk needs
`unshare` and a tmpfs; where they are not allowed that part is left out.

- kills: SIGKILL at a random time of the run. The run is then started again until it ends. `resumed`
  counts runs that continued from a checkpoint, `restarted` those that found none, `could not go on` those
  that failed, `identical` those that ended with the weights of an unbroken run. `repeatable` says whether two
  unbroken runs end with the same weights. Neither Lightning nor Keras promises that a resumed run does:
  Lightning does not save the random generators, so dropout draws other masks (`--dropout 0` has none), and
  Keras resumes at the beginning of an epoch, so a save within one counts some steps twice.
- fills: after the first save another process fills the disk, up to what is left: nothing at first, and
  nearly a checkpoint at last. `told` counts runs that failed with an error, `intact` those that left a
  checkpoint that can be read.
- flips: one random bit of a checkpoint is inverted. `refused` counts checkpoints that did not load,
  `same` those that loaded with equal weights, `taken` those that loaded with other weights.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")

import numpy as np
import torch

STEPS_PER_EPOCH = 20
EPOCHS = 3
BATCH, TIME, HIDDEN, VOCABULARY = 16, 32, 256, 64
STEPS = STEPS_PER_EPOCH * EPOCHS

CHARNN = Path(__file__).parent / "../../bin/charnn.js"
TEXT = Path(__file__).parent / "../../data/shakespeare.txt"


def windows():
    """Inputs and targets `[windows, time]`, in the order of the text."""
    text = np.frombuffer(TEXT.read_bytes(), dtype=np.uint8) % VOCABULARY
    count = STEPS_PER_EPOCH * BATCH
    inputs = text[: count * TIME].reshape(count, TIME).astype(np.int64)
    targets = text[1 : count * TIME + 1].reshape(count, TIME).astype(np.int64)
    return inputs, targets


def digest(arrays):
    whole = hashlib.sha256()
    for array in arrays:
        whole.update(np.ascontiguousarray(array).tobytes())
    return whole.hexdigest()


class Charnn:
    """`charnn train --resume`, with `--save-every`."""

    def __init__(self, dropout, every):
        self.dropout = dropout
        self.save_every = 1 if every == "step" else STEPS_PER_EPOCH

    def train(self, folder):
        begins = not self.checkpoint(folder).exists()
        command = ["node", CHARNN, "train", TEXT, "--out", folder, "--name", "run", "--resume", "--quiet"]
        options = {
            "hidden-size": HIDDEN,
            "embedding-size": 32,
            "batch-size": BATCH,
            "seq-length": TIME,
            "dropout": self.dropout,
            "steps": STEPS,
            "eval-every": STEPS_PER_EPOCH,
            "save-every": self.save_every,
            "threads": 1,
        }
        typed = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        subprocess.run([*command, *typed], check=True, capture_output=True)
        return begins, self.load(self.checkpoint(folder))

    def checkpoint(self, folder):
        return Path(folder) / "run" / "last.safetensors"

    def load(self, path):
        from safetensors.numpy import load_file

        subprocess.run(["node", CHARNN, "info", path], check=True, capture_output=True)
        return digest(tensor for _, tensor in sorted(load_file(path).items()))

    def readable(self, folder):
        return any(loads(self, path) for path in Path(folder).glob("run/*.safetensors"))


class Lightning:
    """`Trainer` with `ModelCheckpoint(save_last=True)`, resumed by `ckpt_path="last"`."""

    def __init__(self, dropout, every):
        import logging
        import warnings

        import lightning

        logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
        warnings.filterwarnings("ignore")
        self.lightning = lightning
        self.save_every = 1 if every == "step" else None

        class CharRnn(lightning.LightningModule):
            def __init__(self):
                super().__init__()
                self.encoder = torch.nn.Embedding(VOCABULARY, 32)
                self.rnn = torch.nn.GRU(32, HIDDEN, batch_first=True)
                self.dropout = torch.nn.Dropout(dropout)
                self.decoder = torch.nn.Linear(HIDDEN, VOCABULARY)

            def training_step(self, batch):
                inputs, targets = batch
                outputs, _ = self.rnn(self.encoder(inputs))
                logits = self.decoder(self.dropout(outputs))
                return torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())

            def configure_optimizers(self):
                return torch.optim.Adam(self.parameters(), lr=2e-3)

        self.model_class = CharRnn

    def train(self, folder):
        lightning = self.lightning
        lightning.seed_everything(0, verbose=False)
        model = self.model_class()
        dataset = torch.utils.data.TensorDataset(*(torch.from_numpy(part) for part in windows()))
        loader = torch.utils.data.DataLoader(dataset, batch_size=BATCH, shuffle=False)
        saving = lightning.pytorch.callbacks.ModelCheckpoint(
            dirpath=folder, save_last=True, every_n_train_steps=self.save_every, save_on_train_epoch_end=True
        )
        trainer = lightning.Trainer(
            max_epochs=EPOCHS,
            callbacks=[saving],
            accelerator="cpu",
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        begins = not self.checkpoint(folder).exists()
        trainer.fit(model, loader, ckpt_path=None if begins else "last")
        return begins, digest(p.detach().numpy() for p in model.parameters())

    def checkpoint(self, folder):
        return Path(folder) / "last.ckpt"

    def load(self, path):
        """The weights that a checkpoint holds, by Lightning's own loader."""
        model = self.model_class.load_from_checkpoint(path, weights_only=True)
        return digest(p.detach().numpy() for p in model.parameters())

    def readable(self, folder):
        """Whether any checkpoint of the run can be read."""
        return any(loads(self, path) for path in Path(folder).glob("*.ckpt"))


class Keras:
    """`Model.fit` with `BackupAndRestore`."""

    double = False

    def __init__(self, dropout, every):
        import keras

        self.dropout = dropout
        self.save_every = 1 if every == "step" else "epoch"
        self.keras = keras

    def model(self):
        keras = self.keras
        keras.utils.set_random_seed(0)
        model = keras.Sequential(
            [
                keras.layers.Input((TIME,), dtype="int32"),
                keras.layers.Embedding(VOCABULARY, 32),
                keras.layers.GRU(HIDDEN, return_sequences=True),
                keras.layers.Dropout(self.dropout),
                keras.layers.Dense(VOCABULARY),
            ]
        )
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer=keras.optimizers.Adam(2e-3), loss=loss)
        return model

    def train(self, folder):
        model = self.model()
        inputs, targets = windows()
        begins = not self.checkpoint(folder).exists()
        saving = self.keras.callbacks.BackupAndRestore(
            folder, save_freq=self.save_every, double_checkpoint=self.double, delete_checkpoint=False
        )
        model.fit(
            inputs, targets, batch_size=BATCH, epochs=EPOCHS, shuffle=False, callbacks=[saving], verbose=0
        )
        return begins, digest(model.get_weights())

    def checkpoint(self, folder):
        return Path(folder) / "latest.weights.h5"

    def load(self, path):
        model = self.model()
        model.load_weights(path)
        return digest(model.get_weights())

    def readable(self, folder):
        with tempfile.TemporaryDirectory() as elsewhere:
            for path in Path(folder).glob("*.weights.h5*"):
                # The backup before the last has a suffix that the loader does not know.
                copy = shutil.copy(path, Path(elsewhere) / "copy.weights.h5")
                if loads(self, copy):
                    return True
        return False


class KerasDouble(Keras):
    """The same, with the backup before the last."""

    double = True


PEERS = {"charnn": Charnn, "lightning": Lightning, "keras": Keras, "keras-double": KerasDouble}


def loads(peer, path):
    try:
        peer.load(path)
        return True
    except Exception:
        return False


def in_child(work, kill_after=None):
    """Runs `work` in a child process. Returns its JSON result; None where it failed or was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        # With what it starts it can be killed as one.
        os.setpgid(0, 0)
        code = 1
        try:
            sink = os.open(os.devnull, os.O_WRONLY)
            os.dup2(sink, 1)
            os.dup2(sink, 2)
            os.write(writing, json.dumps(work()).encode())
            code = 0
        except BaseException as error:
            os.write(writing, json.dumps({"error": repr(error)[:300]}).encode())
        finally:
            os._exit(code)
    os.close(writing)
    if kill_after is not None:
        time.sleep(kill_after)
        kill_group(child)
    with os.fdopen(reading) as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    return json.loads(answer) if status == 0 else {"failed": status, "answer": answer}


def kill_group(leader):
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        pass


def kills(peer, count):
    with tempfile.TemporaryDirectory() as folder:
        begin = time.monotonic()
        _, whole = in_child(lambda: peer.train(folder))
        seconds = time.monotonic() - begin
    with tempfile.TemporaryDirectory() as folder:
        repeatable = in_child(lambda: peer.train(folder))[1] == whole
    tally = {"tried": 0, "resumed": 0, "restarted": 0, "could not go on": 0, "identical": 0}
    errors = {}
    dice = random.Random(1)
    while tally["tried"] < count:
        with tempfile.TemporaryDirectory() as folder:
            result = in_child(lambda: peer.train(folder), dice.uniform(0, seconds))
            if not isinstance(result, dict):
                continue  # It had ended before it was killed.
            tally["tried"] += 1
            result = in_child(lambda: peer.train(folder))
            if isinstance(result, dict):
                tally["could not go on"] += 1
                error = json.loads(result["answer"] or "{}").get("error", "crashed")[:120]
                errors[error] = errors.get(error, 0) + 1
                continue
            begins, weights = result
            tally["restarted" if begins else "resumed"] += 1
            tally["identical"] += weights == whole
    return {**tally, "repeatable": repeatable, "seconds of a run": round(seconds, 1), "errors": errors}


def fills(peer, count):
    with tempfile.TemporaryDirectory() as folder:
        in_child(lambda: peer.train(folder))
        size = peer.checkpoint(folder).stat().st_size
    tally = {"tried": 0, "told": 0, "ended as if all was well": 0, "intact": 0}
    for k in range(count):
        left = int(size * k / count)
        script = f"mount -t tmpfs -o size={8 * size} tmpfs $1 && {sys.executable} {__file__} {' '.join(peer.arguments)} --one $1 --left {left}"
        with tempfile.TemporaryDirectory() as folder:
            ended = subprocess.run(
                ["unshare", "-r", "-m", "sh", "-c", script, "sh", folder], capture_output=True, text=True
            )
            if not ended.stdout:
                return {"left out": ended.stderr.strip()[:200]}
            answer = json.loads(ended.stdout.strip().split("\n")[-1])
            tally["tried"] += 1
            tally["told" if answer["failed"] else "ended as if all was well"] += 1
            tally["intact"] += answer["readable"]
    return tally


def one(peer, folder, left):
    """A run whose disk others fill after its first save, but for `left` bytes: how it ends."""
    ballast = os.fork()
    if ballast == 0:
        while not peer.checkpoint(folder).exists():
            time.sleep(0.001)
        with open(Path(folder) / "ballast", "wb", buffering=0) as file:
            while True:
                disk = os.statvfs(folder)
                room = disk.f_bavail * disk.f_frsize - left
                if room > 0:
                    try:
                        file.write(bytes(room))
                    except OSError:
                        pass
    result = in_child(lambda: peer.train(folder))
    os.kill(ballast, signal.SIGKILL)
    os.waitpid(ballast, 0)
    return {"failed": isinstance(result, dict), "readable": peer.readable(folder)}


def flips(peer, count):
    dice = random.Random(2)
    tally = {"tried": 0, "refused": 0, "same": 0, "taken": 0, "crashed": 0}
    with tempfile.TemporaryDirectory() as folder:
        in_child(lambda: peer.train(folder))
        path = peer.checkpoint(folder)
        right = peer.load(path)
        whole = bytearray(path.read_bytes())
        # The suffix is a part of how the loaders know the format.
        damaged = path.with_name(f"damaged-{path.name}")
        for _ in range(count):
            bit = dice.randrange(8 * len(whole))
            whole[bit // 8] ^= 1 << (bit % 8)
            damaged.write_bytes(whole)
            whole[bit // 8] ^= 1 << (bit % 8)

            def look():
                try:
                    return ["same" if peer.load(damaged) == right else "taken"]
                except Exception:
                    return ["refused"]

            result = in_child(look)
            tally["tried"] += 1
            tally["crashed" if isinstance(result, dict) else result[0]] += 1
    return tally


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("peer", choices=list(PEERS))
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--every", choices=["step", "epoch"], default="step", help="when to save")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--fills", type=int, default=0)
    parser.add_argument("--flips", type=int, default=0)
    parser.add_argument("--one", metavar="FOLDER", help=argparse.SUPPRESS)
    parser.add_argument("--left", type=int, default=0, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    peer = PEERS[asked.peer](asked.dropout, asked.every)
    peer.arguments = [asked.peer, "--dropout", str(asked.dropout), "--every", asked.every]
    if asked.one:
        print(json.dumps(one(peer, asked.one, asked.left)))
        return
    found = {"peer": asked.peer, "dropout": asked.dropout, "every": asked.every}
    for name, work in {"kills": kills, "fills": fills, "flips": flips}.items():
        if getattr(asked, name) > 0:
            found[name] = work(peer, getattr(asked, name))
            print(json.dumps({name: found[name]}), file=sys.stderr)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
