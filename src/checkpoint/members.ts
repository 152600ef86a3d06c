import { memberCount } from "../config/members.js";
import type { Checkpoint } from "./checkpoint.js";
import { memberName } from "./checkpoint-tensors.js";
import type { NamedTensor } from "./safetensors.js";

/** The models of a checkpoint, each as a checkpoint with one model. */
export function membersOf(checkpoint: Checkpoint): Checkpoint[] {
  const count = memberCount(checkpoint.config);
  if (count === 1) return [checkpoint];
  const training = { ...checkpoint.config.training, members: undefined };
  const config = { ...checkpoint.config, training };
  return Array.from({ length: count }, (_, member) => {
    const prefix = memberName("", member);
    const tensors = new Map<string, NamedTensor>();
    for (const [name, tensor] of checkpoint.tensors) {
      const plain = plainNameIn(name, prefix);
      if (plain !== undefined) tensors.set(plain, { ...tensor, name: plain });
    }
    return { ...checkpoint, config, tensors };
  });
}

/** @param prefix empty for the first member, whose names begin with no other's */
function plainNameIn(name: string, prefix: string): string | undefined {
  if (prefix === "") return /^member\d+\./.test(name) ? undefined : name;
  return name.startsWith(prefix) ? name.slice(prefix.length) : undefined;
}
