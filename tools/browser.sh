#!/bin/sh
# A Chromium for the tests of the dashboard: the one on the PATH, else Debian's, where this user may install it.
# Without one those tests are skipped; where CI=true they fail.
set -eu
for name in chromium chromium-browser google-chrome; do
	if command -v "$name" >/dev/null; then
		exit 0
	fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	echo 'installing Chromium, for the tests of the dashboard'
	export DEBIAN_FRONTEND=noninteractive
	{ apt-get -qq update && apt-get -qq install --no-install-recommends chromium fonts-dejavu-core; } >/dev/null ||
		echo 'Chromium cannot be installed: the tests of the dashboard in a browser do not run'
else
	echo 'no Chromium on the PATH: the tests of the dashboard in a browser are skipped'
fi
