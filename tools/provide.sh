#!/bin/bash
# Provides what parts of the Makefile need beyond Go, git and make, on Debian:
#
#	database   mariadbd, which `up` and the tests start as a child
#	compiler   gcc and libc's headers, which Go's race detector is linked with
#	peers      chronyd and mosquitto, the real NTP server and MQTT broker that the tests talk to
#
# It installs what is missing as root or by sudo, or says exactly what to install. Elsewhere it says what is missing.
# With nothing missing it takes some 20 ms and changes nothing.
#
# Database and compiler are installed: their packages start no service. The peers are not. Installing chrony would remove
# the machine's own time service and take its place, installing mosquitto would open a broker, and AppArmor keeps an
# installed chronyd from reading a test's configuration. Their packages, and the libraries that this machine lacks for
# them, are only downloaded, and unpacked below .local/debian, whose bin the Makefile puts first in the PATH.
# That needs no right at all.
set -euo pipefail

cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/usr/libexec # where servers are, outside of most users' PATH

readonly peers=(chronyd mosquitto mosquitto_passwd mosquitto_pub mosquitto_sub)
readonly peer_packages=(chrony mosquitto mosquitto-clients)
readonly unpacked=.local/debian

main() {
  local need missing=()
  check_go
  for need in "$@"; do
    case $need in
    database) command -v mariadbd >/dev/null || missing+=(mariadb-server-core) ;;
    compiler) compiles || missing+=(gcc libc6-dev) ;;
    esac
  done
  ((${#missing[@]} == 0)) || install_packages "${missing[@]}"
  [[ " $* " != *" peers "* ]] || provide_peers
}

fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

# check_go tells a Go that is too old to fetch the one that go.mod asks for, which Go itself says less clearly.
check_go() {
  local wanted minor
  wanted=$(sed -n 's/^go //p' go.mod)
  command -v go >/dev/null || fail "Go $wanted or newer is needed, and there is no go in the PATH"
  minor=$(go version | sed -nE 's/^go version go1\.([0-9]+).*/\1/p')
  ((${minor:-99} >= 21)) || # 1.21 was the first to fetch a newer one; a development version has no number
    fail "Go $wanted or newer is needed, and $(command -v go) is 1.$minor"
}

compiles() {
  echo '#include <stdlib.h>' | "${CC:-gcc}" -E - >/dev/null 2>&1
}

# as_root runs a command as root or by sudo, which asks for a password only where somebody is there to type it.
as_root() {
  if ((EUID == 0)); then
    "$@"
  elif ! command -v sudo >/dev/null; then
    return 1
  elif [[ -t 0 ]]; then
    sudo "$@"
  else
    sudo -n "$@"
  fi
}

install_packages() {
  command -v apt-get >/dev/null || fail "missing: what Debian has in the packages $*"
  echo "packages to install: $*" >&2
  as_root true || say_what_to_install "$@"
  # A list that is out of reach, somebody else's perhaps, is no reason to stop: the installation tells.
  as_root apt-get update -q || true
  # The timeout is for a fresh machine, whose automatic upgrades hold the lock for some minutes.
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
    -o DPkg::Lock::Timeout=300 "$@" || say_what_to_install "$@"
}

say_what_to_install() {
  fail "" "They could not be installed from here. As root:" "" \
    "    apt-get update && apt-get install --no-install-recommends $*" ""
}

# provide_peers unpacks the peers, anew on another release of Debian, whose libraries are others.
# Where that isn't possible the installed ones have to do.
provide_peers() {
  local release program
  release=$(. /etc/os-release && echo "${ID:-} ${VERSION_ID:-} $(uname -m)") || release=unknown
  [[ $(cat $unpacked/release 2>/dev/null) != "$release" ]] || return 0
  if command -v apt-get >/dev/null; then
    # What apt-get knows of packages may be nothing, or too old.
    unpack_peers "$release" || { as_root apt-get update -q && unpack_peers "$release"; } && return 0
  fi
  for program in "${peers[@]}"; do
    command -v "$program" >/dev/null ||
      fail "" "$program is missing, and could not be downloaded." \
        "On Debian it takes, as root: apt-get update" \
        "Elsewhere install what Debian has in the packages ${peer_packages[*]}" ""
  done
}

# unpack_peers makes the whole folder aside and moves it to its place when it is complete.
unpack_peers() {
  local next=$unpacked.new libraries archive program
  rm -rf "$next" && mkdir -p "$next/archives" "$next/root" "$next/bin" || return
  # The libraries that an installation would bring; a simulated one changes nothing and is anybody's right.
  libraries=$(apt-get install --simulate --no-install-recommends "${peer_packages[@]}" |
    sed -n 's/^Inst \(lib[^ ]*\) .*/\1/p') || return
  # Root downloads as root: apt's own user can't write here.
  (cd "$next/archives" && apt-get download -q -o APT::Sandbox::User=root "${peer_packages[@]}" $libraries) || return
  for archive in "$next"/archives/*.deb; do
    dpkg-deb --extract "$archive" "$next/root" || return
  done
  for program in "${peers[@]}"; do
    write_starter "$next" "$program" || return
  done
  echo "$1" >"$next/release" && rm -rf "$next/archives" "$unpacked" && mv "$next" "$unpacked"
}

# write_starter writes the script that starts an unpacked program with the unpacked libraries, wherever the tree is moved.
# chronyd insists on an account, by default one that its package makes; root is everywhere, and it changes to that only
# where it is root already.
write_starter() {
  local home=$1 program=$2 path libraries arguments=
  path=$(cd "$home/root" && find usr -path "*bin/$program" -type f) && [[ -n $path ]] || return
  libraries=$(cd "$home/root" && find . -name '*.so.*' -printf '$root/%h\n' | sort -u | paste -s -d :) || return
  [[ $program != chronyd ]] || arguments='-u root '
  cat >"$home/bin/$program" <<EOF || return
#!/bin/sh
root=\$(dirname "\$0")/../root
LD_LIBRARY_PATH=$libraries exec "\$root/$path" $arguments"\$@"
EOF
  chmod +x "$home/bin/$program"
}

main "$@"
