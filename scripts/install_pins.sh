#!/bin/sh
# Installs sets of requirements/ into .venv, every file checked against its hash, then Chatbubble itself beside them:
#   scripts/install_pins.sh dev node
# With PINS=off, what the index has newest within the bounds of setup.cfg instead, whatever its hash.
set -eu
pip="${BIN:-.venv/bin}/python -m pip install --quiet"

if [ "${PINS:-on}" = off ]; then
    # The sets are named as the extras are; `run` is what no extra asks for.
    extras=''
    for name in "$@"; do
        [ "$name" = run ] || extras="$extras,$name"
    done
    exec $pip --editable ".[${extras#,}]"
fi

requirements=''
for name in "$@"; do
    requirements="$requirements -r requirements/$name.txt"
done
# shellcheck disable=SC2086
if ! $pip --require-hashes $requirements; then
    echo "The pinned packages could not be had; pip says above why. Where an index lacks one of these versions," >&2
    echo "PINS=off takes what it has, within the bounds of setup.cfg: make install PINS=off" >&2
    exit 1
fi
# Its build needs what has just been installed, and nothing that is not pinned.
$pip --no-deps --no-build-isolation --editable .
