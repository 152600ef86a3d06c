/** Models that PyTorch has made and saved, imported: they predict and write what they do in PyTorch. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { pythonWith } from "#bench/peers/find.js";
import { CELL_NAMES } from "#src/config/cells.js";
import { importRun } from "#src/index.js";
import {
  documentedCode,
  runPython,
  TORCH_LOSSES,
  TORCH_MODEL,
} from "../helpers/documented-python.js";
import { temporaryFolder } from "../helpers/folder.js";
import { assertClose } from "../helpers/numbers.js";
import { greedyText, lossesOf } from "../helpers/scored-text.js";
import { slow } from "../helpers/slow.js";

const CHARACTERS = [..." abcdefghij\nkélm"];
const TEXT = "a bad bead\nfaced a cabbage é hid\n milk jam";
const PROMPT = "bad ";
const LENGTH = 60;
const HIDDEN = 16;
const SAVING = documentedCode("save_file(", "weights = torch.load(");

const MAKE_MODELS = `${TORCH_MODEL.definitions}${TORCH_LOSSES}
${SAVING.definitions}
import sys

answers = []
for number, job in enumerate(json.load(sys.stdin)):
    torch.manual_seed(number)
    characters = job["characters"]
    model = CharRnn(job["cell"], job["layers"], ${HIDDEN}, job["embedding"], len(characters)).eval()
    if job["isTied"]:
        model.decoder.weight = model.encoder.weight
    with torch.no_grad():
        for parameter in model.parameters():
            parameter *= 3
    model = model.to(getattr(torch, job["type"]))
    torch.save(model.state_dict(), "model.pt")
${SAVING.use
  .trim()
  .replaceAll(/^(?=.)/gm, "    ")
  .replace('"weights.safetensors"', 'job["path"]')}
    model = model.float()
    text = write(model, characters, ${JSON.stringify(PROMPT)}, ${LENGTH}, temperature=0)
    answers.append({"losses": losses(model, characters, ${JSON.stringify(TEXT)}), "text": text})
print(json.dumps(answers))
`;

slow("Imported models of PyTorch lose and write what they do in PyTorch", async (t) => {
  const python = pythonWith("torch", "safetensors");
  if (python === undefined) return t.skip("no Python with PyTorch; `npm run peers` gets it");
  const cwd = await temporaryFolder(t);
  const jobs = CELL_NAMES.flatMap((cell) =>
    [1, 2].flatMap((layers) =>
      [0, 6, HIDDEN].map((embedding) => {
        const name = `${cell}-${layers}-${embedding}`;
        // In one order and the other, and in each precision.
        const isSorted = embedding === 0;
        const characters = isSorted ? CHARACTERS.toSorted() : CHARACTERS;
        const type =
          layers === 2 ? "float32" : { gru: "float16", lstm: "bfloat16", rnn: "float64" }[cell];
        return {
          name,
          cell,
          layers,
          embedding,
          // One matrix for both the embedding and the decoder.
          isTied: embedding === HIDDEN,
          characters,
          type,
          path: path.join(cwd, `${name}.safetensors`),
        };
      }),
    ),
  );
  const answers = runPython<{ losses: number[]; text: string }[]>(python, MAKE_MODELS, jobs, {
    cwd,
  });
  assert.equal(answers.length, jobs.length);
  const texts = new Set<string>();
  for (const [index, { name, characters, path: weights }] of jobs.entries()) {
    const vocabulary = path.join(cwd, "chars.json");
    await writeFile(vocabulary, JSON.stringify(characters));
    const { path: file } = await importRun({
      weights,
      vocabulary,
      name,
      out: path.join(cwd, "runs"),
    });
    assertClose(await lossesOf(file, TEXT), answers[index].losses, 1e-5, name);
    assert.equal(await greedyText(file, PROMPT, LENGTH), answers[index].text, name);
    texts.add(answers[index].text);
  }
  assert.equal(texts.size, jobs.length);
});
