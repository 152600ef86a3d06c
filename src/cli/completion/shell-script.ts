import { script } from "@bomb.sh/tab";

export type Shell = "bash" | "zsh" | "fish" | "powershell";

/** What is otherwise in the script for bash, and what has to be. */
const MENDED_FOR_BASH: readonly (readonly [from: string, to: string])[] = [
  // Two programs may have such a script, and one may be read twice.
  ["readonly ShellComp", "ShellComp"],
  // What was typed is not run, whatever it is.
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is in bash
  ["${words[@]:1}", `$(printf '%q ' "\${words[@]:1:cword-1}" "$cur")`],
  [`requestComp="$requestComp ''"`, ":"],
  // Bash takes what follows a = as a new word, unless the user has changed that.
  [`compgen -W "\${completions[*]}" -- "$cur"`, `__charnn_starting_with "$cur"`],
  // Files are completed where nothing else is.
  ["complete -F ", "complete -o default -F "],
];

/** Functions that the script for bash needs: its own, and those of bash-completion, which may not be installed. */
const WORDS_FOR_BASH = `
if ! declare -F _get_comp_words_by_ref > /dev/null; then
    _get_comp_words_by_ref() {
        local index word before=
        words=()
        for index in "\${!COMP_WORDS[@]}"; do
            word=\${COMP_WORDS[index]}
            # --preset = tiny: as one word, as it was typed.
            if [[ $before == --*=  || ( $before == --* && $word == = ) ]]; then
                before+=$word
                words[\${#words[@]}-1]=$before
            else
                before=$word
                words+=("$word")
            fi
            if ((index == COMP_CWORD)); then cword=$((\${#words[@]} - 1)); fi
        done
        cur=\${words[cword]}
        prev=\${words[cword-1]}
    }
fi

__charnn_starting_with() {
    local option=
    if [[ $1 == --*=* ]]; then option=\${1%%=*}=; fi
    if [[ $COMP_WORDBREAKS == *=* ]]; then
        compgen -W "\${completions[*]}" -- "\${1#"$option"}"
    else
        compgen -P "$option" -W "\${completions[*]}" -- "\${1#"$option"}"
    fi
}
`;

/**
 * The script by which a shell completes what is typed after `charnn`.
 *
 * @param executable what calls charnn, quoted for the shell
 */
export function shellScript(shell: Shell, executable: string): string {
  const text = printed(() => script(shell, "charnn", executable));
  if (shell !== "bash") return text;
  let mended = text;
  for (const [from, to] of MENDED_FOR_BASH) {
    if (!mended.includes(from)) throw new Error(`The script for bash has no ${from}.`);
    mended = mended.replaceAll(from, to);
  }
  return `${mended}${WORDS_FOR_BASH}`;
}

/** The package prints its scripts, and gives them in no other way. */
function printed(print: () => void): string {
  const lines: string[] = [];
  const { log } = console;
  console.log = (line: string) => lines.push(line);
  try {
    print();
  } finally {
    console.log = log;
  }
  return `${lines.join("\n")}\n`;
}
