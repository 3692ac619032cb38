#!/usr/bin/env bash
# Sets up what the emulated machine is made of: QEMU, a C compiler and Rust's library for arm64, and in DIR an arm64
# kernel of Debian's with a shell. What DIR has already is not fetched again, so it can be cached.
# Usage: setup.sh DIR     Exit status 77 where this machine cannot have it, with a line that says why.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=$(realpath -m "${1:?usage: setup.sh DIR}")
target=aarch64-unknown-linux-gnu

cannot() { printf 'skipped: the machine with a PMU: %s\n' "$1"; exit 77; }

# Programs of this machine: only root can install them.
programs() {
    local pair missing=()
    for pair in qemu-system-aarch64:qemu-system-arm aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu cpio:cpio; do
        command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
    done
    [ -e /usr/aarch64-linux-gnu/lib/libc.a ] || missing+=(libc6-dev-arm64-cross)
    [ ${#missing[@]} = 0 ] && return
    [ "$(id -u)" = 0 ] || cannot "as root once: apt-get install --no-install-recommends ${missing[*]}"
    apt-get update -qq >/dev/null 2>&1 || true
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null 2>&1 ||
        cannot "apt-get cannot install ${missing[*]} (is there a network?)"
}

# apt with lists and caches of its own in DIR, so that this machine's stay as they are. apt checks the signature of the
# lists with the keys that this machine trusts, and each package against the lists.
private_apt() {
    local tool=$1; shift
    "$tool" -o Dir::State::Lists="$dir/apt/lists" -o Dir::Cache="$dir/apt/cache" -o APT::Sandbox::User= \
        -o Acquire::Languages=none -o Acquire::Retries=2 "$@"
}

fetch_lists() {
    mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial" "$dir/apt/packages"
    # A source of somebody else's that cannot be reached is no matter: what counts is whether the packages are found.
    private_apt apt-get -o APT::Architectures::="$(dpkg --print-architecture)" -o APT::Architectures::=arm64 \
        update -qq >/dev/null 2>&1 || true
}

fetch() {
    (cd "$dir/apt/packages" && private_apt apt-get -o APT::Architectures::="$(dpkg --print-architecture)" \
        -o APT::Architectures::=arm64 download -qq "$@" >/dev/null 2>&1)
}

# The kernel, and a disk image for memory with busybox in it and init.sh for the first process.
kernel_and_shell() {
    local kernel root
    if [ ! -e "$dir/kernel" ] || [ ! -e "$dir/busybox" ]; then
        command -v apt-get >/dev/null || cannot "apt-get is needed to fetch an arm64 kernel"
        fetch_lists
        # The one for virtual machines, the newest of them; the package that is not signed needs no other.
        kernel=$(private_apt apt-cache -o APT::Architectures::=arm64 search --names-only \
            '^linux-image-[0-9].*-cloud-arm64-unsigned$' | cut -d' ' -f1 | sort -V | tail -n 1)
        [ -n "$kernel" ] || cannot "apt knows no arm64 kernel (is this Debian, and is there a network?)"
        fetch "$kernel:arm64" busybox-static:arm64 || cannot "apt-get cannot fetch $kernel"
        root="$dir/apt/root"
        for package in "$dir"/apt/packages/*_arm64.deb; do dpkg-deb -x "$package" "$root"; done
        cp "$root/bin/busybox" "$dir/busybox" 2>/dev/null || cp "$root/usr/bin/busybox" "$dir/busybox"
        zcat -f "$root"/boot/vmlinuz-* >"$dir/kernel.part"
        mv "$dir/kernel.part" "$dir/kernel"
    fi
    root=$(mktemp -d)
    mkdir "$root"/{bin,dev,proc,sys,tmp}
    cp "$dir/busybox" "$root/bin/busybox"
    cp "$here/init.sh" "$root/init"
    chmod 755 "$root" "$root/init"
    (cd "$root" && find . | cpio -o -H newc --quiet -R 0:0) >"$dir/base.cpio"
    rm -rf "$root"
}

# Rust's library for arm64, for the compiler that is in use; else a compiler of Debian's with that library in DIR.
rust_library() {
    local compiler standard llvm package
    rm -f "$dir/rustc"
    has_library rustc && return
    if command -v rustup >/dev/null && rustup target add "$target" >/dev/null 2>&1 && has_library rustc; then return; fi
    if [ ! -e "$dir/rust/usr/bin/rustc" ]; then
        command -v apt-get >/dev/null || cannot "no standard library of Rust for $target (rustup target add $target)"
        fetch_lists
        local apt_depends=(private_apt apt-cache -o APT::Architectures::="$(dpkg --print-architecture)"
            -o APT::Architectures::=arm64 depends)
        compiler=rustc-web
        standard=$("${apt_depends[@]}" libstd-rust-web-dev:arm64 2>/dev/null |
            sed -n 's/.*Depends: \(libstd-rust-web-[0-9.]*\).*/\1/p' | head -n 1)
        llvm=$("${apt_depends[@]}" $compiler $standard 2>/dev/null |
            sed -n 's/.*Depends: \(libllvm[0-9]*\).*/\1/p' | head -n 1)
        { [ -n "$standard" ] && fetch libstd-rust-web-dev:arm64 "$compiler" "$standard" libstd-rust-web-dev $llvm; } ||
            cannot "no standard library of Rust for $target (rustup target add $target)"
        for package in "$dir"/apt/packages/*{rust,llvm}*.deb; do dpkg-deb -x "$package" "$dir/rust"; done
    fi
    printf '#!/bin/sh\nLD_LIBRARY_PATH=%q exec %q "$@"\n' \
        "$dir/rust/usr/lib/$(uname -m)-linux-gnu" "$dir/rust/usr/bin/rustc" >"$dir/rustc"
    chmod 755 "$dir/rustc"
    has_library "$dir/rustc" || cannot "Debian's rustc has no standard library for $target"
}

has_library() {
    ls "$("$1" --print sysroot)/lib/rustlib/$target/lib/"libstd-*.rlib >/dev/null 2>&1
}

mkdir -p "$dir" 2>/dev/null || cannot "$dir cannot be written; name another directory: PMU_GUEST=DIR"
programs
kernel_and_shell
rust_library
rm -rf "$dir/apt"
