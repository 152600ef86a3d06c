import { test } from "node:test";
import { passByStandIn, whyNoStandIn } from "../helpers/cudnn-stand-in.js";
import { onTensorFlow } from "../helpers/tensorflow.js";

await onTensorFlow("cuDNN's operations", (backend) => {
  test("do what the tests of tensorflow ask for", { skip: whyNoStandIn(backend) }, async () => {
    await passByStandIn("tensorflow/tensorflow.test.js", 7);
  });
});
