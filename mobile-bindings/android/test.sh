#!/usr/bin/env bash
# Compiles the Kotlin code on the JVM, tests it on the real library with real processes, and makes the desktop jar.
#
#   test.sh LIB_DIR GENERATED_DIR BIN_DIR
#
# LIB_DIR holds libmerestone_ffi.so, GENERATED_DIR what `merestone-bindgen generate --language kotlin` wrote, BIN_DIR the
# programs merestone and merestone-audit. Needs a JDK (17 or newer) and Maven; Maven fetches the versions that pom.xml names
# from Maven Central into MAVEN_REPOSITORY, or its usual place. Photos come from the external fixture set (MERESTONE_SHARED).
set -euo pipefail
[ $# -eq 3 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 64; }
lib=$(realpath "$1") generated=$(realpath "$2") bin=$(realpath "$3")
here=$(realpath "$(dirname "$0")")
MERESTONE_SHARED=$(realpath -m "${MERESTONE_SHARED:-$here/../../../shared}")
export MERESTONE_SHARED
cd "$here"

leave_out() { echo "SKIPPED: kotlin: $*" | tee -a "${MERESTONE_SKIPS:-/dev/null}"; exit 77; }
command -v java >/dev/null && command -v javac >/dev/null || leave_out "no JDK (Debian package default-jdk-headless)"
command -v mvn >/dev/null || leave_out "Maven is absent (Debian package maven)"
for file in "$lib/libmerestone_ffi.so" "$generated/org/merestone/crossing/merestone_ffi.kt" "$bin/merestone" "$bin/merestone-audit"; do
  [ -e "$file" ] || { echo "test.sh: $file is absent" >&2; exit 66; }
done

where=()
# A library without the audit: its façade is left out, and what was agreed on, which has it, is not compared.
grep -q 'fun `auditBag`' "$generated/org/merestone/crossing/merestone_ffi.kt" || where+=(-Dwithout-audit -pl '!surface')
[ -z "${MAVEN_REPOSITORY:-}" ] || where+=(-Dmaven.repo.local="$MAVEN_REPOSITORY")
# A compiler of its own for each module would need half a GiB each; they share one.
export MAVEN_OPTS=${MAVEN_OPTS:--Xmx1g -XX:+UseSerialGC -XX:TieredStopAtLevel=1}
exec mvn --batch-mode --no-transfer-progress "${where[@]}" \
  -Dcrossing.sources="$generated" -Dmerestone.lib="$lib" -Dmerestone.bin="$bin" ${MERESTONE_MVN:-verify}
