import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { type CorpusSettings, loadCorpus } from "#src/data/corpus.js";
import { failsWith } from "../helpers/failure.js";
import fc from "../helpers/fast-check.js";
import { isWindows, noShell } from "../helpers/system.js";

const WHOLE: CorpusSettings = { files: ["-"], validation: 0, test: 0, encoding: "utf-8" };

function load(text: string | Uint8Array, settings: Partial<CorpusSettings> = {}, chunk = 7) {
  const bytes = Buffer.from(text as string);
  async function* stdin() {
    for (let start = 0; start < bytes.length; start += chunk) {
      yield Uint8Array.from(bytes.subarray(start, start + chunk));
    }
  }
  return loadCorpus({ ...WHOLE, ...settings }, { stdin: stdin() });
}

async function textOf(...args: Parameters<typeof load>): Promise<string> {
  const { vocabulary, train } = await load(...args);
  return vocabulary.decode(train.tokens);
}

function encoded(text: string, encoding: string): Buffer {
  return execFileSync("iconv", ["-f", "utf-8", "-t", encoding], { input: text });
}

/**
 * Follows the advice at the end of a warning, as a shell does that gets the text on its standard input. Windows has
 * none of the programs, and gets no such advice.
 */
function assertAdvice(warning: string, text: string | Uint8Array, expected: string): void {
  if (isWindows) {
    assert.doesNotMatch(warning, /\b(tr|perl|iconv) -/);
    return;
  }
  const [, advice] = /: ((?:tr|perl|iconv) [\s\S]*?) > NEWFILE/.exec(warning) ?? [];
  assert.ok(advice, warning);
  const command = advice.replace(/(?: <)? FILE(?= \||$)/, "");
  assert.equal(execFileSync("sh", ["-c", command], { input: text }).toString(), expected);
}

