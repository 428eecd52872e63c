#!/bin/sh
# What `wardroom secrets` costs: megabytes for each second of processor time over a tree, and seconds
# of processor time for a whole history.
#
#   bench/secrets.sh BINARY TREE [REPOSITORY]
#
# The tree is read once before it is measured, so that the disk stays out of the figure.
set -eu
binary=$1
tree=$2
repository=${3:-}

find "$tree" -type f -exec cat {} + > /dev/null

measure() {
    python3 - "$@" <<'END'
import os, re, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
cpu = used.ru_utime + used.ru_stime
said = re.search(r"(\d+) texts(?: of (\d+) commits)? with ([\d.]+) MB", done.stderr)
if not said:
    sys.exit(done.stderr)
megabytes = float(said[3])
line = f"{said[1]} texts, {megabytes:.0f} MB, {cpu:.2f} CPU s, {megabytes / cpu:.0f} MB per CPU s, {used.ru_maxrss / 1024:.0f} MiB at most"
if said[2]:
    line += f", {int(said[2])} commits, {cpu * 4000 / int(said[2]):.2f} CPU s for 4,000"
print(line)
END
}

echo "tree"
measure "$binary" secrets "$tree" --no-ignore --fail-on never
if [ -n "$repository" ]; then
    echo "history"
    measure "$binary" secrets "$repository" --history --fail-on never
fi
