"""Trains the GRU of TensorFlow's tutorial on text generation, in Keras. Options and output: recipe.py.

Embedding 256, one layer of 1,024 GRU units, Adam at 1e-3; batches of 64 windows of 100 characters, which
begin with a state of zeros and are shuffled in each pass. Twenty passes; the tutorial trains on all of the
text, this on all but the last tenth.

The held-out part is scored in lanes side by side, as charnn scores it, with the state carried along.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np
import tensorflow as tf
from recipe import Training, parse_options, read_text

EMBEDDING, UNITS = 256, 1024
BATCH, WINDOW, PASSES, EVALUATIONS = 64, 100, 20, 20
# Of the held-out part: characters of a lane that are read before it is scored, and read at once.
MOST_LANES, UNSCORED, READ_AT_ONCE = 16, 500, 250


def models_of(vocabulary):
    """The one that is trained, and the same with its state as an input and an output, for scoring."""
    embedding = keras.layers.Embedding(vocabulary, EMBEDDING)
    rnn = keras.layers.GRU(UNITS, return_sequences=True, return_state=True)
    decoder = keras.layers.Dense(vocabulary)
    tokens = keras.Input((None,), dtype="int32")
    state = keras.Input((UNITS,))
    trained = keras.Model(tokens, decoder(rnn(embedding(tokens))[0]))
    outputs, following = rnn(embedding(tokens), initial_state=state)
    return trained, keras.Model([tokens, state], [decoder(outputs), following])


def batches_of(tokens):
    """Inputs and targets, without end."""
    count = (len(tokens) - 1) // WINDOW
    inputs, targets = (
        tokens[first : first + count * WINDOW].reshape(count, WINDOW) for first in (0, 1)
    )
    while True:
        order = np.random.permutation(count)
        for first in range(0, count - BATCH + 1, BATCH):
            chosen = order[first : first + BATCH]
            yield inputs[chosen], targets[chosen]


def held_out_loss(model, tokens):
    """Nats/character; all lanes but the first read some characters before those that they score."""
    scored = len(tokens) - 1
    lanes = min(max(scored // (4 * UNSCORED), 1), MOST_LANES)
    length = -(-(scored + (lanes - 1) * UNSCORED) // lanes)
    places = np.arange(lanes)[:, None] * (length - UNSCORED) + np.arange(length)
    is_scored = places < scored
    is_scored[1:, :UNSCORED] = False
    inputs, targets = (tokens[np.minimum(places + next_, scored)] for next_ in (0, 1))
    run = tf.function(model, reduce_retracing=True)
    state, total = tf.zeros((lanes, UNITS)), 0.0
    for first in range(0, length, READ_AT_ONCE):
        part = np.s_[:, first : first + READ_AT_ONCE]
        logits, state = run([tf.constant(inputs[part]), state])
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets[part], logits)
        total += float(tf.reduce_sum(tf.where(is_scored[part], losses, 0.0)))
    return total / scored


def main():
    options = parse_options(__doc__)
    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    keras.utils.set_random_seed(options.seed)
    training_tokens, held_out, vocabulary = read_text(options)
    training_tokens, held_out = (np.array(it, np.int32) for it in (training_tokens, held_out))
    windows = (len(training_tokens) - 1) // WINDOW
    if windows < BATCH:
        raise SystemExit(f"The text is too short: a batch takes {BATCH * WINDOW} characters.")
    model, scorer = models_of(vocabulary)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=loss)
    training = Training(options, PASSES * (windows // BATCH), EVALUATIONS)
    for inputs, targets in batches_of(training_tokens):
        model.train_on_batch(inputs, targets)
        training.took_step(BATCH * WINDOW)
        training.evaluate(lambda: held_out_loss(scorer, held_out))
        if training.is_over():
            break


if __name__ == "__main__":
    main()
