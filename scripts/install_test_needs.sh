#!/bin/sh
# Installs what the tests need besides Python packages: a Chromium for the browser tests.
set -eu

# The words to run a command as root with, if that can be had without a question.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo -n "$@"
    fi
}

if command -v chromium >/dev/null || command -v google-chrome >/dev/null; then
    exit 0
fi
if .venv/bin/python -c 'import sys, pathlib; from playwright.sync_api import sync_playwright as start
with start() as playwright: sys.exit(not pathlib.Path(playwright.chromium.executable_path).exists())'; then
    exit 0
fi
if command -v apt-get >/dev/null && as_root true 2>/dev/null && . /etc/os-release && [ "${ID-}" = debian ]; then
    echo "Installing Chromium from the system's packages ..."
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        chromium fonts-noto-color-emoji fonts-wqy-microhei >/dev/null
else
    echo "Downloading Playwright's Chromium ..."
    .venv/bin/python -m playwright install chromium
fi
