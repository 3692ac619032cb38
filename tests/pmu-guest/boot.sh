#!/usr/bin/env bash
# Boots the emulated machine, runs a program of Cargo's in it, and exits as that does; a runner for
# CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER, by which run.sh sets it.
# Usage: boot.sh PROGRAM ARGUMENTS...     PROGRAM finds itself and `oprof` where they are on this machine.
# Environment: PMU_GUEST (directory of setup.sh), PMU_GUEST_CPUS (1)
set -euo pipefail
dir=${PMU_GUEST:?the directory that setup.sh made}
program=$(realpath "$1"); shift
cpus=${PMU_GUEST_CPUS:-1}
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT

# What is added to the machine: the program, oprof beside it as Cargo lays them out, and the command.
mkdir "$work/root"
for file in "$program" "$(dirname "$(dirname "$program")")/oprof"; do
    [ ! -e "$file" ] || cp --parents "$file" "$work/root"
done
printf '%q ' "$program" "$@" >"$work/root/command"
(cd "$work/root" && find . -mindepth 1 | cpio -o -H newc --quiet -R 0:0) >"$work/added.cpio"
cat "$dir/base.cpio" "$work/added.cpio" >"$work/memory-disk"

# Every instruction takes 16 ns of the machine's time, whatever the host does meanwhile. With one CPU two runs count and
# sample the same; two CPUs take turns in that time, as the host has it.
timeout "${PMU_GUEST_SECONDS:-240}" qemu-system-aarch64 -M virt,gic-version=3 -cpu cortex-a57 -smp "$cpus" -m 1G \
    -seed 1 -icount "shift=4,sleep=off" -display none -no-reboot -nodefaults -serial stdio -kernel "$dir/kernel" \
    -initrd "$work/memory-disk" -append "console=ttyAMA0 panic=-1 quiet" </dev/null |
    tr -d '\r' | tee "$work/console" | grep --line-buffered -v -e '^guest: exit' -e 'reboot: Power down' || true
status=$(sed -n 's/.*guest: exit \([0-9]*\).*/\1/p' "$work/console" | tail -n 1)
[ -n "$status" ] || echo "the machine did not come to its end"
exit "${status:-99}"
