#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# check_install.sh BUILD SOURCE CMAKE CC SANITIZERS: installs into a temporary prefix, compiles every public header alone as
# C11 and as C++17 from there, then builds the example with what pkg-config says and runs it.
set -eu
build=$1 source=$2 cmake=$3 cc=$4 sanitize=${5:-}

prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT INT TERM
"$cmake" --install "$build" --prefix "$prefix" >"$prefix/install.log" || {
  cat "$prefix/install.log"
  exit 1
}

warnings="-Wall -Wextra -Wpedantic -Werror"
headers=0
for header in "$prefix"/include/waywarden/*.h; do
  name=waywarden/$(basename "$header")
  printf '#include <%s>\n' "$name" >"$prefix/alone.c"
  # shellcheck disable=SC2086
  "$cc" -std=c11 $warnings -I"$prefix/include" -fsyntax-only "$prefix/alone.c"
  # shellcheck disable=SC2086
  c++ -std=c++17 $warnings -I"$prefix/include" -fsyntax-only -x c++ "$prefix/alone.c"
  headers=$((headers + 1))
done
test "$headers" -gt 0
test "$headers" -eq "$(find "$source/include/waywarden" -name '*.h' | wc -l)"

pc=$(find "$prefix" -name waywarden.pc)
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
libdir=$(pkg-config --variable=libdir waywarden)
test -e "$libdir/libwaywarden.so"
# shellcheck disable=SC2046,SC2086
"$cc" -std=c11 $warnings ${sanitize:+-fsanitize=$sanitize} "$source/examples/check_route.c" \
  $(pkg-config --cflags --libs waywarden) -o "$prefix/check_route"
LD_LIBRARY_PATH=$libdir "$prefix/check_route" >"$prefix/said"
cat >"$prefix/expected" <<'EOF'
192.0.2.128/25 from AS64501: invalid (as)
  covered by 192.0.2.0/24, up to /24, for AS64500
EOF
diff -u "$prefix/expected" "$prefix/said"

# Nothing private is installed, and what is installed runs from where it lies.
test -z "$(find "$prefix/include" -type f ! -path "$prefix/include/waywarden/*.h")"
if [ -x "$prefix/bin/waywarden" ]; then
  "$prefix/bin/waywarden" --version >/dev/null
fi
echo "$headers headers, the example says what it should"
