#!/usr/bin/env bash
# What the GitHub Action runs: scans, annotates, writes reports, and says in outputs what was found. It takes everything
# from the environment (action.yml), and prints nothing of its own that a file name could become a part of.
set -euo pipefail

home=$(cd "$(dirname "$0")/.." && pwd)
output=${GITHUB_OUTPUT:-/dev/null}
summary=${GITHUB_STEP_SUMMARY:-/dev/null}
folder=${TELLTALE_REPORT_FOLDER:-telltale-report}

stop() {
  echo "::error title=telltale::$1"
  printf 'outcome=usage\nexit-code=2\n' >>"$output"
  exit 2
}

node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
  stop "Node 20.19 or newer is needed; actions/setup-node installs it"

# A checkout of this repository has no program in it yet. No package may run a script of its own while it is installed.
if [ ! -f "$home/dist/cli/main.js" ]; then
  (cd "$home" && npm ci --ignore-scripts --no-audit --no-fund && npm run --silent build) >&2 ||
    stop "telltale could not be built"
fi

arguments=(scan --format github --output "json=$folder/telltale.json")
for format in ${TELLTALE_FORMAT-sarif html}; do
  case $format in
    json) ;;
    sarif) arguments+=(--output "sarif=$folder/telltale.sarif") ;;
    junit) arguments+=(--output "junit=$folder/telltale.xml") ;;
    markdown) arguments+=(--output "markdown=$folder/telltale.md") ;;
    html) arguments+=(--output "html=$folder/telltale.html") ;;
    text | ndjson) arguments+=(--output "$format=$folder/telltale.$format") ;;
    *) stop "there is no format of this name; there are json, sarif, junit, markdown, html, text and ndjson" ;;
  esac
done
page=$(mktemp)
trap 'rm -f "$page"' EXIT
if [ "${TELLTALE_SUMMARY:-true}" != false ]; then
  arguments+=(--output "markdown=$page")
fi
[ -z "${TELLTALE_POLICY:-}" ] || arguments+=("--policy=$TELLTALE_POLICY")
[ -z "${TELLTALE_REQUIRE:-}" ] || arguments+=("--require=$TELLTALE_REQUIRE")
[ -z "${TELLTALE_FAIL_ON:-}" ] || arguments+=("--fail-on=$TELLTALE_FAIL_ON")
[ "${TELLTALE_LOCKED:-false}" != true ] || arguments+=(--locked)
while IFS= read -r line; do
  [ -z "$line" ] || arguments+=("--database=$line")
done <<<"${TELLTALE_DATABASE:-}"
while IFS= read -r line; do
  [ -z "$line" ] || arguments+=("--trust=$line")
done <<<"${TELLTALE_TRUST:-}"
paths=()
while IFS= read -r line; do
  [ -z "$line" ] || paths+=("$line")
done <<<"${TELLTALE_PATHS:-}"
[ "${#paths[@]}" -gt 0 ] || [ "${TELLTALE_LOCKED:-false}" = true ] || stop "the input paths names nothing"

mkdir -p "$folder"
# What an earlier scan left there says nothing of this one.
rm -f "$folder"/telltale.{json,sarif,xml,md,html,text,ndjson}
code=0
node "$home/dist/cli/main.js" "${arguments[@]}" -- "${paths[@]}" || code=$?

# Outputs are numbers and words of ours only: nothing from a scanned file can forge one.
node - "$folder/telltale.json" "$code" "$folder" >>"$output" <<'SCRIPT'
const { existsSync, readFileSync } = require('node:fs');
const [path, code, folder] = process.argv.slice(2);
const words = { 2: 'usage', 4: 'nothing', 70: 'bug', 130: 'interrupted' };
const lines = [`exit-code=${Number(code)}`];
if (existsSync(path)) {
  const { outcome, summary } = JSON.parse(readFileSync(path, 'utf8'));
  lines.push(`outcome=${outcome}`, `files=${summary.files}`, `incomplete=${summary.incomplete}`);
  for (const [verdict, count] of Object.entries(summary.verdicts)) lines.push(`${verdict}=${count}`);
} else {
  lines.push(`outcome=${words[code] ?? 'bug'}`);
}
if (!/[\r\n]/.test(folder)) {
  lines.push(`report-folder=${folder}`);
  if (existsSync(`${folder}/telltale.sarif`)) lines.push(`sarif=${folder}/telltale.sarif`);
}
console.log(lines.join('\n'));
SCRIPT
cat "$page" >>"$summary"
[ "${TELLTALE_FAIL:-true}" != false ] || exit 0
exit "$code"
