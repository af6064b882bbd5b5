#!/usr/bin/env bash
# Makes the README's pictures from the real window, without a display.
set -euo pipefail
cd "$(dirname "$0")/pictures"
latentlab --screenshot explore-light.png --theme light --size 1280x800
latentlab --screenshot explore-dark.png --theme dark --size 1280x800
study=$(mktemp -d)
trap 'rm -r "$study"' EXIT
latentlab audit generation faces-weak-vae --n 1000 --reference training --out "$study/study"
latentlab open "$study/study" --screenshot "$PWD/audit-light.png" --theme light --size 1280x800
