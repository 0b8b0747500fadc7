#!/usr/bin/env bash
# Installs the tools that the tests compare with and pack with, on Debian and as root. Without them those tests are
# skipped, and say so.
set -u
packages=(
  osslsigncode openssl python3-pefile                       # signatures, portable executables
  zip 7zip zstd bzip2 xz-utils cpio libarchive-tools        # archives
  gcab msitools wixl nsis innoextract                       # Windows installers
  genisoimage xorriso squashfs-tools wimtools rpm           # images and packages
  chromium fonts-noto-cjk                                   # pages in a browser
  apksigner aapt zipalign dexdump binutils                  # phones, ELF
  ssdeep tlsh-tools                                         # likeness of programs
  wabt                                                      # the kernels of the search and of LZMA, made from source
  yara clamav                                               # exports of the database, loaded as their users load them
)
missing=()
for package in "${packages[@]}"; do
  dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
done
if [ "${#missing[@]}" -eq 0 ]; then exit 0; fi
if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
  echo "SKIPPED: installing ${missing[*]}, which needs Debian and root; the tests that need them will be skipped" >&2
  exit 0
fi
apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
  echo "SKIPPED: ${missing[*]} could not be installed; the tests that need them will be skipped" >&2
exit 0
