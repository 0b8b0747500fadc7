#!/usr/bin/env bash
# Puts the package that --rules needs into node_modules of a clone, after npm ci. npm itself leaves the optional peer of
# the project it stands in uninstalled, whatever it is told. Without it the tests that need it are skipped, and say so.
set -u
cd "$(dirname "$0")/.."
version=0.3.0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
if [ -d node_modules/@litko/yara-x ]; then exit 0; fi
if npm install --silent --no-audit --no-fund --prefix "$folder" "@litko/yara-x@$version" >/dev/null 2>&1; then
  mkdir -p node_modules && cp -r "$folder/node_modules/@litko" node_modules/
else
  echo "SKIPPED: @litko/yara-x could not be installed; the tests that need it will be skipped" >&2
fi
exit 0