test("wrong bytes are replaced or left out as TextDecoder finds them", async () => {
  const bytes = fc.uint8Array({ minLength: 3, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(bytes, fc.integer({ min: 1, max: 9 }), async (wrong, chunk) => {
      const all = Buffer.concat([Buffer.from("aé😀b"), wrong]);
      const expected = new TextDecoder("utf-8", { ignoreBOM: true }).decode(all);
      assert.equal(await textOf(all, { invalid: "replace" }, chunk), expected);
      fc.pre(!all.includes(Buffer.from("\ufffd")));
      assert.equal(
        await textOf(all, { invalid: "skip" }, chunk),
        expected.replaceAll("\ufffd", ""),
      );
    }),
  );
});

test("bytes give the same characters, wherever they are cut for reading", async () => {
  for (const [encoding, hex, characters] of [
    ["iso-2022-jp", "61621b240f6162", undefined],
    ["euc-jp", "61628fc1286162", undefined],
    ["gb18030", "61628e30006162", undefined],
    // U+FFFD itself is no fault.
    ["gb18030", "61628431a4376162", "ab\ufffdab"],
    ["gb18030", "61628431a43720ff20", undefined],
  ] as const) {
    const bytes = Buffer.from(hex, "hex");
    if (characters) assert.equal(await textOf(bytes, { encoding }), characters);
    else await assert.rejects(textOf(bytes, { encoding }), failsWith("BAD_TEXT", encoding));
    for (const invalid of ["replace", "skip"] as const) {
      const whole = await textOf(bytes, { encoding, invalid }, bytes.length);
      for (let chunk = 1; chunk < bytes.length; chunk++) {
        assert.equal(await textOf(bytes, { encoding, invalid }, chunk), whole, encoding);
      }
    }
  }
});

test("wrong bytes that are let pass are counted, with the place of the first", async () => {
  const bytes = Buffer.concat([Buffer.from("é\r\nxy"), Buffer.from([0xff, 0x7a, 0xfe])]);
  const skipped = await load(bytes, { invalid: "skip", lineEnds: "lf" });
  assert.match(
    skipped.warnings.join("\n"),
    /standard input has 2 places where the bytes are wrong, the first at line 2, column 3: they were left out/,
  );
  const japanese = Buffer.concat([Buffer.from([0x93, 0xfa, 0x0a, 0xff]), Buffer.from("ab")]);
  assert.equal(
    await textOf(japanese, { encoding: "shift_jis", invalid: "replace" }),
    "日\n\ufffdab",
  );
  assert.equal(await textOf(japanese, { encoding: "shift_jis", invalid: "skip" }), "日\nab");
  const half = Buffer.from([0x61, 0, 0, 0xd8, 0x62, 0, 0x63]);
  assert.equal(await textOf(half, { encoding: "utf-16le", invalid: "replace" }), "a\ufffdb\ufffd");
});

test("UTF-8 with faults is distinguished from another encoding, with line and column", async () => {
  const faulty = Buffer.concat([Buffer.from("schön\nfür "), Buffer.from([0xff]), Buffer.from("x")]);
  await assert.rejects(
    load(faulty, {}, 100),
    failsWith(
      "BAD_TEXT",
      "UTF-8 with faults",
      "offset 12 (line 2, column 5)",
      "`invalid: skip`",
      ...(isWindows ? [] : ["iconv -c"]),
    ),
  );
  const first = Buffer.concat([Buffer.from([0xff]), Buffer.from(" schön für")]);
  await assert.rejects(load(first, {}, 100), failsWith("BAD_TEXT", "is not UTF-8", "utf-16le"));
  const latin = Buffer.from("na\xefve caf\xe9", "latin1");
  await assert.rejects(load(latin, {}, 100), failsWith("BAD_TEXT", "`encoding: windows-1252`"));
  await assert.rejects(
    load(Buffer.from("ab\ncdé").subarray(0, 6)),
    failsWith("BAD_TEXT", "offset 5 (line 2, column 3)", "`invalid: skip`"),
  );
});

test("a text that is read in a wrong encoding gets a warning, and one in its own does not", async () => {
  const german = "Ein schöner Tag für Größe und Übermut.\n".repeat(20);
  const faulty = Buffer.concat([Buffer.from(german), Buffer.from([0xff, 0x0a])]);
  const wrong = await load(faulty, { encoding: "windows-1252" });
  assert.match(wrong.warnings.join("\n"), /seems to be UTF-8.*Leave `encoding` out/);
  const big = Buffer.from("plain text\n".repeat(20), "utf16le").swap16();
  const swapped = await load(big, { encoding: "utf-16le" });
  assert.match(swapped.warnings.join("\n"), /seems to be UTF-16BE.*`encoding: utf-16be`/);
  const ascii = await load("plain text!\n".repeat(20), { encoding: "utf-16le" });
  assert.match(ascii.warnings.join("\n"), /seems to be UTF-8/);
  for (const [text, encoding] of [
    [Buffer.from(german, "latin1"), "windows-1252"],
    [Buffer.from(german, "utf16le"), "utf-16le"],
    [Buffer.from("中文文本在这里很长\n".repeat(9), "utf16le"), "utf-16le"],
    [Buffer.from(german), "utf-8"],
  ] as const) {
    assert.deepEqual((await load(text, { encoding })).warnings, [], encoding);
  }
});

test("UTF-8 that was misread before gets a warning whose advice mends it", async () => {
  const text = "schöne Größe für alle\n".repeat(10);
  const misread = new TextDecoder("windows-1252").decode(Buffer.from(text), { stream: true });
  const { warnings } = await load(misread);
  assert.match(warnings[0], /40 pairs of characters like "Ã©"/);
  assertAdvice(warnings[0], misread, text);
});

test("the advice on a text that was misread mends what windows-1252 has no character for, and only that", async () => {
  const lost = "“à íz” Á Ý\n";
  const misread = new TextDecoder("windows-1252").decode(Buffer.from(lost), { stream: true });
  const rest = "naïve 日本 1 €\n";
  const text = misread.repeat(9) + rest;
  const { warnings } = await load(text);
  assert.equal(warnings.length, 1, warnings.join("\n"));
  const mended = lost.repeat(9) + rest;
  assertAdvice(warnings[0], text, mended);
  assert.deepEqual((await load(mended)).warnings, []);
});

for (const encoding of ["utf-16le", "utf-16be"]) {
  test(`the advice on line ends and odd characters keeps the characters of a text in ${encoding}`, async () => {
    const encoded = (text: string) => {
      const bytes = Buffer.from(text, "utf16le");
      return encoding === "utf-16be" ? bytes.swap16() : bytes;
    };
    for (const [text, clean] of [
      ["öne\r\ntwo\r\n", "öne\ntwo\n"],
      ["öne\rtwo\r", "öne\ntwo\n"],
      ["öne\r\ntwo\rthree\n", "öne\ntwo\nthree\n"],
      ["öne \u200btwo\n", "öne two\n"],
    ]) {
      const { warnings } = await load(encoded(text), { encoding });
      if (!isWindows) assert.match(warnings[0], /leave `encoding` out/);
      assertAdvice(warnings[0], encoded(text), clean);
    }
  });
}

test("the advice to remove odd characters works where the encoding has none for a byte", async () => {
  const bytes = Buffer.from("caf\xe9 \x81\x9dtext\n", "latin1");
  const { warnings } = await load(bytes, { encoding: "windows-1252" });
  assert.match(warnings[0], /U\+0081 1 time/);
  assertAdvice(warnings[0], bytes, "café text\n");
  for (const [encoding, hex, clean] of [
    ["x-mac-cyrillic", "e4e0010a", "да\n"],
    ["iso-8859-8-i", "e0e1010a", "אב\n"],
    ["shift_jis", "93fa8740010a", "日①\n"],
  ] as const) {
    const odd = Buffer.from(hex, "hex");
    assertAdvice((await load(odd, { encoding })).warnings[0], odd, clean);
  }
});

for (const [kind, text, lines] of [
  ["CR", "one\rtwo\r\rthree\r", "one\ntwo\n\nthree\n"],
  ["CR LF", "one\r\ntwo\r\n\r\nthree\r\n", "one\ntwo\n\nthree\n"],
  ["mixed", "one\r\ntwo\r\rthree\nfour\r", "one\ntwo\n\nthree\nfour\n"],
] as const) {
  test(`line ends are named and the advice gives the right text: ${kind}`, async () => {
    const { warnings } = await load(text);
    assert.equal(warnings.length, 1);
    assert.ok(warnings[0].includes(kind === "mixed" ? "(CR LF)" : `(${kind})`), warnings[0]);
    assertAdvice(warnings[0], text, lines);
    assert.match(warnings[0], /`lineEnds: lf`/);
    for (const chunk of [1, 2, 3, 100]) {
      assert.equal(await textOf(text, { lineEnds: "lf" }, chunk), lines);
    }
    assert.deepEqual((await load(text, { lineEnds: "lf" })).warnings, []);
  });
}

for (const [kind, end, name] of [
  ["line separators", "\u2028", "line separator (U+2028) 2 times"],
  ["paragraph separators", "\u2029", "paragraph separator (U+2029) 2 times"],
  ["next lines", "\u0085", "next line (U+0085) 2 times"],
  ["vertical tabs", "\v", "line tabulation (U+000B) 2 times"],
  ["form feeds", "\f", "form feed (U+000C) 2 times"],
] as const) {
  test(`the advice for ${kind} glues no lines together`, async () => {
    const text = `one${end}two${end}three\u200b`;
    const { warnings } = await load(text);
    assert.ok(warnings[0].includes(name), warnings[0]);
    assertAdvice(warnings[0], text, "one\ntwo\nthree\u200b");
    assertAdvice(warnings[1], text, `one${end}two${end}three`);
  });
}

test("line ends in a text of another encoding are repaired by the advice too", async () => {
  const text = Buffer.from("na\xefve\fcaf\xe9", "latin1");
  const { warnings } = await load(text, { encoding: "windows-1252" });
  assertAdvice(warnings[0], text, "naïve\ncafé");
});

for (const [kind, language, encoding] of [
  ["Russian in KOI8-R", "Привет, мир! Как дела?\n", "koi8-r"],
  ["Russian in windows-1251", "Привет, мир! Как дела?\n", "windows-1251"],
  ["Greek in ISO-8859-7", "Καλημέρα κόσμε, τι κάνεις;\n", "iso-8859-7"],
  ["Hebrew in windows-1255", "שלום עולם, מה שלומך?\n", "windows-1255"],
  ["Chinese in GB 18030", "中文文本在这里很长\n", "gb18030"],
] as const) {
  test(`letters that no text has together get a warning: ${kind} read as windows-1252`, {
    skip: noShell,
  }, async () => {
    const bytes = encoded(language.repeat(20), encoding);
    const { warnings } = await load(bytes, { encoding: "windows-1252" });
    assert.match(warnings.join("\n"), /as if it were in another encoding than windows-1252/);
    assert.deepEqual((await load(bytes, { encoding })).warnings, []);
  });
}

test("Western texts full of accents are not taken for another encoding", async () => {
  for (const text of [
    "Það er gömul saga að sækja um að fá að vera með í því öllu.\n",
    "À l'été où l'âme rêvée naîtra déjà, être zélé là-bas.\n",
    "«¿Qué?» «¡Así!» ª º ½ ¼ ¾ § ¶ © ® 10 °C ± 2 µm\n",
  ]) {
    const bytes = Buffer.from(text.repeat(20), "latin1");
    assert.deepEqual((await load(bytes, { encoding: "windows-1252" })).warnings, [], text);
  }
});

test("characters that show nothing are counted, and the advice removes them", async () => {
  const text = "one\ufeff two\u200b three\u202e four\ufeff\na\u00adb\n";
  const { warnings } = await load(text);
  assert.match(warnings[0], /byte order mark \(U\+FEFF\) 2 times/);
  assert.match(warnings[0], /right-to-left override \(U\+202E\) 1 time/);
  assert.match(warnings[0], /name the files one by one/);
  const clean = "one two three four\nab\n";
  assertAdvice(warnings[0], text, clean);
  assert.deepEqual((await load(clean)).warnings, []);
});

test("control characters are counted, and the advice removes them", async () => {
  const all = Array.from({ length: 32 }, (_, code) => String.fromCharCode(code)).join("");
  const text = `${all.replace(/[\n\r\v\f]/g, "")}text\u0080\u0085 \ufffd\n`;
  const { warnings } = await load(text);
  assert.match(warnings[0], /control characters.*null character \(U\+0000\) 1 time.*`encoding`/);
  assertAdvice(warnings[0], text, "\ttext \n");
});

test("an emoji's look and ordinary text are not odd", async () => {
  assert.deepEqual(
    (await load("I \u2764\ufe0f text — naïve “quotes”, Straß“ é»\t…\n")).warnings,
    [],
  );
});
