#!/usr/bin/env bash
# Starts the terminal app, once `mvn package` (or test.sh) has built it.
#
#   run.sh LIB_DIR --home DIR [--charter FILE]
#
# LIB_DIR holds libmerestone_ffi.so.
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 64; }
lib=$(realpath "$1")
shift
target=$(dirname "$(realpath "$0")")/target
[ -f "$target/classpath.txt" ] || { echo "run.sh: build it first: mvn -f $(dirname "$target")/../pom.xml package -DskipTests" >&2; exit 66; }
exec java -Xmx256m -Djna.library.path="$lib" -cp "$target/classes:$(cat "$target/classpath.txt")" \
  org.merestone.terminal.MainKt "$@"
