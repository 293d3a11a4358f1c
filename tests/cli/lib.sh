# shellcheck shell=sh
# SPDX-License-Identifier: BSD-2-Clause
# A small harness. `try` runs the program and keeps its exit code and output; the others judge what it kept, one TAP
# line each. `finish` ends the script.
: "${WAYWARDEN:?the program to test}"
dir=$(mktemp -d /tmp/ww-cli-XXXXXX) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
count=0 failed=0 code=0

try() {
  "$WAYWARDEN" "$@" >"$dir/out" 2>"$dir/err" </dev/null
  code=$?
}

# With the standard input given first.
try_input() {
  printf '%b' "$1" >"$dir/in"
  shift
  "$WAYWARDEN" "$@" >"$dir/out" 2>"$dir/err" <"$dir/in"
  code=$?
}

verdict() { # ok? what
  count=$((count + 1))
  if [ "$1" = 0 ]; then
    echo "ok $count - $2"
  else
    failed=$((failed + 1))
    echo "not ok $count - $2"
    sed 's/^/# out: /' "$dir/out"
    sed 's/^/# err: /' "$dir/err"
  fi
}

exits() { # code what
  [ "$code" = "$1" ]
  verdict $? "$2: exit code $1 (is $code)"
}

prints() { # file what; the text that it should equal on standard input
  cat >"$dir/want"
  diff "$dir/want" "$dir/$1" >"$dir/diff"
  status=$?
  [ $status = 0 ] || sed 's/^/# /' "$dir/diff"
  verdict $status "$2"
}

has() { # file text what
  grep -qF -e "$2" "$dir/$1"
  verdict $? "$3"
}

lacks() {
  ! grep -qF -e "$2" "$dir/$1"
  verdict $? "$3"
}

finish() {
  echo "1..$count"
  [ "$failed" = 0 ] || echo "# $failed of $count failed"
  [ "$failed" = 0 ]
  exit
}
