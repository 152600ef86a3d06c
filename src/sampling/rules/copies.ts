import type { CopyGuard } from "../../memorization/copy-guard.js";
import type { Rule } from "./rule.js";

/** No passage of the training text is copied that is longer than the guard allows, the prompt included. */
export function copyRule(guard: CopyGuard): Rule {
  return {
    setting: `\`maxCopy: ${guard.most}\``,
    begin({ text }) {
      const recent = guard.tokensOfEnd(text).slice(-guard.most);
      return {
        forbid: (forbidden) => guard.mark(recent, forbidden),
        wrote(token) {
          recent.push(token);
          if (recent.length > guard.most) recent.shift();
        },
      };
    },
  };
}
