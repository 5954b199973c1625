# SPDX-License-Identifier: BSD-3-Clause
#
# prepare.sh: what tools/demo, tools/check and tools/bench do before they start: install the Debian packages of
# tools/packages that are missing, and build. To be sourced; `top` is the source tree.
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

missing_packages() {
	local package
	while read -r package; do
		[ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
	done < <(grep -v '^#' "$top/tools/packages")
}

# without_services COMMAND...: no daemon that comes with a package is started (invoke-rc.d(8) asks policy-rc.d)
without_services() (
	policy=/usr/sbin/policy-rc.d
	if [ ! -e $policy ]; then
		install -m 755 /dev/stdin $policy <<<$'#!/bin/sh\nexit 101' || exit
		trap 'rm -f $policy' EXIT
	fi
	"$@"
)
# disable_services PACKAGE...: nor is it at the next boot
disable_services() {
	local unit
	command -v systemctl >/dev/null || return 0
	for unit in $(dpkg-query -L "$@" | sed -nE 's,^(/usr)?/lib/systemd/system/([^/@]+\.service)$,\2,p'); do
		systemctl --no-reload disable "$unit" || say "$unit could not be disabled: it will start with the machine"
	done
}

# install_packages: nothing to do costs a tenth of a second
install_packages() {
	local missing log
	command -v dpkg-query >/dev/null || { say "not a Debian system: the packages of tools/packages are taken for granted"; return; }
	mapfile -t missing < <(missing_packages)
	[ ${#missing[@]} -gt 0 ] || return 0
	[ "$(id -u)" = 0 ] || die "run as root, or install first: ${missing[*]}"
	say "installing ${#missing[@]} packages: ${missing[*]}"
	log=$(mktemp /tmp/wye-apt.XXXXXX)
	export DEBIAN_FRONTEND=noninteractive
	apt-get -qq -o DPkg::Lock::Timeout=300 update >"$log" 2>&1 &&
		without_services apt-get -qq -y -o DPkg::Lock::Timeout=600 --no-install-recommends install "${missing[@]}" \
			>>"$log" 2>&1 </dev/null && disable_services "${missing[@]}" >>"$log" 2>&1 ||
		{ tail -n 20 "$log"; rm -f "$log"; die "apt-get could not install ${missing[*]}"; }
	rm -f "$log"
}

say_errors() { grep -E -A8 '^FAILED|ERROR:|: error:|^ninja: (error|fatal)' "$1" | head -n 60; }

# quietly COMMAND...: prints only what went wrong
quietly() {
	local log status
	log=$(mktemp /tmp/wye-build.XXXXXX)
	"$@" >"$log" 2>&1 </dev/null
	status=$?
	[ $status = 0 ] || say_errors "$log"
	rm -f "$log"
	return $status
}

# configure_build DIR [meson options]: anew, when it is not what this meson made
configure_build() {
	local dir=$top/$1
	shift
	[ -e "$dir/build.ninja" ] && meson configure "$dir" "$@" >/dev/null 2>&1 && return
	rm -rf "$dir"
	quietly meson setup "$dir" "$top" "$@"
}

# build DIR [meson options]: configures when needed, compiles
build() { configure_build "$@" && quietly ninja -C "$top/$1"; }
