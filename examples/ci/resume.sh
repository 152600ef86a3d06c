#!/bin/sh
# Goes on with a training for some minutes, to be run on a schedule until the run is done. Prints `done=true` or
# `done=false`, as $GITHUB_OUTPUT takes it.
#
#     resume.sh TEXT NAME MINUTES [OPTION OF charnn train...]
set -eu
text=$1 name=$2 minutes=$3
shift 3

# After this time it saves and ends as it does for Ctrl-C, with exit code 143. A run that is done already ends at once.
code=0
timeout --signal TERM "${minutes}m" charnn train "$text" --name "$name" --resume --quiet "$@" >&2 || code=$?
case $code in
  0) echo done=true ;;
  124 | 143) echo done=false ;;
  *) exit "$code" ;;
esac
