import { memberCount } from "../config/members.js";
import type { Checkpoint } from "./checkpoint.js";
import { memberName, plainName } from "./checkpoint-tensors.js";
import type { NamedTensor } from "./safetensors.js";

/** The models of a checkpoint, each as a checkpoint with one model. */
export function membersOf(checkpoint: Checkpoint): Checkpoint[] {
  const count = memberCount(checkpoint.config);
  if (count === 1) return [checkpoint];
  const training = { ...checkpoint.config.training, members: undefined };
  const config = { ...checkpoint.config, training };
  return Array.from({ length: count }, (_, member) => {
    const tensors = new Map<string, NamedTensor>();
    for (const [name, tensor] of checkpoint.tensors) {
      const plain = plainName(name);
      if (memberName(plain, member) === name) tensors.set(plain, { ...tensor, name: plain });
    }
    return { ...checkpoint, config, tensors };
  });
}
