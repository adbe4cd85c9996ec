#!/bin/sh
# Stands in for cargo under `cargo lambda watch`, which starts each instance of a function by
# `cargo run --bin <name>` and never again. A function that is built starts without cargo, whose lock
# another stack or build may hold. One that dies starts again, and DEATHS has a line about it.
#
# functions.py sets BINARIES, the folder of the built functions; DEATHS, a file; and HOT_RELOAD, 1 if
# a change of the source is to be built.
set -u
unset CARGO
[ "${1-}" = run ] || exec cargo "$@"
shift
arguments="$*"
name=
while [ $# -gt 0 ]; do
    [ "$1" != --bin ] || name=$2
    shift
done
binary=$BINARIES/$name

is_current() {
    [ -x "$binary" ] || return 1
    [ "$HOT_RELOAD" = 1 ] || return 0
    newer=$(find Cargo.toml Cargo.lock functions shared -type f -newer "$binary" | head -n 1)
    [ -z "$newer" ]
}

# shellcheck disable=SC2086 # cargo-lambda's arguments have no blanks.
is_current || cargo build $arguments || exit

child=
trap '[ -z "$child" ] || { kill "$child"; wait "$child"; } 2>/dev/null; exit 143' TERM INT HUP
pause=1
while :; do
    "$binary" &
    child=$!
    wait "$child"
    code=$?
    [ "$code" -ne 0 ] || exit 0
    echo "$(date +%T) function $name ended with code $code and is started again" | tee -a "$DEATHS"
    # A function that cannot start is tried ever more rarely.
    sleep "$pause"
    [ "$pause" -ge 30 ] || pause=$((pause * 2))
done
