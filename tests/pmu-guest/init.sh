#!/bin/busybox sh
# The first process of the emulated machine: mounts what a Linux machine has, runs /command, prints its exit status
# on the console, which is all that leaves the machine, and switches it off.
/bin/busybox --install -s /bin
export PATH=/bin HOME=/tmp
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
# No file system of its own: the build directory may be below it.
chmod 1777 /tmp
mount -t cgroup2 cgroup2 /sys/fs/cgroup
# As systemd does: without a controller in use, groups have no perf events.
echo +pids >/sys/fs/cgroup/cgroup.subtree_control
mount -t tracefs tracefs /sys/kernel/tracing
cd /tmp
sh /command
echo "guest: exit $?"
poweroff -f
