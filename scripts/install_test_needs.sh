#!/bin/sh
# Installs what the tests need besides Python packages: three browser engines, and what a deployment is made of.
#   Chromium   all browser tests; Playwright's own where the system has none
#   Firefox    the conformance page
#   PostgreSQL the store, on a server of the tests' own
#   WebKit     the conformance page: its driver, its little browser, and a display that nobody sees
#   Redis      what several processes share; each test run starts one of its own
#   nginx, HAProxy  the proxies of docs/deploy
#   libfaketime  a wall clock that jumps
# What cannot be had is told, and its tests are skipped with the reason; without a Chromium there are no browser tests.
set -eu

# The words to run a command as root with, if that can be had without a question.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo -n "$@"
    fi
}

has() {
    command -v "$1" >/dev/null
}

has_chromium() {
    has chromium || has google-chrome || .venv/bin/python -c 'import sys, pathlib
from playwright.sync_api import sync_playwright as start
with start() as playwright: sys.exit(not pathlib.Path(playwright.chromium.executable_path).exists())'
}

has_postgres() {
    has postgres || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1
}

can_apt() {
    has apt-get && as_root true 2>/dev/null
}

# Ubuntu has its browsers as snaps, which no test can drive.
has_browser_packages() {
    # shellcheck disable=SC1091
    . /etc/os-release && [ "${ID-}" = debian ]
}

missing=''
if can_apt && has_browser_packages; then
    has_chromium || missing="$missing chromium fonts-noto-color-emoji fonts-wqy-microhei"
    has firefox || has firefox-esr || missing="$missing firefox-esr"
elif ! has_chromium; then
    echo "Downloading Playwright's Chromium ..."
    # shellcheck disable=SC2046
    .venv/bin/python -m playwright install $(! can_apt || echo --with-deps) chromium
fi
has WebKitWebDriver || missing="$missing webkit2gtk-driver"
has Xvfb || missing="$missing xvfb"
has_postgres || missing="$missing postgresql"
has redis-server || missing="$missing redis-server"
has nginx || [ -x /usr/sbin/nginx ] || missing="$missing nginx"
ls /usr/lib/*/faketime/libfaketime.so.1 >/dev/null 2>&1 || missing="$missing libfaketime"
has haproxy || [ -x /usr/sbin/haproxy ] || missing="$missing haproxy"
[ -n "$missing" ] || exit 0

if can_apt; then
    echo "Installing from the system's packages:$missing ..."
    as_root apt-get update -qq
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
    echo "Not on this machine, so their tests are skipped:$missing"
fi
