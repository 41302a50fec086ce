#!/bin/bash
# Makes a library of empty functions that satisfies what CLIENT links from ORIGINAL.
#
#   stub_library.sh CLIENT ORIGINAL OUT
#
# The functions say their name and abort when called. Versioned symbols get the version that CLIENT asks for, hidden
# from unversioned look-ups: lxml carries a libxml2 of its own and must not find these.
set -euo pipefail
client=$1 original=$2 out=$3
soname=$(basename "$original")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
readelf --dyn-syms -W "$original" | awk '$7 != "UND" && $8 != "" { sub(/@.*/, "", $8); print $8 }' | sort -u >"$work/exported"
readelf --dyn-syms -W "$client" | awk '$7 == "UND" && $8 != "" { print $8 }' | sort -u >"$work/wanted"
cat >"$work/stub.c" <<'C'
void abort(void);
int puts(const char *);
C
# The loader lets unversioned look-ups see a library's first version even when hidden: let that one be empty.
echo 'STAND_IN { local: stub_*; };' >"$work/map"
count=0
while read -r symbol; do
  name=${symbol%%@*}
  version=${symbol##*@}
  grep -qxF "$name" "$work/exported" || continue
  case $symbol in
    *@GLIBC*) continue ;;
    *@*)
      echo "void stub_$name(void) { puts(\"$name is missing from the bundle\"); abort(); }" >>"$work/stub.c"
      echo "__asm__(\".symver stub_$name, $name@$version\");" >>"$work/stub.c"
      grep -q "^$version " "$work/map" || echo "$version { };" >>"$work/map"
      ;;
    *) echo "void $name(void) { puts(\"$name is missing from the bundle\"); abort(); }" >>"$work/stub.c" ;;
  esac
  count=$((count + 1))
done <"$work/wanted"
gcc -shared -fPIC -w -fno-builtin "-Wl,-soname,$soname" "-Wl,--version-script=$work/map" -o "$out" "$work/stub.c"
echo "$soname: $count functions stand in for the original"
