import { KernelBackend } from "#src/backends/kernels/kernel-backend.js";
import { TensorFlowBackend } from "#src/backends/tensorflow/tensorflow-backend.js";

let count = 0;

/** How many parameter arrays, workspaces and decode sessions were made in this process and not disposed. */
export function undisposed(): number {
  return count;
}

for (const { prototype } of [KernelBackend, TensorFlowBackend]) {
  for (const name of ["parameterArray", "createWorkspace", "openDecodeSession"] as const) {
    const make: (...args: never[]) => { dispose(): void } = prototype[name];
    Object.assign(prototype, {
      [name](this: unknown, ...args: never[]) {
        const made = make.apply(this, args);
        const { dispose } = made;
        let isOpen = true;
        count++;
        made.dispose = () => {
          if (isOpen) count--;
          isOpen = false;
          dispose.call(made);
        };
        return made;
      },
    });
  }
}
