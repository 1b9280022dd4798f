#!/bin/sh
# What `make install` does: install.sh UV PYTHON BIN DESTDIR PREFIX CONFDIR UNITDIR
#
# A new environment is made beside the old one and swapped in whole: an interrupted install leaves the old one.
# An existing configuration is never touched.
set -eu
uv=$1 python=$2 bin=$3 destdir=$4 prefix=$5 confdir=$6 unitdir=$7
target=$destdir$prefix
case $prefix in /?*) ;; *) echo "PREFIX must be an absolute path of its own, not '$prefix'" >&2; exit 2 ;; esac
if [ -e "$target" ] && [ ! -f "$target/pyvenv.cfg" ] && [ -n "$(ls -A "$target")" ]; then
    echo "$target exists and is no environment of syncd's: name another PREFIX, or empty it" >&2
    exit 2
fi

wheels=$(mktemp -d)
trap 'rm -rf "$wheels" "$target.new"' EXIT
trap 'exit 1' INT TERM HUP
"$bin/hatchling" build -t wheel -d "$wheels" >"$wheels/log" 2>&1 || { cat "$wheels/log" >&2; exit 1; }

# The service sees no home directory, so its python must not live in one.
real=$("$python" -c 'import os, sys; print(os.path.realpath(sys.base_prefix))')
case $real in
~root/* | /home/*)
    if /usr/bin/python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=/usr/bin/python3
    else
        echo "warning: the service will not see $real, which is in a home directory: install the system's python3" >&2
    fi
    ;;
esac

umask 022
mkdir -p "$(dirname "$target")" "$destdir$confdir" "$destdir$unitdir"
rm -rf "$target.new"
# Relocatable: built under another name (and under DESTDIR), run from PREFIX. Copied, not linked: the cache is root's home.
"$uv" venv -q --relocatable --python "$python" "$target.new"
"$uv" pip install -q --link-mode copy --compile-bytecode --python "$target.new/bin/python" \
    --require-hashes -r requirements/run.txt
"$uv" pip install -q --link-mode copy --compile-bytecode --python "$target.new/bin/python" --no-deps "$wheels"/*.whl
rm -rf "$target.old"
if [ -e "$target" ]; then mv "$target" "$target.old"; fi
mv "$target.new" "$target"
rm -rf "$target.old"

sed -e "s|/opt/syncd/|$prefix/|g" -e "s|/etc/syncd/|$confdir/|g" packaging/syncd.service >"$destdir$unitdir/syncd.service.new"
mv "$destdir$unitdir/syncd.service.new" "$destdir$unitdir/syncd.service"
if [ -z "$destdir" ] && [ -d /run/systemd/system ]; then systemctl daemon-reload; fi

echo "installed: $prefix/bin/syncd and $unitdir/syncd.service"
if [ -e "$destdir$confdir/syncd.toml" ]; then
    echo "kept:      $confdir/syncd.toml; running already? systemctl restart syncd"
else
    echo "next:      $prefix/bin/syncd init, then $prefix/bin/syncd check --online, then systemctl enable --now syncd"
fi
