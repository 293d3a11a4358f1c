#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# check_recording.sh SOURCE: the recording of the demonstration is what its script writes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM
python3 "$1/examples/demo/make_recording.py" "$folder"
for file in table.bmp withdrawal.bmp; do
  cmp "$folder/$file" "$1/examples/demo/$file"
done
