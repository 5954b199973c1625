# SPDX-License-Identifier: BSD-3-Clause
#
# private_apt.sh: packages to be unpacked into a cache and not installed: apt with lists and archives of its own below
# $cache/apt; the machine's sources and packages stay as they are. To be sourced; the caller has $cache, and die().

private_apt() {
	apt-get -q -o Dir::Etc::SourceList="$cache/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o Dir::State::Lists="$cache/apt/lists" -o Dir::Cache::archives="$cache/apt/archives" \
		-o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Keep-Downloaded-Packages=true \
		-o APT::Sandbox::User=root "$@"
}

# private_sources SUITE...: of where the machine has its Debian 12 from, and what they have now
private_sources() {
	local site suite
	mkdir -p "$cache"/apt/{lists/partial,archives/partial} "$cache/root"
	site=$(apt-get indextargets --format '$(RELEASE) $(URI)' 'Created-By: Packages' |
		awk '$1 == "bookworm" { sub("/dists/.*", "", $2); print $2; exit }')
	[ -n "$site" ] || die 'this machine has no Debian 12 package source; add bookworm main and run apt-get update'
	for suite; do
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site $suite main"
	done >"$cache/apt/sources.list"
	private_apt update
}

# private_unpack: what has been downloaded, into $cache/root
private_unpack() {
	local deb
	for deb in "$cache"/apt/archives/*.deb; do dpkg -x "$deb" "$cache/root" || return; done
}
