/**
 * Trains a character model with tfjs-layers on tfjs-node, and prints how fast.
 *
 *     node tfjs-layers.cjs '{"cell": "gru", "layers": 2, ...}'      prints: N chars/s
 *
 * The keys are those of the cases that call it: cell, layers, hiddenSize, embeddingSize (0: one-hot),
 * batchSize, seqLength and steps. The text is random. One-hot input is an embedding as wide as the
 * vocabulary, since tfjs-layers has nothing that is cheaper. It is started where `NODE_PATH` finds tfjs-node.
 */
const tf = require("@tensorflow/tfjs-node");

const VOCABULARY = 65;
const { cell, layers, hiddenSize, embeddingSize, batchSize, seqLength, steps } = JSON.parse(
  process.argv[2],
);

const model = tf.sequential();
model.add(
  tf.layers.embedding({
    inputDim: VOCABULARY,
    outputDim: embeddingSize || VOCABULARY,
    batchInputShape: [batchSize, seqLength],
  }),
);
for (let layer = 0; layer < layers; layer++) {
  const units = hiddenSize;
  model.add(
    tf.layers[cell]({
      units,
      returnSequences: true,
      stateful: true,
      recurrentActivation: "sigmoid",
      // The default, an orthogonal matrix, takes minutes to make.
      recurrentInitializer: "glorotUniform",
    }),
  );
}
model.add(tf.layers.dense({ units: VOCABULARY }));

const optimizer = tf.train.adam(2e-3);
const randomTokens = () =>
  Int32Array.from({ length: batchSize * seqLength }, () => Math.floor(Math.random() * VOCABULARY));

/** @returns seconds */
function takeStep() {
  const [inputs, targets] = [randomTokens(), randomTokens()];
  const start = performance.now();
  tf.tidy(() => {
    const x = tf.tensor2d(Float32Array.from(inputs), [batchSize, seqLength]);
    const y = tf.oneHot(tf.tensor1d(targets, "int32"), VOCABULARY);
    const loss = optimizer.minimize(() => {
      const logits = model.apply(x, { training: true });
      return tf.losses.softmaxCrossEntropy(y, logits.reshape([-1, VOCABULARY]));
    }, true);
    loss.dataSync();
  });
  return (performance.now() - start) / 1e3;
}

takeStep();
const seconds = Array.from({ length: steps }, takeStep).sort((a, b) => a - b);
const median = seconds[Math.floor(steps / 2)];
console.log(`${((batchSize * seqLength) / median).toFixed(0)} chars/s`);
