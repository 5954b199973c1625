#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# bad_start: bad input: each a clear message and an exit status, or a port that says why it is not used; nothing of ours
# is left on the netdevs.
. "$(dirname "$0")/lib.sh"
lab
ports() {
	printf 'memory: { hugepages: none, size_mib: 64 }\nworkers: { cpus: [0] }\nsteering: { default: dataplane }\nports:\n'
	printf '  - { netdev: %s, driver: af_xdp }\n' "$@"
}
daemon() { timeout 20 nsenter --net=/run/netns/router -- "${run_as[@]}" "$@" -c "$conf" -r "$run_dir" 2>&1 </dev/null; }
nothing_of_ours() { ! ip -n router -d link show | grep -E 'xdp|wye' && ! on router tc qdisc show | grep clsact; }
# bad STATUS PATTERN WHAT: wye-dpd ends with the configuration on standard input, and says so
bad() {
	local want=$1 pattern=$2 what=$3 status
	cat >"$conf"
	daemon "$WYE_BUILD/dataplane/wye-dpd" >/run/output
	status=$?
	words=$(sed -n 's/^wye-dpd: error: //p' /run/output | head -n 1)
	says "$what" "$pattern" cat /run/output
	equal "$what: exit status" "$status" "$want"
	check "$what: nothing attached" nothing_of_ours
}
# stands STATUS PATTERN WHAT: as bad; the doctor says it in the same words
stands() {
	bad "$@"
	check "$3: the doctor says the same" doctor_says "${words:-nothing}"
}
doctor_says() {
	grep -qF -- "$1" <<<"$(nsenter --net=/run/netns/router -- "${run_as[@]}" "$WYE_BUILD/tools/wye" doctor --config "$conf" 2>&1)"
}
# port_refused STATE PATTERN WHAT: it runs, but r2 (or r9) is not used, and says why
port_refused() {
	cat >"$conf"
	lab_ports=(r1)
	check "$3: wye-dpd runs with r1" start_dpd
	says "$3: the state" "r[29] .*$1.*$2" wye show port
	says "$3: the log" "port r[29]: .*$2" cat /run/log/dpd
	check "$3: SIGTERM" stop "$dpd"
	check "$3: nothing attached" nothing_of_ours
	: >/run/log/dpd
}
run_as=()
steer_all
check 'wye-ctld starts' start_ctld

at="$conf:[0-9]+:[0-9]+: "
bad 2 "$at.*colour" 'unknown key' < <(ports r1 r2; echo 'colour: blue')
bad 2 "$at.*\"twice\"" 'duplicate rule' < <(ports r1 r2 | sed '/^steering/d'; echo 'steering:'; echo ' rules:'
	for i in 1 2; do echo "  - { name: twice, match: { dst: 10.$i.0.0/16 }, action: kernel }"; done)
bad 2 "$at.*70000.*65535" 'port out of range' < <(ports r1 r2 | sed '/^steering/d'; echo 'steering:'; echo ' rules:'
	echo '  - { name: wide, match: { proto: udp, dport: 70000 }, action: kernel }')
bad 2 "$at.*r1" 'two ports on a netdev' < <(ports r1 r1)
bad 2 "$at" 'not YAML' <<<'ports: [ { netdev: r1'
stands 1 'CPU 99' 'a CPU that does not exist' < <(ports r1 r2 | sed 's/cpus: .0./cpus: [99]/')
stands 1 'hugepages.*nr_hugepages' 'no huge pages' < <(ports r1 r2 | sed 's/none, size_mib: 64/hugetlbfs, size_mib: 65536/')
stands 1 'port u0: driver uio .*physical addresses.*nr_hugepages' 'UIO without huge pages' < \
	<(ports r1 r2; echo '  - { netdev: u0, driver: uio, devargs: "0000:ff:1f.7" }')
umount /sys/fs/bpf
stands 1 'mount -t bpf' 'no bpffs' < <(ports r1 r2)
mount -t bpf bpf /sys/fs/bpf
run_as=(setpriv --bounding-set=-all --inh-caps=-all --)
stands 1 'CAP_' 'no capabilities' < <(ports r1 r2)
run_as=(prlimit --nofile=32 setpriv --bounding-set=-sys_resource --inh-caps=-sys_resource --)
bad 1 '32 open files .*LimitNOFILE=128' 'few open files, and no right to more' < <(ports r1 r2)
run_dir=/run/other says 'the same for wye-ctld' '32 open files .*LimitNOFILE=64' daemon "$WYE_BUILD/ctlplane/wye-ctld"
run_as=(prlimit --fsize=1048576)
run_dir=/run/other says 'files that may not grow' 'tables.1: .*File too large' daemon "$WYE_BUILD/ctlplane/wye-ctld"
run_as=()
mkdir /run/small
mount -t tmpfs -o size=128k tmpfs /run/small
run_dir=/run/small bad 1 'stats.*No space left' 'a full run directory' < <(ports r1 r2)
port_refused waiting 'does not exist' 'a netdev that does not exist' < <(ports r1 r9)
ip -n router link set r2 mtu 9000
port_refused failed 'MTU 9000 .*ip link set' 'MTU above the limit of AF_XDP' < <(ports r1 r2)
ip -n router link set r2 mtu 1500

# A platform device that is only a folder
mkdir -p /run/platform/devices/fff51000.ethernet
mount --bind /run/platform /sys/bus/platform
[ "$(pkg-config --modversion libdpdk | cut -d. -f1)" -lt 23 ] && platform='DPDK 23\.03 or later; this is DPDK 2' || platform='not on VFIO'
port_refused failed "fff51000.ethernet .*$platform" 'a platform device' < \
	<(ports r1; echo '  - { netdev: r9, driver: vfio, devargs: fff51000.ethernet, device: whole }')
umount /sys/bus/platform

rm "$conf"
says 'no file' "$conf.*[Nn]o such file" daemon "$WYE_BUILD/dataplane/wye-dpd"
equal 'usage: exit status' "$(daemon "$WYE_BUILD/dataplane/wye-dpd" --nonsense >/dev/null; echo $?)" 2
lab_ports=(r1 r2)
steer_all
says 'a second wye-ctld' '(another|already).*[0-9]+' daemon "$WYE_BUILD/ctlplane/wye-ctld"
check 'after all that it starts' start_dpd
says 'a second wye-dpd' '(another|already).*[0-9]+' daemon "$WYE_BUILD/dataplane/wye-dpd"
warm
by_dataplane 10 'and forwards' ping_from host1 10.0.2.2
