#!/usr/bin/env bash
# Print the path of a Chromium: $CHROMIUM, or one on this machine, or one installed now. Best is the one
# without a window: it opens a page in half the time.
set -euo pipefail
cd "$(dirname "$0")/.."

find_one() {
    local name
    for name in ${CHROMIUM:+"$CHROMIUM"} chromium-headless-shell chromium chromium-browser google-chrome google-chrome-stable \
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"; do
        # Ubuntu's chromium-browser can be a stub that only says where the snap is
        if command -v "$name" >/dev/null 2>&1 && "$name" --version >/dev/null 2>&1; then
            command -v "$name"
            return
        fi
    done
    return 1
}

from_playwright() {
    .venv/bin/python - <<'END'
from playwright.sync_api import sync_playwright

with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)
END
}

if find_one; then
    exit
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && grep -q '^ID=debian' /etc/os-release; then
    {
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium-headless-shell \
            fonts-dejavu-core
    } >&2
    find_one
else
    .venv/bin/python -m playwright install chromium >&2
    from_playwright
fi
