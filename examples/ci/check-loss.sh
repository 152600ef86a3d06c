#!/bin/sh
# Trains a model on a text, and fails where its loss on another text is above a threshold.
#
#     check-loss.sh TEXT OTHER_TEXT NATS_PER_CHARACTER [OPTION OF charnn train...]
set -eu
text=$1 other=$2 threshold=$3
shift 3

charnn train "$text" --name check --overwrite --quiet "$@"
charnn eval check "$other" --fail-above "$threshold"
