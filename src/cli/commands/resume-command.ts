import type { TrainSettings } from "../../index.js";
import { quoted } from "../../shell-words.js";

const MOST_FILES = 5;

/** What to type to go on with a run: where its text and its folder are. Its checkpoint has the rest. */
export function resumeCommand(
  name: string,
  { files, validationFile, encoding, out, tensorboard }: TrainSettings,
): string {
  const shown = files.length > MOST_FILES ? [...files.slice(0, MOST_FILES), "..."] : files;
  const words = ["charnn", "train", ...shown];
  const add = (option: string, value: string | undefined) => {
    if (value !== undefined) words.push(option, value);
  };
  add("--validation-file", validationFile);
  add("--encoding", encoding);
  add("--out", out);
  add("--name", name);
  if (tensorboard) words.push("--tensorboard");
  return [...words, "--resume"].map(quoted).join(" ");
}
