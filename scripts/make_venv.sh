#!/bin/sh
# Creates .venv with the first Python that is new enough: the one asked for, else a newer one by name.
set -eu
oldest='3.11'

for candidate in "$1" python3.14 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "${python-}" ]; then
    echo "Chatbubble needs Python $oldest or newer; '$1' is $("$1" --version 2>/dev/null || echo missing)." >&2
    echo "Name another one: make install PYTHON=/path/to/python3" >&2
    exit 1
fi

# Debian ships Python without the part that creates environments.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing python$version-venv ..."
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "python$version-venv" >/dev/null
    else
        echo "This Python has no venv module. On Debian and Ubuntu: sudo apt-get install python$version-venv" >&2
        exit 1
    fi
fi

"$python" -m venv .venv
