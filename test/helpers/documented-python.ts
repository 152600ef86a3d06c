/** Code in Python that the documentation has. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const PAGES = new URL("../../docs/", import.meta.url);

/** A block of Python on the page: its definitions, and the lines after them that use a file. */
export interface DocumentedCode {
  readonly definitions: string;
  readonly use: string;
}

/**
 * The block in which `mark` is.
 *
 * @param use how the line begins that uses the definitions first
 * @param page its name in docs/
 */
export function documentedCode(
  mark: string,
  use: string,
  page = "checkpoint-format.md",
): DocumentedCode {
  const blocks = [
    ...readFileSync(new URL(page, PAGES), "utf8").matchAll(/^```python\n(.*?)^```$/gms),
  ];
  const found = blocks.map(([, code]) => code).filter((code) => code.includes(mark));
  assert.equal(found.length, 1, mark);
  const at = found[0].indexOf(`\n${use}`);
  assert.ok(at > 0, use);
  return { definitions: found[0].slice(0, at), use: found[0].slice(at) };
}

/** Code of the page that reads another checkpoint than the one it names. */
export function withPath(code: string, path: string): string {
  const own = code.replace(/"checkpoints\/[^"]*"/, () => JSON.stringify(path));
  assert.notEqual(own, code);
  return own;
}

/** Runs a program that gets `input` as JSON and prints JSON at the end. */
export function runPython<Result>(
  python: string,
  program: string,
  input: unknown,
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Result {
  const printed = execFileSync(python, ["-c", program], {
    ...options,
    env: { ...process.env, ...options.env },
    input: JSON.stringify(input),
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  return JSON.parse(printed.trim().split("\n").at(-1) ?? "");
}

/** The documented model in PyTorch. */
export const TORCH_MODEL = documentedCode("class CharRnn", "model, characters = load(");

/** Beside {@link TORCH_MODEL}: the loss of each character of a text but the first, nats. */
export const TORCH_LOSSES = `
@torch.no_grad()
def losses(model, characters, text):
    tokens = torch.tensor([characters.index(character) for character in text])
    logits = model(tokens[:-1, None])[0][:, 0]
    return torch.nn.functional.cross_entropy(logits, tokens[1:], reduction="none").tolist()
`;
