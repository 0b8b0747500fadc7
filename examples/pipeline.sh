#!/usr/bin/env bash
# A gate between a download and its use: exits with 0 only when every file in the folder is proved to be official.
# Reports lie beside it, for whoever has to decide what to do about the rest.
#
#   bash pipeline.sh FOLDER [OPTION...]      options are handed on to telltale scan
set -euo pipefail
folder=${1:?the folder with the downloads}
shift
telltale=${TELLTALE:-telltale} # how the program is called

status=0
$telltale scan --require official --no-policy "$@" \
  --output "junit=telltale.xml" --output "sarif=telltale.sarif" --output "markdown=telltale.md" \
  "$folder" || status=$?

case $status in
  0) echo "pipeline: all files are official" ;;
  1) echo "pipeline: STOP: at least one file is not proved to be official" ;;
  3) echo "pipeline: STOP: something could not be read" ;;
  4) echo "pipeline: STOP: there was nothing to scan" ;;
  *) echo "pipeline: STOP: the scan did not work (exit code $status)" ;;
esac
exit "$status"
