#!/bin/sh
# Writes a sample of a run into a file, which appears whole or not at all.
#
#     sample.sh NAME FILE [OPTION OF charnn sample...]
set -eu
name=$1 file=$2
shift 2

trap 'rm -f "$file.part"' EXIT
charnn sample "$name" "$@" > "$file.part"
mv "$file.part" "$file"
