/** HTML that is safe to put into a page as it is. */
export class Html {
  constructor(readonly text: string) {}
}

type Part = Html | string | number | readonly (Html | string)[];

/** A piece of HTML in which whatever is put in is text, unless it is HTML itself. */
export function html(pieces: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let text = pieces[0];
  for (const [k, part] of parts.entries()) {
    const all = Array.isArray(part) ? part : [part];
    for (const one of all) text += one instanceof Html ? one.text : escaped(String(one));
    text += pieces[k + 1];
  }
  return new Html(text);
}

/** JSON for a script element, which nothing in it can end. */
export function jsonFor(value: unknown): Html {
  return new Html(JSON.stringify(value).replaceAll("<", "\\u003c"));
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Control characters, which HTML does not allow, are replaced by their pictures. */
function escaped(text: string): string {
  return text
    .replace(/[&<>"']/g, (character) => ENTITIES[character])
    .replace(/[\p{Cc}\p{Cs}]/gu, (character) => {
      if (character === "\n" || character === "\t") return character;
      const code = character.charCodeAt(0);
      return code < 0x20 ? String.fromCharCode(0x2400 + code) : "\ufffd";
    });
}
