#!/usr/bin/env bash
# Runs the checks of hardware sampling on an emulated arm64 machine with a PMU; see README.md.
# Usage: run.sh [NAME]     NAME: only the checks whose name holds this
set -euo pipefail
cd "$(dirname "$0")/../.."
here=tests/pmu-guest
if [ -n "${XDG_CACHE_HOME:-}" ]; then default=$XDG_CACHE_HOME/oprof-pmu-guest; else default=target/pmu-guest; fi
PMU_GUEST=$(realpath -m "${PMU_GUEST:-$default}")
export PMU_GUEST

status=0
bash $here/setup.sh "$PMU_GUEST" || status=$?
[ $status != 77 ] || exit 0
[ $status = 0 ] || exit $status
echo "the machine is set up in $PMU_GUEST (${SECONDS}s)"

# Static, since the machine has no libraries; its directory is apart, for the compiler may be another.
[ ! -e "$PMU_GUEST/rustc" ] || export RUSTC=$PMU_GUEST/rustc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS='-C target-feature=+crt-static'
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER=$PWD/$here/boot.sh
# Emulated code is slow, so it has to be optimized; but not for as long as a release.
export CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_DEBUG=0
checks=(cargo test --locked --quiet --release --target aarch64-unknown-linux-gnu -p oprof-cli --test pmu_guest)
"${checks[@]}" --no-run
echo "oprof is built for it (${SECONDS}s)"

PMU_GUEST_CPUS=1 "${checks[@]}" -- one-cpu "$@"
echo "checked with one CPU (${SECONDS}s)"
PMU_GUEST_CPUS=2 "${checks[@]}" -- two-cpus "$@"
echo "checked with two CPUs (${SECONDS}s)"
