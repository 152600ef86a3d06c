#!/bin/sh
# Installs the packed charnn and its package for one platform in an empty folder, as npm would for a user, and
# trains with the native backend. Leaves the hash of the checkpoint in PLATFORM.sha256.
#
#     sh .github/try-package.sh FOLDER-WITH-PACKAGES PLATFORM
set -eu
packed=$(cd "$1" && pwd)
platform=$2
result=$PWD/$platform.sha256
work=$(mktemp -d)
cd "$work"
npm init --yes > npm-init.txt
# Both are named: before they are published, npm finds neither by itself.
npm install --ignore-scripts "$packed"/charnn-[0-9]*.tgz "$packed"/charnn-native-"$platform"-[0-9]*.tgz
npx charnn doctor
node -e 'for (let k = 0; k < 300; k++) console.log(`The fox number ${k} jumps over the dog number ${k * k}.`)' > fox.txt
npx charnn train fox.txt --hidden-size 64 --steps 20 --eval-every 10 --threads 2 --random-seed 7 --backend native --name fox
npx charnn sample fox --length 100
node -e '
  const { createHash } = require("node:crypto");
  const { readFileSync } = require("node:fs");
  console.log(createHash("sha256").update(readFileSync("checkpoints/fox/last.safetensors")).digest("hex"));
' > "$result"
