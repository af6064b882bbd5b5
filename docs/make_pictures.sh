#!/usr/bin/env bash
# Makes the README's pictures from the real window, without a display.
set -euo pipefail
cd "$(dirname "$0")/pictures"
latentlab --screenshot explore-light.png --theme light --size 1280x800
latentlab --screenshot explore-dark.png --theme dark --size 1280x800
